"""The main job on the configuration as it is shipped: one alert from the sample, and nothing of what stands beside it."""

import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.service import Service, command, copy_starter, json_lines, running

BELOW = ("نواف سلام", "Nawaf Salam", "جوزاف عون", "Joseph Aoun", "اليوناني", "Greek", "عبدالله بن زايد", "Abdullah bin Zayed")
ALERT_WITHIN = 15.0
"""Three times the promised five seconds."""


def told(service: Service) -> str:
    return "\n".join(service.out)


async def test_the_sample_makes_one_alert_on_screen(tmp_path: Path) -> None:
    """Within 5 s of the start one alert stands on the screen: two ministers and one rule, with their sentences marked."""
    folder = copy_starter(tmp_path)
    began = time.monotonic()
    async with running(folder) as service:
        await service.until(lambda at: "Lloyd Austin" in told(at), ALERT_WITHIN)
        assert time.monotonic() - began < ALERT_WITHIN
        screen = told(service)
        assert screen.count("high · iraq") == 1
        for words in (
            "Thabet al-Abbasi",
            "ثابت العباسي",
            "أوستن",
            "Defence minister and Americans",
            "https://news.example.net/",
        ):
            assert words in screen
        for hit in ("ثابت العباسي", "لويد جيه أوستن", "وزير الدفاع"):
            assert f"**{hit}**" in screen
        for words in BELOW:
            assert words not in screen
            assert words not in "\n".join(service.raw_log)
        assert await service.stop(signal.SIGINT) == 0
        assert told(service) == screen


@pytest.fixture
def cut_off() -> Sequence[str]:
    """A command that runs what follows it with the loopback as its only network."""
    command = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network of its own can be made only where user namespaces are permitted, with unshare and ip")
    return command


async def test_without_a_network(tmp_path: Path, cut_off: Sequence[str]) -> None:
    """With nothing but this machine to be reached, the sample's alert comes all the same, and nobody complains."""
    async with running(copy_starter(tmp_path), through=cut_off) as service:
        await service.until(lambda at: "Lloyd Austin" in told(at), ALERT_WITHIN)
        assert [entry["event"] for entry in service.log] == ["listening", "started"]
        assert await service.stop() == 0


async def test_what_stands_below_is_on_record(tmp_path: Path) -> None:
    """Each name of the rest is suppressed with its reason in the journal, and counted in the metrics."""
    folder = copy_starter(tmp_path)
    async with running(folder) as service:
        await service.until(lambda at: "Lloyd Austin" in told(at), ALERT_WITHIN)
        journal = await json_lines(folder, "alerts", "list", "--json")
        findings = [
            entry for entry in journal if entry.get("kind") == "outcome" or entry.get("outcome") in {"told", "suppressed"}
        ]
        outcomes = {entry.get("actor") or entry.get("rule"): (entry["outcome"], entry["reason"]) for entry in findings}
        assert outcomes["thabet-al-abbasi"][0] == outcomes["lloyd-austin"][0] == "told"
        assert outcomes["defence-minister-american"][0] == "told"
        below = ("nawaf-salam", "joseph-aoun", "najib-mikati", "abdullah-bin-zayed", "greek-defence-minister")
        for actor in (*below, "mohammed-shia-al-sudani"):
            assert outcomes[actor] == ("suppressed", "zone")
        metrics = await service.metrics()
        assert metrics['rasid_findings_total{desk="iraq",outcome="suppressed",reason="zone"}'] == 6
        assert metrics['rasid_findings_total{desk="iraq",outcome="told",reason="new_story"}'] == 3
        assert await service.stop() == 0


async def test_a_second_start_does_not_tell_the_story_again(tmp_path: Path) -> None:
    """A story is told once, whatever restarts: the sample is read again, and known."""
    folder = copy_starter(tmp_path)
    often = {"RASID_POLLING__MIN_INTERVAL": "1s", "RASID_FEEDS__0__INTERVAL": "1s"}
    async with running(folder, **often) as service:
        await service.until(lambda at: "Lloyd Austin" in told(at), ALERT_WITHIN)
        assert await service.stop() == 0
    sample = folder / "seeds" / "sample-feed.xml"
    sample.write_text(sample.read_text("utf-8") + "\n", encoding="utf-8")
    async with running(folder, "--debug", **often) as service:
        await service.event("polled", outcome="ok")
        await service.event("polled", outcome="not_modified")
        assert (await service.get("/readyz"))[0] == 200
        assert await service.stop() == 0
        assert told(service) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it within 10 s with exit 0, whenever they come."""
    folder = copy_starter(tmp_path)
    async with running(folder) as service:
        await service.event("listening")
        assert await service.stop(number) == 0


async def test_alive_and_ready(tmp_path: Path) -> None:
    """/healthz and /readyz answer 200 on a healthy service."""
    folder = copy_starter(tmp_path)
    async with running(folder) as service:
        await service.event("started")
        assert (await service.get("/healthz"))[0] == 200
        assert (await service.get("/readyz"))[0] == 200


async def test_check_is_content_with_what_is_shipped(tmp_path: Path) -> None:
    """The configuration, feeds and watchlists as they are shipped are free of mistakes, and their tests pass."""
    code, out, err = await command(copy_starter(tmp_path), "check")
    assert code == 0, err
    assert '"level":"summary"' in out
