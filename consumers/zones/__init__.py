"""Cutting an article into zones: its own text, and what merely stands beside it.

text ──▶ lines ┐
HTML ─▶ markup ┴▶ lines ─▶ inline ─▶ sections (headings, runs) ─▶ zoner: title, lead, body, rest, and blocks that say why
"""
