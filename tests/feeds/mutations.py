"""How feeds break, in transit and in the software that writes them: each kind takes a document and gives a broken one.

Kinds of text work before the document is encoded, kinds of bytes on what is sent.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from tests.feeds.newsroom import CHARSETS, EVERYWHERE

_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_END: Final = re.compile(r"</[^<>]{1,80}>")
_SPACE: Final = re.compile(r"\sxmlns(?::\w+)?=(?:\"[^\"]*\"|'[^']*')")
_LABEL: Final = re.compile(rb"(encoding=[\"'])[\w-]+")
_LABELS: Final = (
    *EVERYWHERE,
    *(charset for charsets in CHARSETS.values() for charset in charsets),
    "nonsense",
    "utf-7",
    "rot13",
)
_ENTITIES: Final = ("&nbsp;", "&eacute;", "&foo;", "&", "&#0;", "&#xD800;", "&#99999999;", "&amp", "&#x;", "&;", "& &lt; &&")
_SCRAPS: Final = (
    "<",
    ">",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?php x",
    "?>",
    "</",
    "/>",
    '"',
    "'",
    "<item>",
    "</channel>",
    "{",
    "]",
    "\\",
)
_DTD: Final = (
    '<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">'
    '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>'
)


def _spot(random: Random, text: str | bytes) -> int:
    return random.randint(0, len(text))


def _put(random: Random, text: str, new: str) -> str:
    at = _spot(random, text)
    return text[:at] + new + text[at:]


def _one(random: Random, pattern: re.Pattern[str], text: str, new: Callable[[str], str]) -> str:
    """One of the pattern's places made into something else."""
    places = list(pattern.finditer(text))
    if not places:
        return text
    place = random.choice(places)
    return text[: place.start()] + new(place[0]) + text[place.end() :]


def _unclosed(random: Random, text: str) -> str:
    return _one(random, _END, text, lambda _: "")


def _renamed(random: Random, text: str) -> str:
    return _one(random, _TAG, text, lambda tag: tag.replace(tag[1:4], random.choice(["x", "item", "div", "ı", "rss:"]), 1))


def _shouted(random: Random, text: str) -> str:
    return _one(random, _TAG, text, str.upper)


def _everything_shouted(_: Random, text: str) -> str:
    return _TAG.sub(lambda tag: tag[0].upper(), text)


def _cdata_broken(random: Random, text: str) -> str:
    return text.replace(random.choice(["]]>", "<![CDATA["]), random.choice(["", "]]", "]]>]]>"]), random.randint(1, 3))


def _nested(random: Random, text: str) -> str:
    return _put(random, text, text)


def _giant_attribute(random: Random, text: str) -> str:
    return _one(random, _TAG, text, lambda tag: f'{tag[:-1]} a="{"x&amp;" * random.choice([1_000, 60_000])}">')


def _many_attributes(random: Random, text: str) -> str:
    return _one(random, _TAG, text, lambda tag: tag[:-1] + "".join(f' a{n}="{n}"' for n in range(3_000)) + ">")


def _entities(random: Random, text: str) -> str:
    for _ in range(random.randint(1, 5)):
        text = _put(random, text, random.choice(_ENTITIES))
    return text


def _doctype(_: Random, text: str) -> str:
    head, end, rest = text.partition("?>")
    return f"{head}{end}{_DTD}{rest.replace('</title>', '&a;&b;&x;</title>')}" if end else _DTD + text


def _namespaces_missing(random: Random, text: str) -> str:
    return _one(random, _SPACE, text, lambda _: "")


def _no_namespaces(_: Random, text: str) -> str:
    return _SPACE.sub("", text)


def _scraps(random: Random, text: str) -> str:
    for _ in range(random.randint(1, 4)):
        text = _put(random, text, random.choice(_SCRAPS))
    return text


def _chunk_lost(random: Random, text: str) -> str:
    at = _spot(random, text)
    return text[:at] + text[at + random.randint(1, 200) :]


