"""Which feeds there are: the files that people write, in YAML and in OPML."""
