"""The Slack channel, against a server that answers as Slack's hooks do."""

from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.base import SendReason
from alerts.channels.slack import SlackWebhook, payload
from alerts.render import render
from daemon.clock import WallClock
from daemon.messages.alert import Delivery, Evidence, FindingCard, Message, StoryLine
from daemon.messages.article import Language, Source
from daemon.messages.match import Severity
from tests.alerts.samples import HOSTILE, hostile, hostile_summary, message, story, summary
from tests.servers.certificates import Authority
from tests.servers.hooks import HookServer, Say

SECRET = "/services/T000/B000/canary-7f3a"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def texts(node: Any, kind: str = "text") -> list[str]:
    """Every string under a key of that name, however deep."""
    if isinstance(node, list):
        return [text for child in node for text in texts(child, kind)]
    if not isinstance(node, dict):
        return []
    own = [node[kind]] if isinstance(node.get(kind), str) else []
    return own + [text for child in node.values() for text in texts(child, kind)]


async def test_delivers_blocks(session: aiohttp.ClientSession) -> None:
    """A message arrives as Block Kit with a bold hit, a linked headline, no unfurling and a preview."""
    async with HookServer() as server:
        answer = await SlackWebhook(server.url + SECRET, session, WallClock()).send(message(), "k")
        body = orjson.loads(server.posted[0].body)
    assert answer.outcome is Delivery.DELIVERED
    assert body["text"] == "🔴 high · iraq: وزير الدفاع يلتقي نظيره الأمريكي"
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert [block["type"] for block in body["blocks"]] == ["context", "rich_text", "rich_text", "context", "context"]
    assert {"type": "text", "text": "ثابت العباسي", "style": {"bold": True}} in body["blocks"][2]["elements"][0]["elements"]
    assert texts(body, "url") == ["https://news.example.org/a?b=1&c=2"]


