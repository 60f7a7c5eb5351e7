"""Posts messages to the operator's own service: a CloudEvents 1.0 body, signed as Standard Webhooks says.

Sources: standardwebhooks.com (headers, `whsec_` secrets, 410), cloudevents.io 1.0 (structured JSON mode).
"""

import base64
import hmac
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import orjson

from alerts.channels.base import Answer, SendReason, dead, delivered, retry
from alerts.channels.http import Post, Reply, post, unwelcome
from alerts.render import render, render_story
from daemon.clock import Clock
from daemon.messages.alert import FindingCard, Message, StoryLine

_ABOUT_THE_MESSAGE: Final = frozenset({400, 413, 414, 415, 422, 431})


class Webhook:
    """One address. Two secrets sign twice, so that the receiver can rotate; none leaves the message unsigned."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        keys: Sequence[bytes] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys = tuple(keys)
        self._tls = tls

    async def send(self, message: Message, key: str) -> Answer:
        now = self._clock.now()
        body = orjson.dumps(cloud_event(message, key))
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": key,
            "webhook-timestamp": str(int(now)),
        }
        if self._keys:
            headers["webhook-signature"] = sign(self._keys, key, int(now), body)
        reply = await post(self._session, Post(self._url, body, headers, self._tls), now)
        return reply if isinstance(reply, Answer) else classify(reply)


def classify(reply: Reply) -> Answer:
    """2xx is success and 410 the end. What blames the message kills it; what blames the receiver is tried again."""
    detail = f"HTTP {reply.status}"
    if 200 <= reply.status < 300:
        return delivered(detail)
    if reply.status == 410:
        return dead(SendReason.GONE, detail)
    if reply.status in _ABOUT_THE_MESSAGE:
        return dead(SendReason.REFUSED, detail)
    return unwelcome(reply) or retry(SendReason.UNEXPECTED_ANSWER, detail, after=reply.after)


def sign(keys: Sequence[bytes], key: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,` signature a key."""
    signed = f"{key}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(secret, signed, sha256)).decode() for secret in keys)


def cloud_event(message: Message, key: str) -> dict[str, Any]:
    """The body: texts are text, never markup; the same bytes for every repeat of a version."""
    kind = "sample" if message.sample else "update" if message.update else "summary" if message.stories else "told"
    return {
        "specversion": "1.0",
        "id": key,
        "source": f"/rasid/desks/{quote(message.desk, safe='')}",
        "type": f"rasid.alert.{kind}",
        "subject": message.story or message.id,
        "time": _instant(message.found),
        "datacontenttype": "application/json",
        "data": _data(message),
    }


def _data(message: Message) -> dict[str, Any]:
    parts = render(message)
    return {
        "message": message.id,
        "version": message.version,
        "desk": message.desk,
        "receiver": message.receiver,
        "story": message.story,
        "severity": message.severity.value,
        "headline": parts.headline,
        "url": parts.link,
        "language": message.language.tag,
        "source": message.source.name,
        "published": _instant(message.published.at),
        "found": _instant(message.found),
        "evidence": [[{"text": piece.text, "hit": piece.hit} for piece in quote] for quote in parts.quotes],
        "findings": _findings(message.findings),
        "articles": list(message.articles),
        "copies": message.copies,
        "languages": list(message.languages),
        "update": message.update,
        "sample": message.sample,
        "stories": [_story(line) for line in message.stories],
        "more_stories": message.more_stories,
    }


def _findings(cards: Sequence[FindingCard]) -> list[dict[str, str]]:
    return [{"actor": card.actor, "rule": card.rule, "name": card.name, "severity": card.severity.value} for card in cards]


def _story(line: StoryLine) -> dict[str, Any]:
    part = render_story(line)
    return {
        "story": line.story,
        "severity": line.severity.value,
        "headline": part.headline,
        "url": part.link,
        "language": line.language.tag,
        "source": line.source.name,
        "findings": _findings(line.findings),
    }


def _instant(at: float | None) -> str | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None
