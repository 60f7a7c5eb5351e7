"""Ways out: one file a channel, each answering delivered, try again at, or dead, and why."""
