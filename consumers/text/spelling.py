"""What folding hides, looked at again on the few hits that ask for it: letters kept apart, exact forms, capitals."""

import unicodedata
from typing import Final

_LETTERS: Final = str.maketrans({**dict.fromkeys("أإآٱٲٳ", "ا"), "ک": "ك", "ڪ": "ك", "ۃ": "ة", **dict.fromkeys("ھەۀ", "ه")})
_EITHER: Final = {"ی": "ىي", "ہ": "ةه"}
"""Persian yeh and Urdu heh stand for both of the two."""
_CONFUSABLE: Final = frozenset("يهو")


def needs_check(key: str) -> bool:
    """Whether a folded name is one word with a letter that folding merges with another (ى/ي, ة/ه, ؤ/و, ئ/ي)."""
    return " " not in key and any(letter in _CONFUSABLE for letter in key)


def same_spelling(name: str, surface: str) -> bool:
    """Whether the two, equal when folded, are also equal with ى/ي, ة/ه and the hamza's carriers kept apart.

    Compared from the end: after لل the name's first letter is not written.
    """
    return name == surface or all(map(_same_letter, reversed(_letters(name)), reversed(_letters(surface))))


def same_form(word: str, surface: str) -> bool:
    """Whether the two are the same letters exactly."""
    return unicodedata.normalize("NFC", word) == unicodedata.normalize("NFC", surface)


def same_case(word: str, surface: str) -> bool:
    """Whether the two, equal when folded, have their capitals at the same places."""
    return _capitals(word) == _capitals(surface)


def capital_words(name: str, surface: str) -> bool:
    """Whether each word begins with a capital that does so in the name: романа is a novel's and not Роман's."""
    return all(
        not word[0].isupper() or written[0].isupper() for word, written in zip(_words(name), _words(surface), strict=False)
    )


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() or not letter.isascii() else " " for letter in text).split()


def _letters(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text).translate(_LETTERS)
    return "".join(letter for letter in composed if unicodedata.category(letter) == "Lo")


def _same_letter(left: str, right: str) -> bool:
    return left == right or right in _EITHER.get(left, ()) or left in _EITHER.get(right, ())


def _capitals(text: str) -> list[bool]:
    return [letter.isupper() for letter in unicodedata.normalize("NFKC", text) if letter.isalpha()]
