"""An obviously right, slow matcher, written from matching.md: words one by one, rules by looking at everything.

Knows only what the tests' texts are made of: plain Latin words, Arabic words without letters that folding merges, Han.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

Tree: TypeAlias = tuple[Any, ...]
Texts: TypeAlias = Mapping[str, str]

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+")
_NAME = {a + b for a in ("", "و", "ف") for b in ("", "ب", "ك", "ل")}
_ARTICLE = {a + b for a in ("", "و", "ف") for b in ("ال", "بال", "كال", "لل")}


class Hit(NamedTuple):
    """Where a term stands, in characters and in words."""

    zone: str
    start: int
    end: int
    first: int
    last: int


class Word(NamedTuple):
    start: int
    end: int
    text: str


def words(text: str) -> list[Word]:
    return [Word(found.start(), found.end(), found[0]) for found in _WORD.finditer(text)]


def is_han(text: str) -> bool:
    return "\u4e00" <= text[0] <= "\u9fff"


def prefixes(name: str, *, query: bool) -> set[str]:
    """What may stand before a name in its word."""
    if not "\u0600" <= name[0] <= "\u06ff":
        return {""}
    known = {"", "و"} if len(name.replace(" ", "")) < 4 else _NAME
    return known | _ARTICLE if query else known


def fused(name: str) -> set[str]:
    """لل for ل and ال."""
    return {f"{a}لل{name[2:]}" for a in ("", "و", "ف")} if name.startswith("ال") and len(name) > 4 else set()


def term_hits(tree: Tree, texts: Texts, *, query: bool = True) -> list[Hit]:
    """`("term", mark, text, star)`: every place of it."""
    _, mark, text, star = tree
    hits = []
    for zone, content in texts.items():
        there = words(content)
        for number in range(len(there)):
            run = there[number : number + len(words(text))]
            start = len(run) == len(words(text)) and _stands(run, mark, text, star, query=query)
            if start is not False:
                hits.append(Hit(zone, run[0].start + start, run[-1].end, number, number + len(run) - 1))
    return hits


def _stands(run: Sequence[Word], mark: str, text: str, star: bool, *, query: bool) -> int | bool:  # noqa: FBT001
    """How many letters of the first word come before the term; False when it is none."""
    asked, said = [word.text for word in words(text)], [word.text for word in run]
    if is_han(text) and any(left.end != right.start for left, right in pairwise(run)):
        return False
    if mark == "":
        asked, said = [word.lower() for word in asked], [word.lower() for word in said]
    if star and said[-1].startswith(asked[-1]):
        said[-1] = asked[-1]
    if said[1:] != asked[1:]:
        return False
    if mark == "=" or said[0] == asked[0]:
        return 0 if said[0] == asked[0] else False
    if said[0].endswith(asked[0]) and said[0][: -len(asked[0])] in prefixes(text, query=query):
        return len(said[0]) - len(asked[0])
    return len(said[0]) - len(asked[0]) + 1 if said[0] in fused(asked[0]) else False


class Actor(NamedTuple):
    id: str
    names: Sequence[str]
    near: Sequence[str] = ()
    within: int = 0
    not_in: Sequence[str] = ()


def actor_hits(actor: Actor, everybody: Sequence[Actor], texts: Texts) -> list[Hit]:
    """The longest of its names where they overlap; without those that a guard or somebody's longer Han name covers."""
    near = [hit for text in actor.near for hit in term_hits(("term", "", text, False), texts)]
    longer = [hit for text in actor.not_in for hit in term_hits(("term", "", text, False), texts, query=False)]
    han = [hit for each in everybody for hit in _longest(each, texts) if is_han(texts[hit.zone][hit.start])]
    good = []
    for hit in _longest(actor, texts):
        covered = any(each.zone == hit.zone and each.start <= hit.start and hit.end <= each.end for each in longer)
        beaten = any(_overlap(each, hit) and each.end - each.start > hit.end - hit.start for each in han) and hit in han
        lonely = actor.near and not any(each.zone == hit.zone and _between(each, hit) <= actor.within for each in near)
        if not (covered or beaten or lonely):
            good.append(hit)
    return good


def _longest(actor: Actor, texts: Texts) -> list[Hit]:
    hits = {hit for name in actor.names for hit in term_hits(("term", "", name, False), texts, query=False)}
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, hit.start)):
        if not any(_overlap(hit, other) for other in kept):
            kept.append(hit)
    return kept


def _overlap(one: Hit, other: Hit) -> bool:
    return one.zone == other.zone and one.start < other.end and other.start < one.end


def _between(one: Hit, other: Hit) -> float:
    """Words between two hits; endless when they share one."""
    first, second = sorted((one, other), key=lambda hit: hit.first)
    return second.first - first.last - 1 if second.first > first.last else float("inf")


def holds(tree: Tree, zones: frozenset[str], found: Callable[[Tree], list[Hit]], article: Mapping[str, str]) -> bool:  # noqa: PLR0911
    """Whether a rule's tree holds; `found` gives the hits of a leaf in all zones."""
    match tree:
        case ("and", left, right):
            return holds(left, zones, found, article) and holds(right, zones, found, article)
        case ("or", left, right):
            return holds(left, zones, found, article) or holds(right, zones, found, article)
        case ("not", part):
            return not holds(part, zones, found, article)
        case ("zone", zone, part):
            return holds(part, frozenset({zone}), found, article)
        case ("is", field, value):
            known = article.get(field, "")
            return fnmatch(known.lower(), str(value).lower()) if field == "source" else known.lower() == str(value).lower()
        case ("near" | "before", words_between, left, right):
            pairs = _pairs(left, right, zones, found)
            return any(
                _between(*pair) <= words_between and (tree[0] == "near" or pair[0].last < pair[1].first) for pair in pairs
            )
        case ("same", left, right):
            return any(_sentence(one, article) == _sentence(other, article) for one, other in _pairs(left, right, zones, found))
        case ("count", least, part):
            return len({(hit.zone, hit.start, hit.end) for hit in found(part) if hit.zone in zones}) >= int(least)
        case _:
            return any(hit.zone in zones for hit in found(tree))


def _pairs(left: Tree, right: Tree, zones: frozenset[str], found: Callable[[Tree], list[Hit]]) -> list[tuple[Hit, Hit]]:
    return [(one, other) for one in found(left) for other in found(right) if one.zone == other.zone and one.zone in zones]


def _sentence(hit: Hit, article: Mapping[str, str]) -> int:
    return article[hit.zone].count(". ", 0, hit.start)
