"""Posts messages to a Slack incoming webhook, as Block Kit within Slack's limits.

Feed texts stand in `rich_text` and `plain_text`, which are not parsed; in `text`, which is, `& < >` are escaped.
Sources: docs.slack.dev (incoming webhooks, blocks, formatting, rate limits).
"""

import re
import ssl
from typing import Any, Final

import aiohttp
import orjson

from alerts.channels.base import Answer, SendReason, dead, delivered, retry
from alerts.channels.http import Post, Reply, post, unwelcome
from alerts.quotes import Piece
from alerts.render import Rendered, StoryPart, and_more, render
from alerts.safe import in_line, isolate, shorten
from daemon.clock import Clock
from daemon.messages.alert import Message

MAX_CONTEXT: Final = 1000
MAX_MESSAGE: Final = 12_000
"""Characters of the whole body."""
_FOR_THE_COUNT: Final = 200
"""Room for what frames the stories, and for the count of those left out."""
_ERROR_WORD: Final = re.compile(r"[a-z][a-z_]{2,60}")
_PASSING: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_MENTION: Final = re.compile(r"<(?=[!@#])")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackWebhook:
    """One incoming webhook. Its address is the secret."""

    def __init__(self, url: str, session: aiohttp.ClientSession, clock: Clock, *, tls: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._tls = tls

    async def send(self, message: Message, key: str) -> Answer:  # noqa: ARG002 - an incoming webhook takes no key
        body = orjson.dumps(payload(render(message)))
        headers = {"content-type": "application/json; charset=utf-8"}
        reply = await post(self._session, Post(self._url, body, headers, self._tls), self._clock.now())
        return reply if isinstance(reply, Answer) else classify(reply)


def classify(reply: Reply) -> Answer:
    """Slack's answers: `ok`, a word that names the error, or (like its web API) 200 with `ok: false`."""
    passing = unwelcome(reply)
    if passing is not None:
        return passing
    word = reply.text.strip()
    detail = f"HTTP {reply.status}" + (f" {word}" if _ERROR_WORD.fullmatch(word) else "")
    if reply.status == 200:
        return delivered() if word == "ok" else _said_otherwise(word)
    if reply.status in {404, 410}:
        return dead(SendReason.GONE, detail)
    if 400 <= reply.status < 500:
        return dead(SendReason.REFUSED, detail)
    return retry(SendReason.UNEXPECTED_ANSWER, detail)


def _said_otherwise(body: str) -> Answer:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        return retry(SendReason.UNEXPECTED_ANSWER, "HTTP 200 without ok", doubtful=True)
    if said["ok"]:
        return delivered()
    error = str(said.get("error", ""))
    detail = error if _ERROR_WORD.fullmatch(error) else "ok: false"
    return retry(SendReason.SERVER_ERROR, detail) if error in _PASSING else dead(SendReason.REFUSED, detail)


def payload(parts: Rendered) -> dict[str, Any]:
    """The request's body: badge, headline with its link, stories, quotes, findings, origin; at most six blocks."""
    before = [_context(parts.badge), _rich(_section([_linked(parts.headline, parts.link, bold=True)]))]
    after = [_rich(*(_quote(quote) for quote in parts.quotes))] if parts.quotes else []
    after += [_context(in_line(line)) for line in (parts.findings, parts.origin) if line]
    preview = f"{parts.badge}: {parts.headline}".translate(_ESCAPES)
    body = {"text": preview, "blocks": [*before, *after], "unfurl_links": False, "unfurl_media": False}
    stories = _stories(parts, MAX_MESSAGE - _length(body)) if parts.stories else []
    return body | {"blocks": [*before, *stories, *after]}


def _stories(parts: Rendered, room: int) -> list[dict[str, Any]]:
    """As many stories as there is room for, a line each; the others are counted behind them."""
    room -= _FOR_THE_COUNT
    lines: list[dict[str, Any]] = []
    named = 0
    for story in parts.stories:
        line = _story(story)
        room -= _length(line)
        if room < 0:
            break
        lines += line
        named += 1
    left = and_more(parts.more_stories + len(parts.stories) - named)
    return [_rich(_section([*lines, *[{"type": "text", "text": left}] * bool(left)]))]


def _story(story: StoryPart) -> list[dict[str, Any]]:
    about = f" · {in_line(story.about)}" if story.about else ""
    return [
        {"type": "text", "text": f"{story.dot} "},
        _linked(isolate(story.headline), story.link),
        {"type": "text", "text": f"{inert(about)}\n"},
    ]


def _length(node: object) -> int:
    return len(orjson.dumps(node).decode())


def inert(text: str) -> str:
    """The same to the eye, with `<!channel>` and its kin broken by a word joiner in case anything parses it after all."""
    return _MENTION.sub("<\u2060", text)


def _context(text: str) -> dict[str, Any]:
    element = {"type": "plain_text", "text": inert(shorten(text, MAX_CONTEXT)), "emoji": False}
    return {"type": "context", "elements": [element]}


def _rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def _section(elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


def _linked(text: str, link: str, *, bold: bool = False) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": inert(text)}
    element |= {"type": "link", "url": link} if link else {}
    return element | {"style": {"bold": True}} if bold else element


def _quote(quote: tuple[Piece, ...]) -> dict[str, Any]:
    pieces = [Piece("❝ "), *quote, Piece(" ❞")]
    return {"type": "rich_text_quote", "elements": [_text(piece) for piece in pieces]}


def _text(piece: Piece) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "text", "text": inert(piece.text)}
    return element | {"style": {"bold": True}} if piece.hit else element
