"""What a feed no longer shows when it is polled, and which feeds a page has: looked for elsewhere, politely."""
