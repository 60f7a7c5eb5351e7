"""Everything that goes out for feeds and pages: fetch, addresses, politeness, charset."""
