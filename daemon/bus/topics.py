"""The topics, the hops that read them, and how a lane finds its partition: the same on every engine."""

from dataclasses import dataclass
from hashlib import blake2b

FEEDS = "feeds"
RAW = "articles.raw"
ARTICLES = "articles"
MATCHES = "matches"
OUTBOX = "outbox"
ALERTS = "alerts"
DEADLETTER = "deadletter"

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, how long it keeps records (seconds), and the group (hop) that consumes it, if any."""

    name: str
    retention: float
    group: str | None = None


TOPICS = {
    topic.name: topic
    for topic in (
        Topic(FEEDS, 1 * DAY, "poller"),
        Topic(RAW, 7 * DAY, "enricher"),
        Topic(ARTICLES, 30 * DAY, "matcher"),
        Topic(MATCHES, 30 * DAY, "alerter"),
        Topic(OUTBOX, 30 * DAY, "sender"),
        Topic(ALERTS, 30 * DAY),
        Topic(DEADLETTER, 30 * DAY),
    )
}


def partition_of(lane: str, count: int) -> int:
    """The partition of a lane among `count`; fixed for ever, since stored data depends on it."""
    return int.from_bytes(blake2b(lane_bytes(lane), digest_size=8).digest(), "big") % count


def lane_bytes(lane: str) -> bytes:
    """A lane as it is stored: any string can be one, lone surrogates included."""
    return lane.encode("utf-8", "surrogatepass")


def lane_text(stored: bytes) -> str:
    """What `lane_bytes` stored. Raises `UnicodeDecodeError` for bytes of others."""
    return stored.decode("utf-8", "surrogatepass")
