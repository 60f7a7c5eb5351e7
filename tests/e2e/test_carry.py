"""What the whole service has written is carried over: backed up beside it, restored, moved to other partitions."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.service import Service, command, copy_starter, json_lines, running

PATIENCE = 30.0
OFTEN = {"RASID_POLLING__MIN_INTERVAL": "1s", "RASID_FEEDS__0__INTERVAL": "1s"}
"""So that a service that begins again also polls again."""


async def polled(service: Service) -> None:
    """Until the feed was fetched and nothing is left to be taken by any hop."""
    async with asyncio.timeout(PATIENCE):
        while True:
            samples = await service.metrics()
            lags = [value for name, value in samples.items() if name.startswith("rasid_hop_lag_records")]
            if sum(value for name, value in samples.items() if name.startswith("rasid_polls_total")) and not sum(lags):
                return
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_nothing_is_told_again(tmp_path: Path) -> None:
    """After a backup, its restoring and a move to other partitions the story that was told is known, and stays so."""
    folder = copy_starter(tmp_path)
    async with running(folder, **OFTEN) as service:
        await service.until(lambda at: "Lloyd Austin" in "\n".join(at.out), PATIENCE)
        await polled(service)
        assert (await command(folder, "backup", "copy"))[0] == 0
        assert await service.stop() == 0
    journal = await json_lines(folder, "alerts", "list", "--json")
    for step in (("restore", "copy", "--force"), ("move", "--partitions", "7"), ("move", "--partitions", "3")):
        code, out, error = await command(folder, *step)
        assert (code, error) == (0, ""), out
    async with running(folder, **OFTEN) as service:
        await polled(service)
        assert await service.stop() == 0
    assert service.out == []
    assert await findings(folder) == [entry for entry in journal if entry["kind"] == "finding"]


async def findings(folder: Path) -> list[dict[str, object]]:
    return [entry for entry in await json_lines(folder, "alerts", "list", "--json") if entry["kind"] == "finding"]
