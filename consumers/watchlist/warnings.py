"""Names and terms that will be found everywhere: kept, and said, with how many there are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from consumers.syntax import Exactness, Term, walk
from consumers.watchlist.desk import Actor, Rule
from consumers.watchlist.names import is_stop_word
from daemon.errors import Problem

_SHOWN: Final = 5
_CASED: Final = frozenset({Exactness.CASED, Exactness.EXACT})


def warn(actors: Iterable[tuple[Actor, Problem]], rules: Iterable[tuple[Rule, Problem]]) -> Iterator[Problem]:
    """One warning for all of one letter, one for all other stop words, each at the place of its first."""
    terms = [(alias, place) for actor, place in actors for alias in actor.aliases]
    terms += [(term, place) for rule, place in rules for term in _terms(rule)]
    one_letter = [(term, place) for term, place in terms if len(term.key) == 1]
    common = [(term, place) for term, place in terms if len(term.key) > 1 and _is_common(term)]
    for found, what in ((one_letter, "of one letter"), (common, "among the commonest of a language")):
        if found:
            yield _warning(found, what)


def _terms(rule: Rule) -> Iterator[Term]:
    trees = (rule.where,) if rule.unless is None else (rule.where, rule.unless)
    yield from (node for tree in trees for node in walk(tree) if isinstance(node, Term))


def _is_common(term: Term) -> bool:
    """IS, asked for in capitals, is not found wherever somebody writes is."""
    return term.exactness not in _CASED and is_stop_word(term.text)


def _warning(found: Sequence[tuple[Term, Problem]], what: str) -> Problem:
    shown = ", ".join(_shown(term) for term, _ in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
    are = "1 word is" if len(found) == 1 else f"{len(found)} words are"
    place = found[0][1]
    reason = f"{are} {what} and will be found everywhere: {shown}"
    return Problem(file=place.file, line=place.line, column=place.column, key=place.key, reason=reason)


def _shown(term: Term) -> str:
    """Signs are not compared: who writes C++ has to know that it is C."""
    return term.text if term.text.casefold() == term.key else f"{term.text} (compared as {term.key!r})"
