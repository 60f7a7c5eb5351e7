"""Which items of a feed are news: identity, windows, gaps, and the records that are published. Pure, over rows."""
