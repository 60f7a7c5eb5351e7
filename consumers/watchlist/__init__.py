"""Watchlists: from the files people write to desks with their actors and rules, checked; every mistake with its place."""
