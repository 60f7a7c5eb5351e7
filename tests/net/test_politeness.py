"""Whose turn it is, in virtual time."""

import asyncio

import pytest

from daemon.net.politeness import MOST, Politeness

pytestmark = pytest.mark.virtual_time


async def test_one_at_a_time_and_a_gap_between() -> None:
    """Feeds 15: a site's next request begins a gap after the last one ended, never beside it."""
    polite, times = Politeness(gap=1.0, concurrency=10), list[tuple[float, float]]()

    async def ask() -> None:
        async with polite.turn("e.com"):
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(5)
            times.append((began, asyncio.get_running_loop().time()))

    await asyncio.gather(ask(), ask(), ask())
    assert times == [(0, 5), (6, 11), (12, 17)]


async def test_a_site_with_a_gap_of_its_own() -> None:
    """Feeds 11 and 15: where the operator gave a site another gap, that one is kept, and elsewhere the general one."""
    polite, times = Politeness(gap=1.0, gaps={"slow.com": 60.0, "own.com": 0.0}, concurrency=10), list[tuple[str, float]]()

    async def ask(site: str) -> None:
        async with polite.turn(site):
            times.append((site, asyncio.get_running_loop().time()))

    await asyncio.gather(*(ask(site) for site in ("slow.com", "own.com", "e.com") for _ in range(2)))
    assert sorted(times) == [("e.com", 0), ("e.com", 1), ("own.com", 0), ("own.com", 0), ("slow.com", 0), ("slow.com", 60)]


async def test_the_least_that_one_request_keeps() -> None:
    """Feeds 7: who wants a longer pause before a request has it, a minute at most, and other requests keep the gap."""
    polite, began = Politeness(gap=1.0, concurrency=10), list[float]()
    for least in (10.0, 0.0, 10.0, 0.5, 1_000.0):
        async with polite.turn("e.com", least):
            began.append(asyncio.get_running_loop().time())
    await asyncio.sleep(40)
    async with polite.turn("e.com", 60.0):
        began.append(asyncio.get_running_loop().time())
    assert began == [0, 1, 11, 12, 72, 132]


async def test_a_slow_site_delays_no_other() -> None:
    """Feeds 15: those who wait for a slow site take no place among the requests in flight."""
    polite, ended = Politeness(gap=1.0, concurrency=2), dict[str, float]()

    async def ask(site: str, seconds: float) -> None:
        async with polite.turn(site):
            await asyncio.sleep(seconds)
        ended[site] = asyncio.get_running_loop().time()

    slow = [ask("slow.com", 30) for _ in range(5)]
    await asyncio.gather(*slow, ask("a.com", 1), ask("b.com", 1))
    assert (ended["a.com"], ended["b.com"]) == (1, 2)


async def test_the_limit_over_all_sites() -> None:
    """Never more in flight than the configured concurrency."""
    polite, now, most = Politeness(gap=0.0, concurrency=3), 0, 0

    async def ask(site: str) -> None:
        nonlocal now, most
        async with polite.turn(site):
            now += 1
            most = max(most, now)
            await asyncio.sleep(1)
            now -= 1

    await asyncio.gather(*(ask(f"{number}.com") for number in range(10)))
    assert most == 3


async def test_sites_are_forgotten() -> None:
    """What is remembered of a site ends a minute after its last request, also when one was cut off."""
    polite = Politeness(gap=1.0, concurrency=3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), polite.turn("e.com"):
            await asyncio.sleep(10)
    remembered = polite._queues
    await asyncio.sleep(MOST - 1)
    async with polite.turn("e.com"):
        pass
    await asyncio.sleep(MOST - 1)
    assert list(remembered) == ["e.com"]
    await asyncio.sleep(MOST + 2)
    assert not remembered


async def test_gaps_of_a_reload() -> None:
    """Gaps that people change hold from the next request on."""
    polite, began = Politeness(gap=1.0, concurrency=10), list[float]()

    async def ask(site: str) -> None:
        async with polite.turn(site):
            began.append(asyncio.get_running_loop().time())

    polite.keep(5.0, {"own.com": 20.0})
    for site in ("e.com", "e.com", "own.com", "own.com"):
        await ask(site)
    assert began == [0, 5, 5, 25]
