"""A feed's bytes to items: pure, run in worker processes; feedparser is the only authority on values."""
