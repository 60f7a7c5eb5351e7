"""The only guessing of languages: what a text is written in, with what its feed says as the prior (feeds.md, “Choices”).

The model (py3langid) takes a second to load, so it is loaded when first asked. Guessing keeps nothing between texts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from daemon.messages.article import Language

_KIN: Final = {
    "arz": "ar", "ary": "ar", "apc": "ar", "sdh": "ku", "ckb": "ku", "kmr": "ku", "prs": "fa", "uzs": "uz", "hbo": "he",
    "iw": "he", "in": "id", "fil": "tl", "wuu": "zh", "yue": "zh", "cmn": "zh", "nb": "no", "nn": "no", "grc": "el", "mo": "ro",
}  # fmt: skip
"""Dialects, old and twin tags, by the tag that watchlists and people use."""

_ARABIC: Final = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"
_CYRILLIC: Final = "\u0400-\u052f"
_LATIN: Final = "a-zA-Z\u00c0-\u024f\u1e00-\u1eff"
_HAN: Final = "\u3400-\u9fff\U00020000-\U0003ffff"
_KANA: Final = "\u3040-\u30ff"
_DEVANAGARI: Final = "\u0900-\u097f"
_SCRIPTS: Final = {
    "ar": _ARABIC, "fa": _ARABIC, "ur": _ARABIC, "ps": _ARABIC, "ug": _ARABIC, "sd": _ARABIC, "ku": _ARABIC + _LATIN,
    "he": "\u0590-\u05ff", "yi": "\u0590-\u05ff", "el": "\u0370-\u03ff\u1f00-\u1fff", "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "ru": _CYRILLIC, "uk": _CYRILLIC, "be": _CYRILLIC, "bg": _CYRILLIC, "mk": _CYRILLIC, "ky": _CYRILLIC, "tg": _CYRILLIC,
    "mn": _CYRILLIC + "\u1800-\u18af", "kk": _CYRILLIC + _LATIN + _ARABIC, "sr": _CYRILLIC + _LATIN, "uz": _CYRILLIC + _LATIN,
    "az": _CYRILLIC + _LATIN + _ARABIC, "tt": _CYRILLIC + _LATIN, "ba": _CYRILLIC,
    "zh": _HAN, "ja": _HAN + _KANA, "ko": "\uac00-\ud7af\u1100-\u11ff" + _HAN,
    "hi": _DEVANAGARI, "mr": _DEVANAGARI, "ne": _DEVANAGARI, "sa": _DEVANAGARI, "bn": "\u0980-\u09ff", "as": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f" + _ARABIC, "gu": "\u0a80-\u0aff", "or": "\u0b00-\u0b7f", "ta": "\u0b80-\u0bff", "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff", "ml": "\u0d00-\u0d7f", "si": "\u0d80-\u0dff", "th": "\u0e00-\u0e7f", "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f", "km": "\u1780-\u17ff", "am": "\u1200-\u137f", "ti": "\u1200-\u137f",
}  # fmt: skip
"""Character classes of the scripts a language is written in; a language that is not here: Latin."""

_UNSPACED: Final = frozenset(("zh", "ja", "th", "lo", "km", "my"))
_LETTERS: Final = 120
_FEW_WORDS: Final = 4
_FEW_CHARACTERS: Final = 8
_TRUST: Final = 10.0
"""A feed's own language is taken for this many times as likely as any other."""
_UNSURE: Final = 0.5
_NO_LANGUAGE: Final = "zxx"


@dataclass(frozen=True, slots=True)
class Prior:
    """What is said of the language beforehand, and by what: `feed` or `item`. The tag may be a full BCP 47 tag, or empty."""

    tag: str = ""
    source: str = ""


class Languages:
    """Guesses languages. Threads may share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._model: Any = None

    def warm(self) -> None:
        """Load the model, which takes up to a second; otherwise the first guess does."""
        self._loaded()

    def guess(self, text: str, prior: Prior) -> Language:
        """The language of a text; the prior's where the text says little and is in its script. Empty tag: unknown."""
        words = " ".join(text[:_LETTERS].split())
        said = primary(prior.tag)
        if not any(map(str.isalpha, words)):
            return Language(tag=said, source=prior.source if said else "")
        chances = _by_kin(self._loaded().rank(words))
        tag = max(chances, key=chances.__getitem__)
        chance = chances[tag]
        expected = chances.get(said, 0.0)
        if said and _agrees(words, said) and (_is_short(words, said) or chance < _UNSURE or chance <= _TRUST * expected):
            weighed = _TRUST * expected / (_TRUST * expected + 1 - expected)
            return Language(tag=said, confidence=round(weighed, 3), source="text" if tag == said else prior.source)
        return Language(tag=tag, confidence=round(min(chance, 1.0), 3), source="text")

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            return self._model


def primary(tag: str) -> str:
    """The primary language of a BCP 47 tag, in the form Rasid uses: `ar` for `ar-IQ`, `he` for `iw`. Empty for no tag."""
    first = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return _KIN.get(first, first) if first.isascii() and first.isalpha() and len(first) in (2, 3) and first != "und" else ""


def _by_kin(ranked: Iterable[tuple[str, float]]) -> dict[str, float]:
    chances = dict(ranked)
    chances.pop(_NO_LANGUAGE, None)
    for dialect, tag in _KIN.items():
        if dialect in chances:
            chances[tag] = chances.get(tag, 0.0) + chances.pop(dialect)
    return chances


def _agrees(text: str, tag: str) -> bool:
    """Whether at least half of the letters are in a script of the language; kana is never Chinese."""
    if tag == "zh" and re.search(f"[{_KANA}]", text):
        return False
    own = len(re.findall(f"[{_SCRIPTS.get(tag, _LATIN)}]", text))
    return 2 * own >= sum(map(str.isalpha, text))


def _is_short(text: str, tag: str) -> bool:
    if tag in _UNSPACED:
        return len(text) < _FEW_CHARACTERS
    return text.count(" ") + 1 < _FEW_WORDS
