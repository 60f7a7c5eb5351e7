"""Hop 1: from feeds' bytes to articles.raw."""
