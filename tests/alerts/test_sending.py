"""Attempts for real: durable rows, real servers, and no secret in anything that is written down."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from structlog.testing import capture_logs

from alerts.channels.base import Answer, Channel, SendReason, delivered
from alerts.channels.build import Outside, build_channels, channel_names
from alerts.sending import Job, SendWorker
from daemon.clock import WallClock
from daemon.config.models import Receiver
from daemon.errors import ConfigError
from daemon.messages.alert import Delivery, Message
from tests.alerts.bench import Bench
from tests.alerts.samples import message
from tests.servers.certificates import Authority
from tests.servers.hooks import HookServer, Say
from tests.servers.smtp import DROP, MailServer

CANARY = "canary-41f7"
WHSEC = "whsec_Y2FuYXJ5LTQxZjc="


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    async with aiohttp.ClientSession() as session:
        yield Outside(session, io.StringIO(), WallClock(), tmp_path)


def receivers(hooks: HookServer, mail: MailServer, ca_file: Path) -> list[Receiver]:
    """One receiver with every channel there is, secrets in all of them."""
    smtp = {"host": "127.0.0.1", "port": mail.port, "username": "rasid", "password": CANARY, "ca_file": str(ca_file)}
    everything = {
        "name": "desk",
        "console": {},
        "slack": {"webhook_url": f"{hooks.url}/services/{CANARY}", "ca_file": str(ca_file)},
        "mail": {"to": ["a@example.org", "B <b@example.org>", "a@example.org"], "from": "rasid@example.org", "smtp": smtp},
        "webhook": {"url": f"{hooks.url}/hook?token={CANARY}", "secret": WHSEC, "ca_file": str(ca_file)},
    }
    return [Receiver.model_validate(everything)]


async def test_every_channel_delivers_through_every_fault(outside: Outside, tmp_path: Path) -> None:
    """Each channel delivers over TLS after 429, 5xx and lost answers; repeats are counted, secrets are written nowhere."""
    authority = Authority()
    ca_file = authority.write(tmp_path / "ca.pem").relative_to(tmp_path)
    async with (
        HookServer(authority.server()) as hooks,
        MailServer(authority.server(), login=("rasid", CANARY)) as mail,
    ):
        hooks.script(Say(429, CANARY, {"Retry-After": "30"}), Say(drop=True), Say(500, CANARY), Say(drop=True))
        mail.answers = {"RCPT": ["450 later"], "DATA": [DROP, "451 later"]}
        configured = receivers(hooks, mail, ca_file)
        bench = Bench(channel_names(configured))
        with capture_logs() as logs:
            bench.publish(message())
            worker = SendWorker(build_channels(configured, outside))
            await bench.serve(worker, lambda: len(bench.told(Delivery.DELIVERED)) == 5)
        letters = sorted(recipient for recipient, _ in mail.letters)
        assert len(hooks.posted) == 6
    doubts = bench.count("rasid_messages_doubtful_total")
    assert doubts == sum(sent.doubtful and sent.reason == "answer_lost" for sent in bench.journal) == 3
    assert set(letters) == {"a@example.org", "b@example.org"}
    assert len(letters) == 3
    assert CANARY not in f"{logs}{bench.journal}{bench.facts}{list(bench.rows.scan())}{configured}"


async def test_pending_messages_go_out_after_a_restart(outside: Outside) -> None:
    """What could not be sent stands in its row; another process with the same rows sends it, once."""
    async with HookServer() as hooks:
        hooks.script(Say(503))
        slack = Receiver.model_validate({"name": "desk", "slack": {"webhook_url": hooks.url}})
        bench = Bench(channel_names([slack]))
        bench.publish(message())
        worker = SendWorker(build_channels([slack], outside))
        await bench.serve(worker, lambda: bool(bench.journal))
        heir = Bench(channel_names([slack]), bench.now)
        heir.rows = bench.rows
        heir.publish(message())
        await heir.serve(worker, lambda: bool(heir.journal))
        heir.publish(message())
        assert len(hooks.posted) == 2
        assert not heir.flying
    assert [sent.outcome for sent in heir.journal] == [Delivery.DELIVERED]


class Broken:
    """A channel with a fault of ours."""

    async def send(self, message: Message, key: str) -> Answer:
        raise RuntimeError(f"https://hooks.example.org/{CANARY}")


class Deaf:
    """A channel that never ends."""

    async def send(self, message: Message, key: str) -> Answer:
        await asyncio.Event().wait()
        return delivered()


@pytest.mark.parametrize(
    ("channel", "reason"), [(Broken(), SendReason.INTERNAL), (Deaf(), SendReason.TIMED_OUT), (None, SendReason.NO_RECEIVER)]
)
async def test_a_channels_fault_is_an_answer(channel: Channel | None, reason: SendReason) -> None:
    """A channel that raises, hangs or is gone gives an answer in time, and its error's text is told nowhere."""
    channels = {} if channel is None else {("desk", "slack"): channel}
    with capture_logs() as logs:
        answer = await SendWorker(channels, longest=0.01)(Job(message=message(), channel="slack", key="k", attempt=1))
    assert answer.reason is reason
    assert CANARY not in f"{answer}{logs}"
    assert logs[0]["event"] == "message_not_delivered"


async def test_names_and_channels_agree(outside: Outside) -> None:
    """The sender's names and the worker's channels are the same set; a recipient named twice is served once."""
    mail = {"to": ["a@example.org", "A <a@example.org>"], "from": "r@example.org", "smtp": {"host": "127.0.0.1"}}
    both = Receiver.model_validate({"name": "desk", "console": {}, "mail": mail})
    names = channel_names([both])
    assert names == {"desk": ("console", "mail:a@example.org")}
    assert set(build_channels([both], outside)) == {("desk", name) for name in names["desk"]}


@pytest.mark.parametrize("text", [None, "not a certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(outside: Outside, tmp_path: Path, text: str | None) -> None:
    """A missing or broken `ca_file` is a configuration error that names file and receiver."""
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    hook = Receiver.model_validate({"name": "desk", "webhook": {"url": "https://127.0.0.1", "ca_file": "ca.pem"}})
    with pytest.raises(ConfigError, match=r"ca\.pem.*desk"):
        build_channels([hook], outside)


@pytest.mark.parametrize(
    "channel",
    [
        {"slack": {"webhook_url": CANARY}},
        {"slack": {"webhook_url": f"ftp://x/{CANARY}"}},
        {"webhook": {"url": "https://127.0.0.1", "secret": CANARY}},
        {"webhook": {"url": f"hooks.example.org/{CANARY}"}},
        {"mail": {"to": ["nobody"], "from": "r@example.org", "smtp": {"host": "x", "password": CANARY}}},
    ],
)
def test_unusable_settings_are_refused_unseen(channel: dict[str, object]) -> None:
    """A bad address or secret is refused when the configuration is read; the secret is not shown."""
    with pytest.raises(ValueError, match="validation error") as caught:
        Receiver.model_validate({"name": "desk", **channel})
    reasons = caught.value.errors(include_input=False, include_context=False)  # type: ignore[attr-defined] # pydantic's own
    assert CANARY not in str(reasons)


async def test_the_event_body_is_json_in_any_script(outside: Outside) -> None:
    """What the webhook gets is UTF-8 JSON with the texts as they are."""
    async with HookServer() as hooks:
        hook = Receiver.model_validate({"name": "desk", "webhook": {"url": hooks.url}})
        worker = SendWorker(build_channels([hook], outside))
        await worker(Job(message=message(), channel="webhook", key="k", attempt=1))
        assert orjson.loads(hooks.posted[0].body)["data"]["headline"] == message().headline
