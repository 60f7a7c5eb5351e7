"""Ids made from names, and names that would be found everywhere. Ids made here are part of the journal: never change them."""

from collections.abc import Container, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Final

from consumers.text.fold import fold_key
from consumers.text.spelling import same_spelling

_LONGEST_ID: Final = 60
_ARABIC: Final = str.maketrans({
    "ا": "a", "ب": "b", "ت": "t", "ث": "th", "ج": "j", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "س": "s",
    "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ك": "k", "ل": "l", "م": "m",
    "ن": "n", "ه": "h", "و": "w", "ي": "y", "ء": "", "گ": "g", "چ": "ch", "پ": "p", "ژ": "zh", "ڤ": "v", "ٹ": "t", "ڈ": "d",
})  # fmt: skip
"""Letter by letter over the search form; short vowels are not written and not guessed."""

_STOP_WORDS: Final = """
    the of and to in a is it for on that with as at by from or an be are was were this his her not but has have had he she no
    yes we you they i will can
    le la les de des du un une et en est que qui dans pour sur au aux ce il elle ne pas
    der die das und in zu den von mit ist im auf für ein eine nicht es
    el los las y en que un una por con no se su para es al lo
    и в на не что с по как из за от о у к но это он она
    ve bir bu da de için ile o ne
    في من على إلى عن مع أن إن ما لا هذا هذه التي الذي كان قد بعد قبل بين هو هي و أو ثم كل لم لن
    در به از که این آن را با است برای
    של את על לא זה עם גם הוא היא
"""


def make_id(names: Sequence[str], taken: Container[str]) -> str:
    """An id from the first name in Latin letters, else from the first transliterated, else a hash; with a number if taken."""
    keys = [fold_key(name) for name in names]
    base = next((slug for key in keys if (slug := _slug(key))), "") or _slug(keys[0].translate(_ARABIC))
    base = base or "n" + blake2b(keys[0].encode(), digest_size=4).hexdigest()
    number = 1
    made = base
    while made in taken:
        number += 1
        made = f"{base}-{number}"
    return made


def readable(names: Sequence[str]) -> str:
    """The name that messages show: the first in Latin letters, else the first."""
    return next((name for name in names if _slug(fold_key(name))), names[0])


def is_stop_word(name: str) -> bool:
    """Whether a name is one of the commonest words of some language, spelling included (علي is a name, على is not)."""
    return any(same_spelling(word, name) for word in _stop_words().get(fold_key(name), ()))


def is_stop_key(key: str) -> bool:
    """Whether a folded name is also one of the commonest words of some language, folded."""
    return key in _stop_words()


@cache
def _stop_words() -> Mapping[str, Sequence[str]]:
    words: dict[str, list[str]] = {}
    for word in _STOP_WORDS.split():
        words.setdefault(fold_key(word), []).append(word)
    return words


def _slug(key: str) -> str:
    slug = "-".join(key.split())[:_LONGEST_ID].rstrip("-")
    return slug if slug.replace("-", "").isascii() and any(map(str.isalpha, slug)) else ""
