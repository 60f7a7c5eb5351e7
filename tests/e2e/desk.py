"""A small installation for end-to-end tests: it polls quickly, on this machine, for one desk; and items unlike each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from daemon.bus.embedded.bus import EmbeddedBus
from daemon.bus.topics import ARTICLES
from daemon.clock import WallClock
from daemon.messages import wire
from daemon.messages.article import Article

HIT: Final = "Ada Verne"
"""The one actor of the desk."""
POLLING: Final = {
    "min_interval": "1s",
    "max_interval": "1s",
    "default_interval": "1s",
    "per_site": {"gap": "0s"},
    "allow_addresses": ["127.0.0.1/32"],
    "first_fetch": "quiet",
}
_WATCHLIST: Final = {
    "desk": "coast",
    "defaults": {"severity": "high"},
    "actors": [{"id": "ada", "names": [HIT, "ثابت العباسي"]}],
}
_WORDS: Final = """
harbour ministers agreed yesterday winter ferry budget council engineers opened northern bridge after long talks fishermen
asked court judges delayed answer island schools teachers promised better trains railway planners measured quiet valley
doctors described new clinic farmers sold apples early market prices rose slowly museum restored old paintings visitors came
"""


def install(folder: Path, **config: Any) -> Path:
    """Write `config.yaml` (JSON is YAML) and a watchlist; `polling` is added to what the tests' polling needs."""
    polling = {**POLLING, **config.pop("polling", {})}
    (folder / "coast.yaml").write_bytes(orjson.dumps(_WATCHLIST))
    (folder / "config.yaml").write_bytes(orjson.dumps({"watchlists": ["coast.yaml"], **config, "polling": polling}))
    return folder


def feeds(urls: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    return [{"id": id_, "url": url, "language": "en"} for id_, url in urls.items()]


def text(name: str) -> str:
    """Sentences about the desk's actor, alike for one name and unlike those of another."""
    words = Random(name).choices(_WORDS.split(), k=40)
    return f"{HIT} spoke about {name}. {' '.join(words[:20])}. {' '.join(words[20:])}."


async def articles(folder: Path) -> Sequence[Article]:
    """What the enricher has made so far, read beside the service."""
    async with EmbeddedBus(folder / "data" / "bus.sqlite", clock=WallClock(), service=False) as bus:
        found = [wire.decode(record.value) async for record in bus.read(ARTICLES)]
    return [article for article in found if isinstance(article, Article)]