def _chunk_repeated(random: Random, text: str) -> str:
    at, length = _spot(random, text), random.randint(1, 300)
    return text[:at] + text[at : at + length] * random.randint(2, 50) + text[at + length :]


def _deep(random: Random, text: str) -> str:
    name, depth = random.choice(["b", "div", "item", "entry", "channel", "rss", "{", "["]), random.choice([50, 400, 5_000])
    if len(name) == 1 and not name.isalpha():
        return _put(random, text, name * depth)
    return _put(random, text, f"<{name}>" * depth + f"</{name}>" * random.choice([0, depth]))


def _unquoted(random: Random, text: str) -> str:
    return _one(random, _TAG, text, lambda tag: tag.replace('"', ""))


def _escaped_twice(_: Random, text: str) -> str:
    return text.replace("&lt;", "&amp;lt;")


def _markup_lost(random: Random, text: str) -> str:
    return _one(random, _TAG, text, lambda tag: tag.replace("<", "&lt;"))


def _mojibake(_: Random, text: str) -> str:
    return text.encode("utf-8", "replace").decode("cp1252", "replace")


def _surrogates(random: Random, text: str) -> str:
    return _put(random, text, random.choice(["\\ud800", "\ufffe", "\u202e", "\x85", "\u2028", "\x1b$B", "\x0c", "\U000e0001"]))


def _truncated(random: Random, raw: bytes) -> bytes:
    return raw[: _spot(random, raw)]


def _flipped(random: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(random.choice([1, 3, 30])):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _nuls(random: Random, raw: bytes) -> bytes:
    at = _spot(random, raw)
    return raw[:at] + b"\0" * random.choice([1, 2, 3, 500]) + raw[at:]


def _bom_inside(random: Random, raw: bytes) -> bytes:
    at = random.choice([0, 0, _spot(random, raw)])
    return raw[:at] + random.choice([codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE]) + raw[at:]


def _mislabelled(random: Random, raw: bytes) -> bytes:
    return _LABEL.sub(lambda found: found[1] + random.choice(_LABELS).encode(), raw)


def _unlabelled(_: Random, raw: bytes) -> bytes:
    return re.sub(rb"<\?xml[^>]*>", b"", raw, count=1)


def _random_bytes(random: Random, raw: bytes) -> bytes:
    at = _spot(random, raw)
    return raw[:at] + random.randbytes(random.randint(1, 100)) + raw[at + random.randint(0, 100) :]


def _html_around(_: Random, raw: bytes) -> bytes:
    return b"<html><body>\n" + raw + b"</body></html>"


def _warned(_: Random, raw: bytes) -> bytes:
    return b"\n<br />\n<b>Warning</b>: Cannot modify header in /var/www/feed.php on line <b>3</b><br />\n" + raw


OF_TEXT: Final[Mapping[str, Callable[[Random, str], str]]] = {
    "unclosed": _unclosed,
    "renamed": _renamed,
    "one tag shouted": _shouted,
    "all tags shouted": _everything_shouted,
    "CDATA broken": _cdata_broken,
    "a feed within": _nested,
    "a giant attribute": _giant_attribute,
    "many attributes": _many_attributes,
    "entities": _entities,
    "a DOCTYPE": _doctype,
    "a namespace missing": _namespaces_missing,
    "no namespaces": _no_namespaces,
    "scraps": _scraps,
    "a chunk lost": _chunk_lost,
    "a chunk repeated": _chunk_repeated,
    "deep": _deep,
    "unquoted": _unquoted,
    "escaped twice": _escaped_twice,
    "markup lost": _markup_lost,
    "mojibake": _mojibake,
    "odd characters": _surrogates,
}
OF_BYTES: Final[Mapping[str, Callable[[Random, bytes], bytes]]] = {
    "truncated": _truncated,
    "flipped": _flipped,
    "NULs": _nuls,
    "a BOM inside": _bom_inside,
    "mislabelled": _mislabelled,
    "unlabelled": _unlabelled,
    "random bytes": _random_bytes,
    "HTML around": _html_around,
    "a warning before": _warned,
}
