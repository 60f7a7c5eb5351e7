"""Names that will be found everywhere, and names that several actors share: kept, and said, with how many there are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumers.syntax import Exactness, Term, walk
from consumers.text.spelling import needs_check
from consumers.watchlist.desk import Actor, Rule, Warned
from consumers.watchlist.names import is_stop_key, is_stop_word
from daemon.errors import Problem

_SHOWN: Final = 5
_CASED: Final = frozenset({Exactness.CASED, Exactness.EXACT})
_ONE_LETTER: Final = "of one letter"
_COMMON: Final = "among the commonest of a language"


def warn(actors: Iterable[tuple[Actor, Problem]], rules: Iterable[tuple[Rule, Problem]]) -> Iterator[Problem]:
    """One warning for all of one letter, one for all other stop words, each at the place of its first."""
    terms = [(alias, place) for actor, place in actors for alias in actor.aliases]
    terms += [(term, place) for rule, place in rules for term in _terms(rule)]
    one_letter = [(term, place) for term, place in terms if len(term.key) == 1]
    common = [(term, place) for term, place in terms if len(term.key) > 1 and _is_common(term)]
    for found, what in ((one_letter, _ONE_LETTER), (common, _COMMON)):
        if found:
            shown = [_shown(term.text, term.key) for term, _ in found[:_SHOWN]]
            yield _at(found[0][1], _everywhere(len(found), what, shown))


def warn_of_shared(actors: Iterable[tuple[Actor, Problem]]) -> Iterator[Problem]:
    """One warning for all names that fold alike and belong to several actors: each of these will be told."""
    owners: dict[str, dict[str, Problem]] = {}
    names: dict[str, str] = {}
    for actor, place in actors:
        for alias in actor.aliases:
            key = alias.text if alias.exactness is Exactness.SPELLED else alias.key
            owners.setdefault(key, {}).setdefault(actor.id, place)
            names.setdefault(key, alias.text)
    shared = [key for key, of in owners.items() if len(of) > 1]
    if shared:
        shown = [f"{names[key]} ({', '.join([*owners[key]][:2])})" for key in shared[:_SHOWN]]
        yield _at([*owners[shared[0]].values()][1], _shared(len(shared), shown))


def warn_of_names(
    names: Sequence[str], keys: Sequence[str], owners: NDArray[np.uint32], ids: Sequence[str], lines: Sequence[int]
) -> Iterator[Warned]:
    """The same of a file of names; `owners` are places among `ids` and `lines`."""
    one_letter = [at for at, key in enumerate(keys) if len(key) == 1]
    common = [at for at, key in enumerate(keys) if len(key) > 1 and is_stop_key(key) and is_stop_word(names[at])]
    for found, what in ((one_letter, _ONE_LETTER), (common, _COMMON)):
        if found:
            shown = [_shown(names[at], keys[at]) for at in found[:_SHOWN]]
            yield Warned(lines[owners[found[0]]], _everywhere(len(found), what, shown))
    shared = _repeated([name if needs_check(key) else key for name, key in zip(names, keys, strict=True)])
    if len(shared):
        shown = [f"{names[at]} ({ids[owners[at]] or 'without an id'})" for at in shared[:_SHOWN].tolist()]
        yield Warned(lines[owners[shared[0]]], _shared(len(shared), shown))


def _repeated(keys: Sequence[str]) -> NDArray[np.int64]:
    """Where keys stand that stood before: of one actor a key stands once. Compared by hashes of 64 bits."""
    hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
    again = np.ones(len(keys), np.bool_)
    again[np.unique(hashes, return_index=True)[1]] = False
    return np.flatnonzero(again)


def _terms(rule: Rule) -> Iterator[Term]:
    trees = (rule.where,) if rule.unless is None else (rule.where, rule.unless)
    yield from (node for tree in trees for node in walk(tree) if isinstance(node, Term))


def _is_common(term: Term) -> bool:
    """IS, asked for in capitals, is not found wherever somebody writes is; علي is found in على only when it may be."""
    if term.exactness in _CASED or term.runs_on:
        return False
    return is_stop_word(term.text) if term.exactness is Exactness.SPELLED else is_stop_key(term.key)


def _everywhere(count: int, what: str, shown: Sequence[str]) -> str:
    are = "1 word is" if count == 1 else f"{count} words are"
    return f"{are} {what} and will be found everywhere: {_listed(count, shown)}"


def _shared(count: int, shown: Sequence[str]) -> str:
    belong = "1 name belongs" if count == 1 else f"{count} names belong"
    return f"{belong} to several actors, and each of them is told: {_listed(count, shown)}"


def _listed(count: int, shown: Sequence[str]) -> str:
    return ", ".join(shown) + (", …" if count > len(shown) else "")


def _at(place: Problem, reason: str) -> Problem:
    return Problem(file=place.file, line=place.line, column=place.column, key=place.key, reason=reason)


def _shown(text: str, key: str) -> str:
    """Signs are not compared: who writes C++ has to know that it is C."""
    return text if text.casefold() == key else f"{text} (compared as {key!r})"
