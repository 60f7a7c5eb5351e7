"""YAML and environment to typed, frozen configuration; an error names file, line, key and reason."""
