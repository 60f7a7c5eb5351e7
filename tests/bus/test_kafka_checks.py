"""Topics that others made, or that were changed: what is refused, what is only said."""

import pytest

from daemon.bus.kafka.checks import Found, doubts, faults
from daemon.bus.kafka.wanted import Wanted, wanted
from daemon.bus.topics import RAW, TOPICS
from daemon.config.models import KafkaSettings

SETTINGS = KafkaSettings(bootstrap_servers=("127.0.0.1:9",))
SOURCE, CHANGELOG = wanted(SETTINGS, [TOPICS[RAW]], {})


def as_wanted(topic: Wanted, *, partitions: int = 12, replicas: int = 3, **configs: str) -> Found:
    """The topic as it is wanted, but for what is given (a setting's dots as underscores)."""
    return Found(partitions, replicas, {**topic.configs, **{key.replace("_", "."): value for key, value in configs.items()}})


@pytest.mark.parametrize("topic", [SOURCE, CHANGELOG])
def test_what_we_make_is_as_wanted(topic: Wanted) -> None:
    """A topic made by us, or one whose settings nobody tells, is neither refused nor doubted; more is never wrong."""
    richer = as_wanted(topic, replicas=5, max_message_bytes="99999999", delete_retention_ms="999999999")
    for found in (as_wanted(topic), Found(12, 3), richer):
        assert [*faults(topic, found), *doubts(topic, found)] == []


@pytest.mark.parametrize(
    ("topic", "found", "sentence"),
    [
        (
            SOURCE,
            as_wanted(SOURCE, partitions=6),
            "rasid.articles.raw has 6 partitions, bus.kafka.partitions says 12 (the number is fixed when a topic is made)",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, cleanup_policy="compact,delete"),
            "rasid.articles.raw has cleanup.policy=compact,delete, needed is delete",
        ),
        (
            CHANGELOG,
            as_wanted(CHANGELOG, cleanup_policy="compact,delete"),
            "rasid.enricher.state has cleanup.policy=compact,delete, needed is compact",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, max_message_bytes="1048588"),
            "rasid.articles.raw takes messages up to max.message.bytes=1048588, at least 8454144 are needed",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, replicas=1),
            "rasid.articles.raw has min.insync.replicas=2 and 1 replicas: nothing can be written",
        ),
        (
            CHANGELOG,
            as_wanted(CHANGELOG, delete_retention_ms="60000"),
            "rasid.enricher.state forgets deletions after delete.retention.ms=60000, at least 86400000 is needed",
        ),
    ],
)
def test_what_loses_or_refuses_records_is_refused(topic: Wanted, found: Found, sentence: str) -> None:
    """Each fault is one sentence with the topic, what it has and what is needed."""
    assert sentence in list(faults(topic, found))


@pytest.mark.parametrize(
    ("topic", "found", "sentence"),
    [
        (
            SOURCE,
            as_wanted(SOURCE, replicas=2, min_insync_replicas="1"),
            "rasid.articles.raw has 2 replicas, bus.kafka.replication_factor says 3",
        ),
        (
            CHANGELOG,
            as_wanted(CHANGELOG, min_insync_replicas="1"),
            "rasid.enricher.state has min.insync.replicas=1, wanted is 2: fewer brokers lost may be records lost",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, min_insync_replicas="3"),
            "rasid.articles.raw has min.insync.replicas=3 and as many replicas: nothing is written while a broker is away",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, retention_ms="3600000"),
            "rasid.articles.raw has retention.ms=3600000, wanted is 604800000 (bus.retention)",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, retention_ms="-1"),
            "rasid.articles.raw has retention.ms=-1, wanted is 604800000 (bus.retention)",
        ),
        (
            SOURCE,
            as_wanted(SOURCE, retention_bytes="1000"),
            "rasid.articles.raw has retention.bytes=1000: records may be removed before their time (bus.retention)",
        ),
    ],
)
def test_what_keeps_less_than_promised_is_said(topic: Wanted, found: Found, sentence: str) -> None:
    """Each doubt is one sentence, and does not keep anybody from working."""
    assert list(faults(topic, found)) == []
    assert sentence in list(doubts(topic, found))
