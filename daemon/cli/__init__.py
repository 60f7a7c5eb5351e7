"""The commands, one file each, loaded when asked for. `TABLE` is the list of them; architecture.md says what each does."""
