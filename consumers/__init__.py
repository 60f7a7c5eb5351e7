"""Understands: hop 2 (enricher) and hop 3 (matcher). Meets `alerts` only through messages."""
