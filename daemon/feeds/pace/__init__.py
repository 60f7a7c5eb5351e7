"""When each feed is polled: rhythm, wishes, bounds, turns, and what an answer means for all of them. Pure."""
