"""A feed's bytes to items. Pure and picklable: it runs in a worker process. Any bytes end in items or in a reason.

bytes ─ decode ─┬─ JSON ─ jsonfeed ─────────────────┬─▶ Parsed
                └─ opening (the root) ─ xmlfeed ────┘
"""

from dataclasses import replace
from typing import Final

from daemon.feeds.parse.jsonfeed import read_json
from daemon.feeds.parse.parsed import Call, Parsed, Reason, counted
from daemon.feeds.parse.repair import opening
from daemon.feeds.parse.xmlfeed import read_xml
from daemon.net.charset import decode

PARSER_VERSION: Final = 2
"""Goes up when the same bytes would be read otherwise: hashes and validators kept from before then say nothing."""

_LARGEST: Final = 64_000_000
_NOTHING: Final = "\ufeff\0 \t\r\n"


def parse_feed(
    raw: bytes, *, content_type: str = "", url: str = "", language: str = "", known: frozenset[str] = frozenset(), now: float
) -> Parsed:
    """Read a feed of any format. `url` is the final one, for relative links; `known` the hashes of items to pass over.

    `language` is the feed's, as configured; empty: what the document says. `now` is what dates are judged against.
    """
    if len(raw) > _LARGEST:
        return Parsed(reason=Reason.TOO_LARGE)
    decoded = decode(raw, content_type=content_type, language=language)
    parsed = _read(decoded.text, Call(url=url, language=language, known=known, now=now))
    if decoded.bad:
        note = f"{counted(decoded.bad, 'character')} could not be read as {decoded.charset}"
        parsed = replace(parsed, notes=(note, *parsed.notes))
    return replace(parsed, charset=decoded.charset, charset_how=decoded.how)


def _read(text: str, call: Call) -> Parsed:
    text = text.lstrip(_NOTHING)
    if not text:
        return Parsed(reason=Reason.EMPTY)
    if text[0] in "{[":
        return read_json(text, call)
    opened = opening(text)
    if not opened.is_feed:
        return Parsed(reason=Reason.HTML if opened.is_html else Reason.NO_FEED)
    return read_xml(opened, call)
