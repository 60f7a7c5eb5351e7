"""Watchlists while the service runs: edits at once, and all of it in good order soon after."""

import asyncio
from pathlib import Path

import pytest

from consumers.layers import Layered
from consumers.matcher import Matcher
from consumers.stored import Stored
from consumers.watchlist.read import parse_watchlist
from daemon.app.setup import Setup
from daemon.app.watchlists import Watchlists
from daemon.config.models import Config
from daemon.metrics import Metrics
from tests.consumers.articles import article


def setup(text: str) -> Setup:
    return Setup(Path("config.yaml"), Config(), (), parse_watchlist(text, "w.yaml"))


def layered(matcher: Matcher) -> bool:
    return isinstance(matcher.compiled.searcher, Layered)


def matched(matcher: Matcher, text: str) -> list[str]:
    (item,) = matcher.prepare([article(text)])
    return [actor.id for match in item.matches for actor in match.actors]


async def edited(watchlists: Watchlists, text: str) -> None:
    (await watchlists.prepare(setup(text)))()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def watchlists(tmp_path: Path, metrics: Metrics) -> Watchlists:
    return Watchlists(setup("{desk: d, actors: [[Ann]]}").desks, Stored(tmp_path), metrics.observe)


async def test_a_small_edit_is_searched_beside_and_then_built(watchlists: Watchlists) -> None:
    """The new name is found at once; after that nothing is left of the haste, and nothing is found otherwise."""
    await edited(watchlists, "{desk: d, actors: [[Ann], [Bob]]}")
    assert layered(watchlists.matcher)
    assert matched(watchlists.matcher, "Ann, Bob") == ["ann", "bob"]
    await watchlists.tend()
    assert not layered(watchlists.matcher)
    assert matched(watchlists.matcher, "Ann, Bob") == ["ann", "bob"]


async def test_what_was_built_of_an_older_edit_is_not_used(watchlists: Watchlists) -> None:
    """An edit that comes while all is built anew stays."""
    await edited(watchlists, "{desk: d, actors: [[Ann], [Bob]]}")
    swap = await watchlists.prepare(setup("{desk: d, actors: [[Ann], [Cleo]]}"))
    building = asyncio.create_task(watchlists.tend())
    await asyncio.sleep(0)  # it has begun, in its thread
    swap()
    await building
    assert matched(watchlists.matcher, "Ann, Bob, Cleo") == ["ann", "cleo"]


async def test_rules_are_anchored_anew_as_articles_are_seen(watchlists: Watchlists) -> None:
    """After a thousand, then each time they have doubled: what holds is the same."""
    before = watchlists.matcher.compiled
    await watchlists.tend()
    assert watchlists.matcher.compiled is before
    watchlists.matcher.prepare([article("Ann")] * 1_000)
    await watchlists.tend()
    after = watchlists.matcher.compiled
    assert after is not before
    await watchlists.tend()
    assert watchlists.matcher.compiled is after
    assert matched(watchlists.matcher, "Ann") == ["ann"]


async def test_metrics_say_what_is_watched(watchlists: Watchlists, metrics: Metrics) -> None:
    """Names, rules and version of each desk, zero for one that is gone."""

    def value(name: str, desk: str) -> float | None:
        return metrics.registry.get_sample_value(f"rasid_watchlist_{name}", {"desk": desk})

    version = value("version", "d")
    assert (value("aliases", "d"), value("rules", "d")) == (1, 0)
    await edited(watchlists, "{desk: d, actors: [[Ann, Anna]], keywords: [oil]}")
    assert (value("aliases", "d"), value("rules", "d")) == (2, 1)
    assert version
    assert value("version", "d") != version
    await edited(watchlists, "{desk: e}")
    assert (value("aliases", "d"), value("rules", "d"), value("version", "d")) == (0, 0, 0)
