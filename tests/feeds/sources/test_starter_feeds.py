"""The starter list that ships in seeds/."""

from collections import Counter
from pathlib import Path

from daemon.config.document import read_document
from daemon.config.load import validate
from daemon.config.models import Feed

SEEDS = Path(__file__).parents[3] / "seeds"


def test_the_starter_feeds_are_a_valid_list_that_polls_nothing() -> None:
    """About sixty feeds in at least eight languages, ids and addresses once each, all switched off."""
    path = SEEDS / "feeds.yaml"
    feeds = validate(list[Feed], read_document(path), {}, SEEDS)
    assert 55 <= len(feeds) <= 75
    assert len({feed.language for feed in feeds}) >= 8
    assert max(Counter(feed.id for feed in feeds).values()) == max(Counter(feed.url for feed in feeds).values()) == 1
    assert all(feed.name and len(feed.country) == 2 and feed.tags and not feed.enabled for feed in feeds)
