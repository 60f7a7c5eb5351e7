"""The other forms of names of which only the base form is known: Владимир Путин is found in Владимира Путина.

    key ─ words ─ row of `endings.yaml` by each word's ending ─▶ all words in one case ─▶ forms

A form is looked for as any name is; it is made here, once, when watchlists are compiled, so texts pay nothing for it.
Works on the search form of `fold`; knows no actors and no rules.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, product, starmap, takewhile
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from consumers.text.fold import fold_key
from daemon.config.document import read_document
from daemon.errors import ConfigError

Case: TypeAlias = tuple[str, ...]
"""A word's forms in one case, most often one."""

MOST_FORMS: Final = 60
"""Of one name in one language; the first ones, which are those of the commonest cases."""

_FILE: Final = Path(__file__).parent / "endings.yaml"
_SHORTEST_STEM: Final = 5
"""Letters before the ending of a form of a name that is one word: shorter ones are other words with an ending too often."""
_NOT_GUESSED: Final = "?"
_SHORTEST_WORD: Final = 1
_SHORT_WORD: Final = 3
"""Letters of a word that may be a particle (аль, фон, дер), or of a language that has no endings (Ким Чен Ын)."""
_KEY: Final = re.compile(r"(?:\[(?P<before>\w+)\])?(?P<ending>\w*)")
_MARKS: Final[Mapping[str, str]] = {"uk": "іїєґ", "ru": "ыэъё", "pl": "łąęśźżćń", "cs": "ěřů"}
"""Letters that only one of the languages has in which names are looked for unasked."""


@dataclass(frozen=True, slots=True)
class Row:
    """`before`: letters one of which stands before the ending and stays; empty: any. `cases`: what stands instead of it.

    `guessed`: the same, for a name of one word whose language nobody says.
    """

    before: str
    ending: str
    cases: tuple[Case, ...]
    guessed: tuple[Case, ...]

    def fits(self, word: str) -> bool:
        stem = word.removesuffix(self.ending)
        begun = stem[-1:] in self.before if self.before and stem else not self.before
        return word.endswith(self.ending) and begun and len(word) > _SHORTEST_WORD

    @property
    def letters(self) -> int:
        return len(self.ending) + bool(self.before)


@dataclass(frozen=True, slots=True)
class Language:
    """`each`: every word of a name changes, else its last one. `rows` from the most special to the least."""

    each: bool
    rows: tuple[Row, ...]

    def of(self, word: str) -> list[Row]:
        """The rows of a word, none when it does not change."""
        first = next((row for row in self.rows if row.fits(word)), None)
        return [row for row in self.rows if first and row.letters == first.letters and row.fits(word)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: Literal["each", "last"]
    rows: dict[str, str | list[str]]


@cache
def languages() -> Mapping[str, Language]:
    """Those of `endings.yaml`, by code."""
    return load_languages(_FILE)


def load_languages(path: Path) -> Mapping[str, Language]:
    """The languages of a file like `endings.yaml`. Raises `ConfigError` naming the file and what is wrong with it."""
    document = read_document(path)
    try:
        entries = msgspec.convert(document.value, dict[str, _Entry])
        return {code: _language(entry) for code, entry in entries.items()}
    except ValueError as error:
        raise ConfigError([document.problem((), str(error))]) from error


def default_languages(name: str, language: str = "") -> tuple[str, ...]:
    """The languages whose endings a name is looked for with when nobody says which: those of its letters.

    `language` is that of the name where it is said. Latin names without a letter of their own language have none.
    """
    if language:
        return (language,) if language in languages() else ()
    letters = set(name.casefold())
    marked = [code for code, marks in _MARKS.items() if letters & set(marks)]
    if marked:
        return (marked[0],)
    return ("ru", "uk") if any("а" <= letter <= "я" for letter in letters) else ()


def inflected(key: str, codes: Iterable[str]) -> dict[str, str]:
    """The other forms of a folded name, each with the ending that its last word has for its own."""
    forms: dict[str, str] = {}
    tried, words = [*codes], key.split()
    for code in tried:
        language = languages()[code]
        made = _forms(words, language) if len(words) > 1 else _forms_alone(key, language, guessed=len(tried) > 1)
        for form, ending in islice(made, MOST_FORMS):
            if form != key:
                forms.setdefault(form, ending)
    return forms


def _language(entry: _Entry) -> Language:
    lines = ((key, line) for key, some in entry.rows.items() for line in ([some] if isinstance(some, str) else some))
    return Language(entry.words == "each", tuple(sorted(starmap(_row, lines), key=lambda row: -row.letters)))


def _row(key: str, line: str) -> Row:
    parts = _KEY.fullmatch(key)
    if parts is None:
        raise ValueError(f"{key!r} is no ending")
    written = [case.split("/") for case in line.split()]
    cases = tuple(tuple(map(fold_key, case)) for case in written)  # which takes the mark away: it is no letter
    guessed = tuple(tuple(fold_key(form) for form in case if not form.endswith(_NOT_GUESSED)) for case in written)
    return Row(fold_key(parts["before"] or ""), fold_key(parts["ending"]), cases, guessed)


def _forms_alone(word: str, language: Language, *, guessed: bool) -> Iterator[tuple[str, str]]:
    for row in language.of(word):
        for case in row.guessed if guessed else row.cases:
            yield from (each for each in _changed(word, row, case) if len(each[0]) - len(each[1]) >= _SHORTEST_STEM)


def _forms(words: Sequence[str], language: Language) -> Iterator[tuple[str, str]]:
    ways = [_ways(words, place, language) for place in range(len(words))]
    for case in range(max((len(row.cases) for way in ways for row in way if row), default=0)):
        for rows in product(*ways):
            changed = [_in_case(word, row, case) for word, row in zip(words, rows, strict=True)]
            for parts in product(*changed):
                yield " ".join(form for form, _ in parts), parts[-1][1]


def _ways(words: Sequence[str], place: int, language: Language) -> Sequence[Row | None]:
    """The rows by which a word of a longer name changes; None: it stays as it is."""
    word, first, last = words[place], place == 0, place == len(words) - 1
    if not last and (not language.each or (not first and len(word) <= _SHORT_WORD)):
        return (None,)
    rows = language.of(word)
    of_many = len(words) > 2
    may_stay = (first and (len(word) <= _SHORT_WORD or of_many)) or (last and words[0][-1] in "аяa")
    return (*rows, None) if may_stay or not rows else rows


def _in_case(word: str, row: Row | None, case: int) -> Sequence[tuple[str, str]]:
    """A word's forms in a case, each with what of it is its ending."""
    if row is None or case >= len(row.cases):
        return ((word, ""),)
    return _changed(word, row, row.cases[case])


def _changed(word: str, row: Row, case: Case) -> Sequence[tuple[str, str]]:
    stem = word.removesuffix(row.ending)
    return [(stem + form, _behind(row.ending, form)) for form in case]


def _behind(ending: str, form: str) -> str:
    """What of the form differs from the base's ending, its first letters left out that are the same."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ending, form, strict=False)))
    return form[same:]
