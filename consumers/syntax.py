"""What a rule says, as a tree. Made by `query` from text and by the watchlist from `any/all/none`; judged by `judge`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from consumers.text.fold import fold_key
from consumers.text.scripts import Clitics, unspaced
from daemon.messages.article import Zone

_SHORTEST_STEM: Final = 3


class Exactness(StrEnum):
    """What is asked of a term's own letters, beyond being equal when folded."""

    FOLDED = "folded"
    SPELLED = "spelled"
    """ى/ي, ة/ه and the hamza's carriers as in the name; else a near miss."""
    CASED = "cased"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Term:
    """Something to be found in a text: `key` is its search form. `runs_on`: any ending of its last word will do.

    `endings`: the languages in whose other forms it is found too.
    """

    text: str
    key: str
    clitics: Clitics = Clitics.WORD
    exactness: Exactness = Exactness.FOLDED
    runs_on: bool = False
    endings: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Of the text alone, which keeps its own: terms are looked up a million at a time."""
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class ActorTerm:
    """Any alias of the desk's actor of this id, its guards applied."""

    id: str


@dataclass(frozen=True, slots=True)
class ListTerm:
    """Any actor that came from this file."""

    file: str


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class Near:
    """At most `words` words between the two, in one zone; `ordered`: the left one first."""

    left: "Node"
    right: "Node"
    words: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Same:
    """Both in one sentence."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Count:
    """At least `least` hits."""

    part: "Node"
    least: int


@dataclass(frozen=True, slots=True)
class InZone:
    """The part, looked for in this zone only."""

    zone: Zone
    part: "Node"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something the article is, not says: `source`, `feed`, `lang`, `country`, `author`, `url` or `tag`."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Leaves in OR, once compiled: terms by number, actors by place, lists by file. Nobody writes one (`plan`)."""

    terms: frozenset[int]
    actors: frozenset[int]
    lists: tuple[str, ...]


Node: TypeAlias = AnyOf | Term | ActorTerm | ListTerm | And | Or | Not | Near | Same | Count | InZone | Attribute
Leaf: TypeAlias = Term | ActorTerm | ListTerm


def make_term(text: str, clitics: Clitics = Clitics.WORD, exactness: Exactness = Exactness.FOLDED) -> Term:
    """A literal word or phrase, with `*` at its end for any ending. Raises `ValueError` saying what is wrong with it."""
    runs_on = text.endswith("*")
    key = fold_key(text.removesuffix("*"))
    if not key:
        raise ValueError(f"{text!r} has no letter or digit to look for")
    if "*" in text.removesuffix("*"):
        raise ValueError(f"{text!r}: * stands at the end only")
    if runs_on and not text[-2:-1].isalnum():
        raise ValueError(f"{text!r}: * must follow a letter")
    if runs_on and len(key.split()[-1]) < _SHORTEST_STEM:
        raise ValueError(f"{text!r}: * needs at least {_SHORTEST_STEM} letters before it")
    if runs_on and unspaced(key[-1]):
        raise ValueError(
            f"{text!r}: * has no meaning in a script without spaces, where a word is found within longer ones anyway"
        )
    return Term(text, key, clitics, exactness, runs_on)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part) | Count(part) | InZone(_, part):
            return (part,)
        case Near(left, right) | Same(left, right):
            return (left, right)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from walk(child)


def is_positive(node: Node) -> bool:
    """Whether something must be found for the node to hold."""
    match node:
        case Term() | ActorTerm() | ListTerm():
            return True
        case Not() | Attribute():
            return False
        case Or(parts):
            return all(map(is_positive, parts))
        case _:
            return any(map(is_positive, children(node)))
