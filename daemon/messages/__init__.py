"""The records on the topics: frozen, versioned, unknown fields tolerated. `wire` turns them into bytes and back."""
