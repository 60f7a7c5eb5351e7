"""The only folding, word boundaries and language guessing in Rasid."""
