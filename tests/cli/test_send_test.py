"""`rasid send-test`: a real sample, an honest answer, the right exit code."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.cli.main import main
from tests.servers.hooks import HookServer, Say


class Hooks:
    """A hook server on a loop of its own: the command runs one itself."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = HookServer()
        asyncio.run_coroutine_threadsafe(self.server.__aenter__(), self.loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.__aexit__(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    hooks = Hooks()
    yield hooks.server
    hooks.close()


def config(folder: Path, url: str) -> str:
    path = folder / "config.yaml"
    path.write_text(
        "receivers:\n"
        f"  - {{name: both, console: {{}}, slack: {{webhook_url: '{url}'}}}}\n"
        "  - {name: screen, console: {}}\n"
        "route: {receiver: screen}\n"
    )
    return str(path)


def test_sends_through_every_channel(tmp_path: Path, hooks: HookServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Every channel gets a sample in two scripts; piped, the answers are JSON lines and nothing else."""
    assert main(["send-test", "both", "--config", config(tmp_path, hooks.url)]) == 0
    out, err = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [(answer["channel"], answer["outcome"]) for answer in answers] == [("console", "delivered"), ("slack", "delivered")]
    assert "sample" in err
    assert "راصد" in hooks.posted[0].body.decode()


def test_a_refusal_is_told(tmp_path: Path, hooks: HookServer, capsys: pytest.CaptureFixture[str]) -> None:
    """When a channel refuses, its reason is printed and the exit code is 1."""
    hooks.script(Say(404, "no_service"))
    assert main(["send-test", "both", "--config", config(tmp_path, hooks.url)]) == 1
    refusal = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (refusal["outcome"], refusal["reason"], refusal["detail"]) == ("dead", "gone", "HTTP 404 no_service")


def test_an_unknown_receiver_is_named_with_the_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A receiver that is not configured: exit 2, and the names that are."""
    assert main(["send-test", "nobody", "--config", config(tmp_path, "http://127.0.0.1:1")]) == 2
    assert "there are: both, screen" in capsys.readouterr().err
