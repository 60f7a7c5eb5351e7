"""Alerts delivered for real by every channel of one service, also by those that were away; secrets are written nowhere."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from standardwebhooks.webhooks import Webhook as Reference

from tests.e2e.desk import HIT, feeds, install, text
from tests.e2e.service import Service, command, json_lines, running
from tests.servers.certificates import Authority
from tests.servers.feeds import FeedServer, RssItem, feed_server, rss
from tests.servers.hooks import HookServer, Say
from tests.servers.smtp import MailServer

CANARY: Final = "canary-7d2e"
WHSEC: Final = "whsec_" + base64.b64encode(CANARY.encode() * 3).decode()
RECEIVERS: Final = ("screen", "slack", "mail", "hook")


@dataclass
class Sinks:
    """Where the service's receivers lead."""

    authority: Authority
    feeds: FeedServer
    slack: HookServer
    mail: MailServer

    def publish(self, *names: str) -> None:
        self.feeds.publish("/feed", rss([RssItem(guid=name, title=name, description=text(name)) for name in names]))


@pytest.fixture
async def sinks() -> AsyncIterator[Sinks]:
    authority = Authority()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield Sinks(
            authority,
            await enter(feed_server()),
            await enter(HookServer(authority.server())),
            await enter(MailServer(authority.server(), login=("rasid", CANARY))),
        )


async def free_port() -> int:
    """A port that nobody listens on now."""
    async with HookServer() as server:
        return server.port


def receivers(sinks: Sinks, hook: int) -> list[Mapping[str, Any]]:
    smtp = {"host": "127.0.0.1", "port": sinks.mail.port, "username": "rasid", "password": "${MAIL}", "ca_file": "ca.pem"}
    hook_url = f"https://127.0.0.1:{hook}/rasid?token=${{TOKEN}}"
    return [
        {"name": "screen", "console": {}},
        {"name": "slack", "slack": {"webhook_url": "${SLACK}", "ca_file": "ca.pem"}},
        {"name": "mail", "mail": {"to": ["desk@example.org"], "from": "rasid@example.org", "smtp": smtp}},
        {"name": "hook", "webhook": {"url": hook_url, "secret": "file:hook-secret", "ca_file": "ca.pem"}},
    ]


def environ(sinks: Sinks) -> dict[str, str]:
    return {"SLACK": f"{sinks.slack.url}/services/{CANARY}", "MAIL": CANARY, "TOKEN": CANARY}


def prepare(folder: Path, sinks: Sinks, hook: int) -> None:
    sinks.authority.write(folder / "ca.pem")
    (folder / "hook-secret").write_text(WHSEC + "\n")
    everyone = [{"receiver": name, "continue": True} for name in RECEIVERS]
    config = {"receivers": receivers(sinks, hook), "route": {"receiver": "screen", "routes": everyone}}
    install(folder, feeds=feeds({"only": sinks.feeds.url()}), polling={"first_fetch": "alert"}, **config)


async def delivered(service: Service, **counts: int) -> None:
    """Wait until the metrics count so many deliveries by channel: only then have they been committed."""
    wanted = {f'rasid_messages_total{{channel="{channel}",outcome="delivered"}}': count for channel, count in counts.items()}
    metrics: Mapping[str, float] = {}
    try:
        async with asyncio.timeout(30):
            while any(metrics.get(name, 0) < count for name, count in wanted.items()):
                metrics = await service.metrics()
    except TimeoutError:
        raise AssertionError(f"not delivered: {wanted}\n{service.told()}") from None


async def test_every_receiver_gets_its_alert(tmp_path: Path, sinks: Sinks) -> None:
    """Console, Slack, mail and webhook each get the alert, once, whoever was away, also over a kill -9; secrets stay secret."""
    hook_port, written = await free_port(), list[str]()
    prepare(tmp_path, sinks, hook_port)
    sinks.publish("First story")
    async with running(tmp_path, **environ(sinks)) as service:
        await service.event("message_not_delivered", receiver="hook", reason="unreachable")
        await delivered(service, console=1, slack=1, mail=1)
        written += [service.told(), (await service.get("/metrics"))[1]]
        await service.kill()
    async with HookServer(sinks.authority.server(), port=hook_port) as hook, running(tmp_path, **environ(sinks)) as service:
        await delivered(service, webhook=1)
        assert service.out == []
        sinks.slack.script(Say(503, CANARY), Say(drop=True))
        sinks.mail.answers["RCPT"] = [f"451 {CANARY} later"]
        hook.script(Say(500, CANARY))
        sinks.publish("Second story", "First story")
        await delivered(service, console=1, slack=1, mail=1, webhook=2)
        written += [(await service.get("/metrics"))[1]]
        code, out, err = await command(tmp_path, "send-test", "hook", **environ(sinks))
        assert code == 0, err
        written += [out, err, *await journal(tmp_path, environ(sinks))]
        assert await service.stop() == 0
        written += [service.told()]
        assert "\n".join(service.out).count("Second story") >= 1
    _slack_got_block_kit(sinks.slack)
    _mail_came_by_starttls(sinks.mail)
    _hook_is_signed(hook)
    _secrets_stay_secret(written, tmp_path)


async def journal(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """The journal as it is printed, after a look at what it says of deliveries."""
    entries = await json_lines(folder, "alerts", "list", **environ)
    sent = [entry for entry in entries if entry["kind"] == "delivery"]
    for receiver in RECEIVERS:
        arrived = [entry["headline"] for entry in sent if entry["receiver"] == receiver and entry["outcome"] == "delivered"]
        assert arrived == ["First story", "Second story"]
    tried = {(entry["receiver"], entry["reason"]) for entry in sent if entry["outcome"] == "retry"}
    assert {("hook", "unreachable"), ("hook", "server_error"), ("slack", "server_error"), ("slack", "answer_lost")} <= tried
    return [orjson.dumps(entry).decode() for entry in entries]


def _slack_got_block_kit(slack: HookServer) -> None:
    """The first story once; the second with its hit in bold, after two attempts that failed."""
    payloads = [orjson.loads(posted.body) for posted in slack.posted]
    assert ["First" in payload["text"] for payload in payloads] == [True, False, False, False]
    quote = payloads[0]["blocks"][2]["elements"][0]
    assert quote["type"] == "rich_text_quote"
    assert {"type": "text", "text": HIT, "style": {"bold": True}} in quote["elements"]


def _mail_came_by_starttls(mail: MailServer) -> None:
    """One letter a story; the server takes none without STARTTLS and a login."""
    subjects = [letter["Subject"] for _, letter in mail.letters]
    assert subjects == ["[coast] high: First story", "[coast] high: Second story"]


def _hook_is_signed(hook: HookServer) -> None:
    """The reference library verifies each; repeats carry one id."""
    events = [Reference(WHSEC).verify(posted.body, dict(posted.headers)) for posted in hook.posted]
    headlines = [event["data"]["headline"] for event in events]
    assert headlines[:3] == ["First story", "Second story", "Second story"]
    assert events[1]["id"] == events[2]["id"]
    assert events[3]["data"]["sample"]


def _secrets_stay_secret(written: list[str], folder: Path) -> None:
    """No secret in anything that was printed, logged, counted, or kept on the bus, in full or as it was configured."""
    kept = b"".join(path.read_bytes() for path in (folder / "data").iterdir())
    assert b"First story" in kept
    for secret in (CANARY, WHSEC, WHSEC.removeprefix("whsec_")):
        assert not [text for text in written if secret in text]
        assert secret.encode() not in kept
