"""The bus in one SQLite file (delivery.md, “The embedded bus”)."""

from daemon.bus.embedded.bus import EmbeddedBus

__all__ = ["EmbeddedBus"]
