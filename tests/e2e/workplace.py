"""A folder for `rasid run` in tests: config.yaml and watchlist for feeds and a sink of the tests' own, on either bus."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from daemon.app.buses import open_beside
from daemon.bus.base import Bus, Record
from daemon.clock import WallClock
from daemon.config.load import load_config
from daemon.config.models import KafkaSettings

SECRET: Final = "whsec_dGhlIHRlc3RzJyBvd24gc2VjcmV0"
SOON: Final = {
    "default_interval": "1s",
    "min_interval": "1s",
    "max_interval": "1s",
    "per_site": {"gap": "0.05s"},
    "allow_addresses": ["127.0.0.1/32"],
}
"""A polling that looks at a server on this machine every second."""


def write(
    folder: Path,
    watchlist: str,
    feeds: Sequence[Mapping[str, Any]],
    sink: str,
    *,
    kafka: KafkaSettings | None = None,
    apart: Mapping[str, str] | None = None,
) -> Path:
    """Everything of high severity is told at once and the rest after a second, to the webhook at `sink`; gives the folder.

    `apart`: by id of an actor, the webhook of a receiver of its own.
    """
    apart = apart or {}
    folder.mkdir(exist_ok=True)
    config = {
        "bus": {"kind": "kafka", "kafka": kafka.model_dump(mode="json")} if kafka else {"kind": "embedded"},
        "polling": SOON,
        "feeds": list(feeds),
        "watchlists": ["watchlist.yaml"],
        "receivers": [
            {"name": name, "webhook": {"url": url, "secret": SECRET}} for name, url in {"sink": sink, **apart}.items()
        ],
        "route": {
            "receiver": "sink",
            "routes": [{"matchers": [f'actor="{actor}"'], "receiver": actor} for actor in apart],
            "group_wait": {"high": "0s", "normal": "1s", "low": "1s"},
            "update_interval": "2s",
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
    (folder / "watchlist.yaml").write_text(watchlist, "utf-8")
    return folder


@asynccontextmanager
async def beside(folder: Path) -> AsyncIterator[Bus]:
    """The folder's bus, beside a service or after it: for what no command shows, and to put on it what no hop would."""
    config = load_config(folder / "config.yaml", {})
    async with open_beside(config, folder, WallClock()) as bus:
        yield bus


async def records(folder: Path, *topics: str) -> dict[str, list[Record]]:
    """All that topics of the folder's bus hold."""
    async with beside(folder) as bus:
        return {topic: [record async for record in bus.read(topic)] for topic in topics}
