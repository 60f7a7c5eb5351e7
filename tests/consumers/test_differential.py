"""Rules, actors and texts at random, in mixed scripts: the matcher and an obviously right, slow one agree."""

import json
from typing import Final, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.compile import compile_desks, reanchored
from consumers.judge import judge_all
from consumers.matcher import subject_of
from consumers.watchlist.read import parse_watchlist
from tests.consumers import slow
from tests.consumers.articles import article
from tests.consumers.slow import Actor, Hit, Tree

_WORDS: Final = [
    "oil",
    "Oil",
    "gas",
    "gasoline",
    "May",
    "may",
    "ports",
    "بغداد",
    "العراق",
    "مصر",
    "قطر",
    "لبنان",
    "京都",
    "東京",
    "東京都",
]
_CLITICS: Final = ["", "و", "ف", "ب", "ل", "ال", "وال", "لل", "وب", "فل", "س", "بال", "وس"]
Rule: TypeAlias = tuple[Tree, Tree | None, set[str]]
_ZONES: Final = ("title", "lead", "body", "rest")
ACTORS: Final = [
    Actor("plain", ["oil", "بغداد"]),
    Actor("longer", ["gas", "gas oil", "مصر"]),
    Actor("named", ["العراق", "京都"]),
    Actor("wider", ["東京都", "قطر لبنان"]),
    Actor("near", ["may", "gas"], near=["oil", "مصر"], within=2),
    Actor("guarded", ["oil", "لبنان"], not_in=["gas oil", "لبنان مصر"]),
]
_PHRASES: Final = ["oil gas", "gas oil", "بغداد قطر", "العراق مصر"]


def _texts(words: list[str]) -> st.SearchStrategy[str]:
    carried = [word for word in words if not word.isascii() and not slow.is_han(word)] or ["مصر"]
    plain = st.sampled_from(words)
    tokens = plain | plain | plain | st.tuples(st.sampled_from(_CLITICS), st.sampled_from(carried)).map("".join)
    parted = st.tuples(tokens | st.just("so"), st.sampled_from([*" " * 12, ", ", ". ", ""])).map("".join)
    return st.lists(parted, min_size=4, max_size=12).map("".join)


def _term(mark: str, text: str, *, star: bool) -> Tree:
    return ("term", mark, text, star and not mark and len(text.rsplit(maxsplit=1)[-1]) >= 3 and not slow.is_han(text))


def _trees(words: list[str]) -> st.SearchStrategy[Tree]:
    plain = st.sampled_from([("term", "", word, False) for word in words])
    marked = st.builds(_term, st.sampled_from(["", "=", "^"]), st.sampled_from([*words, *_PHRASES]), star=st.booleans())
    leaves = plain | plain | plain | marked | st.sampled_from([("actor", actor.id) for actor in ACTORS])
    either = leaves | st.tuples(st.just("or"), leaves, leaves)
    near = st.tuples(st.sampled_from(["near", "before"]), st.integers(0, 2), either, either)
    placed = near | near | st.tuples(st.just("same"), either, either) | st.tuples(st.just("count"), st.integers(1, 3), either)
    fields = st.sampled_from([("is", "lang", "ar"), ("is", "source", "r*"), ("is", "source", "ina")])

    def larger(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        both = st.tuples(st.sampled_from(["and", "or"]), inner, inner | st.tuples(st.just("not"), inner | fields))
        return both | st.tuples(st.just("zone"), st.sampled_from(_ZONES), inner)

    return placed | placed | st.recursive(leaves | placed, larger, max_leaves=5)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Rule], dict[str, str]]:
    """Rules and an article of a few words, so that they meet."""
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=2, max_size=3, unique=True))
    trees, texts = _trees(words), _texts(words)
    zones = st.sampled_from([{"body"}, {*_ZONES}, {"title", "lead", "body"}, {"title", "rest"}])
    rules = draw(st.lists(st.tuples(trees, st.none() | trees, zones), min_size=3, max_size=8))
    content = draw(st.fixed_dictionaries({"body": texts}, optional=dict.fromkeys(("title", "lead", "rest"), texts)))
    return rules, {**dict.fromkeys(_ZONES, ""), **content, "lang": draw(st.sampled_from(["ar", "en"])), "source": "reuters"}


def written(tree: Tree) -> str:  # noqa: PLR0911 - one case a kind
    """The tree in the query language."""
    match tree:
        case ("term", mark, text, star):
            text += "*" if star else ""
            return str(mark) + (f'"{text}"' if " " in text else str(text))
        case ("actor", name):
            return f"actor:{name}"
        case ("is", field, value):
            return f"{field}:{value}"
        case ("not", part):
            return f"NOT ({written(part)})"
        case ("zone", zone, part):
            return f"{zone}:({written(part)})"
        case ("same", left, right):
            return f"SAME({written(left)}, {written(right)})"
        case ("count", least, part):
            return f"COUNT({written(part)})>={least}"
        case ("near" | "before", between, left, right):
            return f"(({written(left)}) {tree[0].upper()}/{between} ({written(right)}))"
        case _:
            return f"(({written(tree[1])}) {tree[0].upper()} ({written(tree[2])}))"


def is_positive(tree: Tree) -> bool:
    """Whether something must be found for it to hold; the language refuses other rules."""
    match tree:
        case ("not", _) | ("is", _, _):
            return False
        case ("zone", _, part):
            return is_positive(part)
        case ("and", left, right):
            return is_positive(left) or is_positive(right)
        case ("or", left, right):
            return is_positive(left) and is_positive(right)
        case _:
            return True


def watchlist(rules: list[Rule]) -> str:
    entries: list[dict[str, object]] = []
    for actor in ACTORS:
        near = {"require_near": {"any": actor.near, "within": actor.within}} if actor.near else {}
        entries.append({"id": actor.id, "names": actor.names, "not_in": actor.not_in, **near})
    stated = [
        {"id": f"r{number}", "where": written(where), "zones": sorted(zones), **({"unless": written(unless)} if unless else {})}
        for number, (where, unless, zones) in enumerate(rules)
    ]
    return json.dumps({"desk": "d", "actors": entries, "rules": stated}, ensure_ascii=False)


@given(world=worlds())
@settings(max_examples=250, deadline=None)
def test_the_same_actors_and_rules(world: tuple[list[Rule], dict[str, str]]) -> None:
    """Which alert, and which hold, whatever is asked of whatever texts."""
    rules, content = [rule for rule in world[0] if is_positive(rule[0])], world[1]
    texts = {zone: content[zone] for zone in _ZONES}

    def found(leaf: Tree) -> list[Hit]:
        if leaf[0] == "or":
            return found(leaf[1]) + found(leaf[2])
        if leaf[0] == "actor":
            return slow.actor_hits(next(actor for actor in ACTORS if actor.id == leaf[1]), ACTORS, texts)
        return slow.term_hits(leaf, texts)

    expected = [
        f"r{number}"
        for number, (where, unless, zones) in enumerate(rules)
        if slow.holds(where, frozenset(zones), found, content)
        and not (unless and slow.holds(unless, frozenset(zones), found, content))
    ]
    alerting = [actor.id for actor in ACTORS if any(hit.zone != "rest" for hit in found(("actor", actor.id)))]
    compiled = compile_desks(parse_watchlist(watchlist(rules), "w.yaml"))
    for ready in (compiled, reanchored(compiled)):
        ((_, judgement),) = judge_all(ready, subject_of(ready, article(**content)))
        assert judgement.failed == {}
        assert [rule.id for rule in judgement.rules] == expected
        assert [actor.id for actor in judgement.actors] == alerting
