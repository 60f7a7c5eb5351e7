"""Whether a text's letters are those of its language: tells right charsets from wrong ones. Knows nothing of bytes."""

import re
from collections.abc import Mapping
from typing import Final

_ARABIC: Final = "\u0600-\u06ff"
_CYRILLIC: Final = "\u0400-\u045f\u0490\u0491"
_HAN: Final = "\u4e00-\u9fff"
_LATIN: Final = "\u00c0-\u017f\u0218-\u021b"
_LETTERS: Final[Mapping[str, str]] = {
    "ar": "\u060c\u061b\u061f\u0621-\u0652\u200c-\u200f",
    "fa": _ARABIC + "\u200c-\u200f",
    "ur": _ARABIC + "\u200c-\u200f",
    "he": "\u05d0-\u05ea\u05b0-\u05c7",
    "ru": "\u0410-\u044f\u0401\u0451",
    "uk": _CYRILLIC,
    "bg": "\u0410-\u044f",
    "el": "\u0370-\u03ff",
    "zh": _HAN + "\u3000-\u303f\uff00-\uffef",
    "ja": "\u3040-\u30ff" + _HAN + "\u3000-\u303f\uff00-\uff60",
    "ko": "\uac00-\ud7a3",
    "th": "\u0e00-\u0e7f",
    "vi": _LATIN + "\u0300-\u0323\u01a0-\u01b0\u1ea0-\u1ef9\u20ab",
    "tr": "\u00e7\u00c7\u011e\u011f\u0130\u0131\u00d6\u00f6\u015e\u015f\u00dc\u00fc\u00e2\u00ee\u00fb",
    "pl": "\u0104-\u0107\u0118\u0119\u0141-\u0144\u00d3\u00f3\u015a\u015b\u0179-\u017c",
    "cs": _LATIN,
    "hu": "\u00c1\u00c9\u00cd\u00d3\u00d6\u00da\u00dc\u00e1\u00e9\u00ed\u00f3\u00f6\u00fa\u00fc\u0150\u0151\u0170\u0171",
    "ro": "\u0102\u0103\u00c2\u00e2\u00ce\u00ee\u0218-\u021b\u015e\u015f\u0162\u0163",
}
_PUNCTUATION: Final = "\u00a0\u00ab\u00bb\u2010-\u2026\u2030\u00a9\u00ae\u2122\u00b7\u20ac\u00b0"
_BEYOND: Final = re.compile(rf"[^\x00-\x7f{_PUNCTUATION}]")
_PATTERNS: Final = {language: re.compile(f"[{letters}]") for language, letters in _LETTERS.items()}
_SAMPLE: Final = 4_000


def likeness(text: str, language: str) -> float:
    """From 0 to 1: the share of the characters beyond ASCII that the language writes with, halved for capitals throughout.

    0 when the language is not known or the text is all ASCII. (KOI8-R read as windows-1251 is Russian in capitals.)
    """
    pattern = _PATTERNS.get(language)
    beyond = "".join(_BEYOND.findall(text[:_SAMPLE]))
    if pattern is None or not beyond:
        return 0.0
    capitals, small = sum(map(str.isupper, beyond)), sum(map(str.islower, beyond))
    return len(pattern.findall(beyond)) / len(beyond) / (2 if capitals > small else 1)
