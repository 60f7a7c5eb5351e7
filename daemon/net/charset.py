"""Bytes of feeds and pages to text (feeds 18): the only place that decides on a charset. Never raises.

BOM ─ UTF-16 pattern ─ valid UTF-8 ─ HTTP's label ─ document's label ─ nearly valid UTF-8 ─ detector ─▶ Decoded
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from charset_normalizer import from_bytes

from daemon.net.labels import charset_of
from daemon.net.letters import likeness


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, the codec that gave it, how that was found, and how many characters could not be read (U+FFFD now).

    `how`: `bom`, `pattern`, `utf-8` (valid), `http`, `document`, `utf-8 repaired`, `language`, `detector`, `fallback`.
    """

    text: str
    charset: str
    how: str
    bad: int = 0


_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PATTERN: Final = re.compile(rb"\s{0,8}(?:(<\0[\w?!]\0)|(\0<\0[\w?!])|(<\0\0\0)|(\0\0\0<))")
_PATTERNS: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_HTTP: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_DOCUMENT: Final = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)|<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE
)
_BEYOND: Final = re.compile(rb"[\x80-\xff]")
_HEAD: Final = 1024
_TOLERATED: Final = 0.02
_ESCAPE: Final = b"\x1b"
_SAMPLE: Final = 16_384

_OF_LANGUAGE: Final = {
    "ar": ("cp1256", "iso8859-6"),
    "fa": ("cp1256",),
    "ur": ("cp1256",),
    "he": ("cp1255", "iso8859-8"),
    "ru": ("cp1251", "koi8-r", "iso8859-5"),
    "uk": ("cp1251", "koi8-u"),
    "bg": ("cp1251",),
    "el": ("cp1253", "iso8859-7"),
    "tr": ("cp1254",),
    "zh": ("gb18030", "big5hkscs"),
    "ja": ("cp932", "euc_jp"),
    "ko": ("cp949",),
    "th": ("cp874",),
    "vi": ("cp1258",),
    "pl": ("cp1250", "iso8859-2"),
    "cs": ("cp1250", "iso8859-2"),
    "hu": ("cp1250", "iso8859-2"),
    "ro": ("cp1250", "iso8859-2"),
}
_SURE: Final = 0.9
"""Share of the letters beyond ASCII that must be of the language's script before its charset is taken."""


def decode(raw: bytes, *, content_type: str, language: str) -> Decoded:
    """The text of `raw`, given HTTP's Content-Type and the feed's language (both may be empty)."""
    for bom, charset in _BOMS:
        if raw.startswith(bom):
            return _replacing(raw[len(bom) :], charset, "bom")
    pattern = _PATTERN.match(raw)
    if pattern and pattern.lastindex:
        return _replacing(raw, _PATTERNS[pattern.lastindex - 1], "pattern")
    labels = tuple(_labels(raw, content_type))
    if _ESCAPE not in raw or all(charset != "iso2022_jp" for charset, _ in labels):
        whole = _strictly(raw, "utf-8", "utf-8")
        if whole:
            return whole
    for charset, how in labels:
        read = _strictly(raw, charset, how)
        if read:
            return read
    return _nearly_utf8(raw) or _detected(raw, language[:2].lower()) or _replacing(raw, "cp1252", "fallback")


def _labels(raw: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    http = _HTTP.search(content_type)
    document = _DOCUMENT.search(raw[:_HEAD])
    said = document and (document[1] or document[2]).decode("ascii", "replace")
    for label, how in ((http and http[1], "http"), (said, "document")):
        charset = charset_of(label) if label else None
        if charset:
            yield charset, how


def _strictly(raw: bytes, charset: str, how: str) -> Decoded | None:
    try:
        return Decoded(raw.decode(charset), charset, how)
    except UnicodeError:
        return None


def _replacing(raw: bytes, charset: str, how: str) -> Decoded:
    text = raw.decode(charset, "replace")
    return Decoded(text, charset, how, text.count("\ufffd"))


def _nearly_utf8(raw: bytes) -> Decoded | None:
    """UTF-8 with a few broken characters: under 2 % of those beyond ASCII, or up to three among thrice as many good ones."""
    text = raw.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    if bad < _TOLERATED * (good + bad) or (bad <= 3 and good >= 3 * bad):
        return Decoded(text, "utf-8", "utf-8 repaired", bad)
    return None


def _detected(raw: bytes, language: str) -> Decoded | None:
    """By the feed's language where its letters come out, else by charset-normalizer on a sample."""
    first = _BEYOND.search(raw)
    sample = raw[first.start() :][:_SAMPLE] if first else raw[:_SAMPLE]
    tries = [(likeness(sample.decode(charset, "replace"), language), charset) for charset in _OF_LANGUAGE.get(language, ())]
    best, charset = max(tries, key=itemgetter(0), default=(0.0, ""))
    if best >= _SURE:
        return _replacing(raw, charset, "language")
    found = from_bytes(sample).best()
    guessed = charset_of(found.encoding) if found else None
    return _replacing(raw, guessed, "detector") if guessed else None
