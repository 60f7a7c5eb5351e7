"""The webhook channel: signed, verified by the reference library, answered in every way."""

from collections.abc import AsyncIterator
from importlib.metadata import version

import aiohttp
import orjson
import pytest
from standardwebhooks.webhooks import Webhook as Reference

from alerts.channels.base import SendReason
from alerts.channels.webhook import Webhook, cloud_event
from daemon.clock import WallClock
from daemon.config.receivers import read_keys
from daemon.messages.alert import Delivery
from daemon.messages.article import Moment
from tests.alerts.samples import message, summary
from tests.servers.certificates import Authority
from tests.servers.hooks import HookServer, Say

OLD = "whsec_b2xkLXNlY3JldC1jYW5hcnk="
NEW = "whsec_bmV3LXNlY3JldC1jYW5hcnk="


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_reference_library_verifies_it(session: aiohttp.ClientSession) -> None:
    """While secrets rotate, receivers holding either one verify the message, over TLS."""
    authority = Authority()
    async with HookServer(authority.server()) as server:
        hook = Webhook(server.url, session, WallClock(), keys=read_keys(f"{NEW} {OLD}"), tls=authority.client())
        answer = await hook.send(message(), "m1.1")
        posted = server.posted[0]
    assert answer.outcome is Delivery.DELIVERED
    for secret in (OLD, NEW):
        event = Reference(secret).verify(posted.body, dict(posted.headers))
        assert (event["specversion"], event["id"], event["type"]) == ("1.0", "m1.1", "rasid.alert.told")
    assert posted.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert posted.headers["webhook-id"] == "m1.1"


async def test_repeats_carry_the_same_body(session: aiohttp.ClientSession) -> None:
    """A repeat has the same id and bytes, so that the receiver can drop it."""
    async with HookServer() as server:
        hook = Webhook(server.url, session, WallClock())
        await hook.send(message(), "m1.1")
        await hook.send(message(), "m1.1")
        first, second = server.posted
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert "webhook-signature" not in first.headers


def test_the_body_is_data_not_markup() -> None:
    """Evidence comes as pieces with their hits, times as RFC 3339, unknown ones as null."""
    data = cloud_event(message(published=Moment()), "k")["data"]
    assert {"text": "ثابت العباسي", "hit": True} in data["evidence"][0]
    assert (data["published"], data["found"]) == (None, "2023-08-08T09:26:00Z")
    assert orjson.loads(orjson.dumps(data)) == data


def test_a_summary_is_an_event_of_its_own() -> None:
    """A summary's stories come as data, each with what hit it; those not named as a count."""
    event = cloud_event(summary(), "k")
    assert event["type"] == "rasid.alert.summary"
    assert event["data"]["more_stories"] == 7
    assert event["data"]["stories"][1] == {
        "story": "s2",
        "severity": "low",
        "headline": "Minister arrives",
        "url": "https://news.example.org/2",
        "language": "en",
        "source": "",
        "findings": [{"actor": "al-abbasi", "rule": "", "name": "ثابت العباسي", "severity": "low"}],
    }


@pytest.mark.parametrize(
    ("say", "outcome", "reason", "after"),
    [
        (Say(200), Delivery.DELIVERED, SendReason.ACCEPTED, None),
        (Say(204, ""), Delivery.DELIVERED, SendReason.ACCEPTED, None),
        (Say(410), Delivery.DEAD, SendReason.GONE, None),
        (Say(400), Delivery.DEAD, SendReason.REFUSED, None),
        (Say(422), Delivery.DEAD, SendReason.REFUSED, None),
        (Say(401), Delivery.RETRY, SendReason.UNEXPECTED_ANSWER, None),
        (Say(404), Delivery.RETRY, SendReason.UNEXPECTED_ANSWER, None),
        (Say(308, "", {"Location": "/x"}), Delivery.RETRY, SendReason.UNEXPECTED_ANSWER, None),
        (Say(429, "", {"Retry-After": "7"}), Delivery.RETRY, SendReason.RATE_LIMITED, 7.0),
        (Say(503, "", {"Retry-After": "9"}), Delivery.RETRY, SendReason.SERVER_ERROR, 9.0),
    ],
)
async def test_every_status_is_classified(
    session: aiohttp.ClientSession, say: Say, outcome: Delivery, reason: SendReason, after: float | None
) -> None:
    """2xx only is success, 410 and what blames the message are final, the rest is tried again; no redirect is followed."""
    async with HookServer() as server:
        server.script(say)
        answer = await Webhook(server.url, session, WallClock()).send(message(), "k")
        assert len(server.posted) == 1
    assert (answer.outcome, answer.reason, answer.after) == (outcome, reason, after)


@pytest.mark.parametrize("secret", ["", "plain", "whsec_", "whsec_???", "whsec_YQ==" * 2, "whsec_YQ== whsec_Yg== whsec_Yw=="])
def test_unusable_secrets_are_refused_unseen(secret: str) -> None:
    """A secret that cannot be used is refused in a sentence that does not show it."""
    with pytest.raises(ValueError, match="secret") as caught:
        read_keys(secret)
    assert "???" not in str(caught.value)


async def test_it_introduces_itself(session: aiohttp.ClientSession) -> None:
    """Who reads the server's log sees who called, and which version of it."""
    async with HookServer() as server:
        await Webhook(server.url, session, WallClock()).send(message(), "m1.1")
        assert server.posted[0].headers["user-agent"] == f"Rasid/{version('rasid')}"
