"""Bytes of feeds and pages to text (feeds 18): the only place that decides on a charset. Never raises.

BOM ─ UTF-16 pattern ─ valid UTF-8 ─ HTTP's label ─ document's label ─ nearly valid UTF-8 ─ detector ─▶ Decoded
                                          └─ whose letters are not the language's: one whose letters are
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
_WIDE: Final = re.compile(r"[^\x00-\x7f]")
_TOGETHER: Final = re.compile(r"[^\x00-\x7f]{2,}")
_PLAIN: Final = re.compile(rb"\s{0,64}(?:<[?!A-Za-z]|[{\[]\s{0,8}[\"{\[])")
_JAPANESE: Final = re.compile(rb"\x1b\$[@B]")
_LANGUAGE: Final = re.compile(rb"<(?:dc:)?language>\s{0,8}([A-Za-z]{2})|\sxml:lang=[\"']([A-Za-z]{2})")
_HEAD: Final = 1024
_HEAD_OF_FEED: Final = 4096
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
_CERTAIN: Final = 0.95
_DOUBTFUL: Final = 0.9
_ENOUGH: Final = 10
"""To correct a label more must be certain: the share with the other charset, with the label's own, and letters to judge by."""
_LATIN: Final = frozenset({"tr", "pl", "cs", "hu", "ro", "vi"})


def decode(raw: bytes, *, content_type: str, language: str) -> Decoded:
    """The text of `raw`, given HTTP's Content-Type and the feed's language (both may be empty)."""
    for bom, charset in _BOMS:
        if raw.startswith(bom):
            raw = raw[len(bom) :]
            marked = _marked(raw, charset)
            if marked:
                return marked
            break
    pattern = _PATTERN.match(raw)
    if pattern and pattern.lastindex:
        return _replacing(raw, _PATTERNS[pattern.lastindex - 1], "pattern")
    labels = tuple(_labels(raw, content_type))
    if _ESCAPE in raw and _JAPANESE.search(raw):
        labels = (*(label for label in labels if label[0] == "iso2022_jp"), ("iso2022_jp", "pattern"), *labels)
    else:
        whole = _strictly(raw, "utf-8", "utf-8")
        if whole:
            return whole
    language = language[:2].lower() or _said_language(raw)
    for charset, how in labels:
        read = _strictly(raw, charset, how)
        if read:
            return _corrected(raw, charset, language) or read
    return _nearly_utf8(raw) or _detected(raw, language) or _replacing(raw, "cp1252", "fallback")


def _marked(raw: bytes, charset: str) -> Decoded | None:
    """What stood behind a BOM; None where the BOM lies: wide charsets do not begin with plain letters."""
    if charset == "utf-8":
        return _strictly(raw, charset, "bom") or _nearly_utf8(raw)
    return None if _PLAIN.match(raw) else _replacing(raw, charset, "bom")


def _labels(raw: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    http = _HTTP.search(content_type)
    document = _DOCUMENT.search(raw[:_HEAD])
    said = document and (document[1] or document[2]).decode("ascii", "replace")
    for label, how in ((http and http[1], "http"), (said, "document")):
        charset = charset_of(label) if label else None
        if charset:
            yield charset, how


def _said_language(raw: bytes) -> str:
    """The language that the document's head names; empty for none."""
    said = _LANGUAGE.search(raw[:_HEAD_OF_FEED])
    return (said[1] or said[2]).decode("ascii").lower() if said else ""


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


def _corrected(raw: bytes, labelled: str, language: str) -> Decoded | None:
    """By the language, where the charset of a label gives other letters than it is written with; bytes fit many charsets."""
    sample = _sample(raw)
    letters = likeness(sample.decode(labelled, "replace"), language)
    if letters >= _DOUBTFUL or language not in _OF_LANGUAGE or len(_BEYOND.findall(sample)) < _ENOUGH:
        return None
    best, charset = _of_language(sample, language)
    return _strictly(raw, charset, "language") if best >= _CERTAIN and _runs(sample, charset, language) else None


def _runs(sample: bytes, charset: str, language: str) -> bool:
    """Whether the letters make words: those beyond ASCII stand alone in the languages that are written in Latin."""
    if language in _LATIN:
        return True
    text = sample.decode(charset, "replace")
    return sum(map(len, _TOGETHER.findall(text))) >= _CERTAIN * len(_WIDE.findall(text))


def _of_language(sample: bytes, language: str) -> tuple[float, str]:
    """How well the best of the language's charsets fits, and which it is."""
    tries = [(likeness(sample.decode(charset, "replace"), language), charset) for charset in _OF_LANGUAGE.get(language, ())]
    return max(tries, key=itemgetter(0), default=(0.0, ""))


def _sample(raw: bytes) -> bytes:
    first = _BEYOND.search(raw)
    return raw[first.start() :][:_SAMPLE] if first else raw[:_SAMPLE]


def _detected(raw: bytes, language: str) -> Decoded | None:
    """By the feed's language where its letters come out, else by charset-normalizer on a sample."""
    sample = _sample(raw)
    best, charset = _of_language(sample, language)
    if best >= _SURE:
        return _replacing(raw, charset, "language")
    found = from_bytes(sample).best()
    guessed = charset_of(found.encoding) if found else None
    return _replacing(raw, guessed, "detector") if guessed else None
