"""Shared by all tests: the seed is printed, and nothing here hides what a test needs to show."""