async def test_speaks_tls_with_a_private_authority(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    """`ca_file` makes a private authority trusted; without it the same server is refused and tried again."""
    authority = Authority()
    async with HookServer(authority.server()) as server:
        trusting = await SlackWebhook(server.url, session, WallClock(), tls=authority.client()).send(message(), "k")
        wary = await SlackWebhook(server.url, session, WallClock()).send(message(), "k")
    assert trusting.outcome is Delivery.DELIVERED
    assert (wary.outcome, wary.reason) == (Delivery.RETRY, SendReason.TLS)


@pytest.mark.parametrize(
    ("say", "outcome", "reason", "after", "doubtful"),
    [
        (Say(429, "ratelimited", {"Retry-After": "30"}), Delivery.RETRY, SendReason.RATE_LIMITED, 30.0, False),
        (Say(429, ""), Delivery.RETRY, SendReason.RATE_LIMITED, None, False),
        (Say(500, "rollup_error"), Delivery.RETRY, SendReason.SERVER_ERROR, None, False),
        (Say(503, "", {"Retry-After": "soon"}), Delivery.RETRY, SendReason.SERVER_ERROR, None, False),
        (Say(400, "invalid_payload"), Delivery.DEAD, SendReason.REFUSED, None, False),
        (Say(403, "action_prohibited"), Delivery.DEAD, SendReason.REFUSED, None, False),
        (Say(404, "no_service"), Delivery.DEAD, SendReason.GONE, None, False),
        (Say(410, "channel_is_archived"), Delivery.DEAD, SendReason.GONE, None, False),
        (Say(302, "", {"Location": "/elsewhere"}), Delivery.RETRY, SendReason.UNEXPECTED_ANSWER, None, False),
        (Say(200, '{"ok":true}'), Delivery.DELIVERED, SendReason.ACCEPTED, None, False),
        (Say(200, '{"ok":false,"error":"ratelimited"}'), Delivery.RETRY, SendReason.SERVER_ERROR, None, False),
        (Say(200, '{"ok":false,"error":"invalid_blocks"}'), Delivery.DEAD, SendReason.REFUSED, None, False),
        (Say(200, "<html>Sign in to the network</html>"), Delivery.RETRY, SendReason.UNEXPECTED_ANSWER, None, True),
        (Say(drop=True), Delivery.RETRY, SendReason.ANSWER_LOST, None, True),
    ],
)
async def test_every_answer_is_classified(
    session: aiohttp.ClientSession, say: Say, outcome: Delivery, reason: SendReason, after: float | None, *, doubtful: bool
) -> None:
    """Each answer of Slack's means delivered, try again, or dead; one request each, redirects not followed."""
    async with HookServer() as server:
        server.script(say)
        answer = await SlackWebhook(server.url + SECRET, session, WallClock()).send(message(), "k")
        assert len(server.posted) == 1
    assert (answer.outcome, answer.reason, answer.after, answer.doubtful) == (outcome, reason, after, doubtful)
    assert "canary" not in repr(answer)


async def test_nobody_there_is_tried_again(session: aiohttp.ClientSession) -> None:
    """A refused connection leaves no doubt and shows no address."""
    async with HookServer() as server:
        url = server.url + SECRET
    answer = await SlackWebhook(url, session, WallClock()).send(message(), "k")
    assert (answer.outcome, answer.reason, answer.doubtful) == (Delivery.RETRY, SendReason.UNREACHABLE, False)
    assert "canary" not in repr(answer)


@pytest.mark.parametrize("build", [hostile, hostile_summary])
@pytest.mark.parametrize("text", HOSTILE)
def test_feeds_cannot_mention_or_format(text: str, build: Callable[[str], Message]) -> None:
    """No text of a feed's pings a channel, makes a link, or hides direction marks."""
    body = payload(render(build(text)))
    raw = orjson.dumps(body).decode()
    assert "<!" not in raw
    assert "<@" not in raw
    assert "<" not in body["text"]
    assert ">" not in body["text"]
    said = "".join(text.removesuffix("\n") for text in texts(body))
    assert not set(said) & set("\r\n\x00\x1b\u202e\u202c\u2066\u200f")
    assert all(url.startswith("https://news.example.org/") for url in texts(body, "url"))
    assert not any(char in url for url in texts(body, "url") for char in "<>| ")


wild = st.text(max_size=50).flatmap(lambda text: st.integers(0, 400).map(lambda times: text * times))


@given(headline=wild, sentence=wild, name=wild, count=st.integers(0, 60))
def test_any_message_fits_slacks_limits(headline: str, sentence: str, name: str, count: int) -> None:
    """50 blocks, 10 elements a context, 3,000 characters a text, 12,000 in all: for every size of input."""
    card = FindingCard(actor="a", name=name, severity=Severity.LOW)
    quote = Evidence(text=sentence, marks=((0, len(sentence) // 2),))
    url = "https://example.org/" + name
    parts = render(
        message(
            headline=headline, url=url, source=Source(name=name), desk=name, evidence=(quote,) * count, findings=(card,) * count
        )
    )
    within_limits(payload(parts))


def within_limits(body: dict[str, Any]) -> None:
    """Slack's: 50 blocks, 10 elements a context, 3,000 characters a text, 12,000 in all."""
    assert len(body["blocks"]) <= 50
    assert all(len(block["elements"]) <= 10 for block in body["blocks"])
    assert all(0 < len(text) <= 3000 for text in texts(body) + texts(body, "url"))
    assert len(orjson.dumps(body).decode()) <= 12000


lines = st.builds(
    story,
    st.integers(0, 9),
    headline=wild,
    url=st.just("") | wild.map("https://example.org/{}".format),
    source=st.builds(Source, name=wild),
    language=st.builds(Language, tag=wild),
    severity=st.sampled_from(Severity),
    findings=st.lists(st.builds(FindingCard, rule=st.just("r"), name=wild, severity=st.just(Severity.LOW)), max_size=6).map(
        tuple
    ),
)


@given(st.lists(lines, min_size=2, max_size=4), st.integers(1, 50), st.integers(0, 9), wild)
def test_any_summary_fits_slacks_limits(drawn: list[StoryLine], count: int, more: int, headline: str) -> None:
    """Up to 50 stories of any text: one line a story, as many as fit, the others counted, none lost."""
    stories = (drawn * 25)[: max(2, count)]
    body = payload(render(summary(*stories, headline=headline, more_stories=more)))
    within_limits(body)
    *named, last = "".join(texts(body["blocks"][2])).split("\n")
    left = len(stories) + more - len(named)
    assert last == (f"and {left} more" if left else "")
    assert all(line.startswith(("🔴 ", "🟡 ", "⚪ ")) for line in named)


def test_a_summary_of_fifty_stories_names_most() -> None:
    """Fifty headlines of a usual length with their links nearly all have room; each is linked."""
    stories = [
        story(number, headline=f"{number} " + "وزير " * 12, url=f"https://news.example.org/{number}") for number in range(50)
    ]
    body = payload(render(summary(*stories, more_stories=0)))
    section = body["blocks"][2]["elements"][0]["elements"]
    assert section[:3] == [
        {"type": "text", "text": "🔴 "},
        {"type": "link", "text": f"\u2068{stories[0].headline.strip()}\u2069", "url": "https://news.example.org/0"},
        {"type": "text", "text": " · Thabet al-Abbasi, rule iraq-us-defence · INA · ar\n"},
    ]
    assert len(texts(section, "url")) >= 35


async def test_it_introduces_itself(session: aiohttp.ClientSession) -> None:
    """Who reads the server's log sees who called, and which version of it."""
    async with HookServer() as server:
        await SlackWebhook(server.url, session, WallClock()).send(message(), "m1.1")
        assert server.posted[0].headers["user-agent"] == f"Rasid/{version('rasid')}"
