"""Bytes of messages: one JSON object each, led by `kind` and version `v`; orjson writes, msgspec reads into types.

Readers tolerate unknown fields and fill in missing optional ones; a minor release only adds optional fields
(architecture.md, “Configuration”). Which decoder, and why: docs/decisions.md.
"""

from hashlib import blake2b
from typing import Any, Final, TypeAlias, get_args

import msgspec
import orjson

from daemon.errors import DecodeError
from daemon.messages.alert import Message, Outcome, Sent
from daemon.messages.article import Article, RawArticle, Withdrawal
from daemon.messages.command import PollNow
from daemon.messages.dead import DeadLetter
from daemon.messages.match import Match

AnyMessage: TypeAlias = RawArticle | Withdrawal | Article | Match | Message | Outcome | Sent | DeadLetter | PollNow

_VERSION: Final = 1
_KINDS: Final[dict[type[Any], str]] = {
    RawArticle: "raw_article",
    Withdrawal: "withdrawal",
    Article: "article",
    Match: "match",
    Message: "message",
    Outcome: "outcome",
    Sent: "sent",
    DeadLetter: "dead_letter",
    PollNow: "poll_now",
}


class _Head(msgspec.Struct):
    kind: str
    v: int


_HEAD: Final = msgspec.json.Decoder(_Head)
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {kind: msgspec.json.Decoder(cls) for cls, kind in _KINDS.items()}
_LEADS: Final = {cls: orjson.dumps({"kind": kind, "v": _VERSION})[:-1] + b"," for cls, kind in _KINDS.items()}

if set(_KINDS) != set(get_args(AnyMessage)):
    raise AssertionError("every message needs its kind")


def encode(message: AnyMessage) -> bytes:
    """The message's bytes. Texts must be valid Unicode (no lone surrogates): parsers see to that."""
    return _LEADS[type(message)] + orjson.dumps(message)[1:]


def decode(value: bytes | None) -> AnyMessage:
    """The message in `value`. Raises `DecodeError` for anything this version cannot read."""
    if value is None:
        raise DecodeError("a record without a value is not a message")
    try:
        head = _HEAD.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"not a message: {error}") from error
    if head.v != _VERSION:
        raise DecodeError(f"version {head.v} is not known to this version of Rasid; run a newer one", subject=head.kind)
    decoder = _DECODERS.get(head.kind)
    if decoder is None:
        raise DecodeError("a kind of message this version of Rasid does not know", subject=head.kind)
    try:
        decoded: AnyMessage = decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(str(error), subject=head.kind) from error
    return decoded


def make_id(*parts: str) -> str:
    """A stable 128-bit id of its parts, as 32 hex digits: article, match, story and message ids."""
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(joined, digest_size=16).hexdigest()


def article_id(match_key: str) -> str:
    """Of the match key of the article's URL, or of feed id and guid joined by U+001F where there is no usable URL."""
    return make_id("article", match_key)


def match_id(desk: str, article: str, revision: int) -> str:
    return make_id("match", desk, article, str(revision))
