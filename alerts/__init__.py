"""Tells: hop 4 (alerter) and hop 5 (sender). Meets `consumers` only through messages."""
