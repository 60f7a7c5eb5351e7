"""What a desk makes of an article: guards, zones, overlaps, rules, limits, rules that raise."""

import json
from dataclasses import replace

import pytest

from consumers.compile import compile_desks
from consumers.judge import MAX_FOUND, MAX_HITS, MAX_MISSES
from consumers.matcher import judge_article
from consumers.syntax import ActorTerm
from daemon.messages.article import Zone
from daemon.messages.match import NearMiss
from tests.consumers.articles import article, desk, judged

MINISTRY = """
    actors:
      - id: mod
        names: [وزارة الدفاع, Ministry of Defence]
        require_near: {any: [العراق, Iraq*], within: 3}
        not_in: [وزارة الدفاع الأمريكية]
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("أعلنت وزارة الدفاع في العراق", None),
        ("Iraqi officials: the Ministry of Defence said", None),
        ("أعلنت وزارة الدفاع", NearMiss.REQUIRE_NEAR),
        ("Iraq one two three four Ministry of Defence", NearMiss.REQUIRE_NEAR),
        ("العراق: لوزارة الدفاع الأمريكية", NearMiss.NOT_IN),
    ],
)
def test_guards(text: str, reason: NearMiss | None) -> None:
    """An ambiguous name counts only near its company and not inside the longer names it is not."""
    judgement = judged(MINISTRY, article(text))
    assert bool(judgement.actors) is (reason is None)
    assert [miss.reason for miss in judgement.near_misses] == ([] if reason is None else [reason])


def test_rest_is_a_near_miss_unless_the_actor_is_in_the_article() -> None:
    """Names found only beside the article stay silent, with the reason; those of its own text alert and are not near misses."""
    names = "actors: [[Nawaf Salam], [Lloyd Austin]]"
    judgement = judged(names, article("Lloyd Austin spoke", rest="Lloyd Austin and Nawaf Salam"))
    assert [actor.id for actor in judgement.actors] == ["lloyd-austin"]
    assert [(hit.zone, hit.actor) for hit in judgement.hits] == [(Zone.BODY, "lloyd-austin")]
    assert [(miss.reason, miss.zone, miss.actor) for miss in judgement.near_misses] == [
        (NearMiss.ZONE, Zone.REST, "nawaf-salam")
    ]


def test_longest_alias_of_one_actor_wins() -> None:
    """Of one actor's overlapping names the longest is the hit; the same span is every actor's whose name it is."""
    judgement = judged(
        "actors: [[Bin Zayed, Abdullah bin Zayed], {id: other, names: Abdullah bin Zayed}]", article("Abdullah bin Zayed")
    )
    assert [(hit.surface, hit.actor) for hit in judgement.hits] == [
        ("Abdullah bin Zayed", "bin-zayed"),
        ("Abdullah bin Zayed", "other"),
    ]


def test_longest_name_wins_in_unspaced_scripts() -> None:
    """東京都 is not 京都, whoever's name the longer one is."""
    judgement = judged("actors: [{id: kyoto, names: 京都}, {id: tokyo, names: 東京都}]", article("東京都の"))
    assert [actor.id for actor in judgement.actors] == ["tokyo"]
    assert [(miss.reason, miss.actor) for miss in judgement.near_misses] == [(NearMiss.NOT_IN, "kyoto")]


def test_actor_that_does_not_alert_serves_rules() -> None:
    """`alert: false` leaves an actor to the rules; the rule's evidence names both."""
    text = "actors: [{id: mod, names: Ministry of Defence, alert: false}]\nrules: [{id: r, where: 'actor:mod NEAR/4 war'}]"
    judgement = judged(text, article("the Ministry of Defence on war", rest="Ministry of Defence"))
    assert (judgement.actors, [rule.id for rule in judgement.rules]) == ((), ["r"])
    assert [(hit.surface, hit.actor, hit.rule) for hit in judgement.hits] == [
        ("Ministry of Defence", "mod", "r"),
        ("war", None, "r"),
    ]
    assert not judgement.near_misses


RULES = [
    ("a NEAR/2 b", "a x y b", True),
    ("a NEAR/2 b", "b x y a", True),
    ("a NEAR/2 b", "a x y z b", False),
    ("a NEAR/0 a", "a", False),
    ("a BEFORE/1 b", "a x b", True),
    ("a BEFORE/1 b", "b x a", False),
    ("(a OR c) NEAR/1 b", "c b", True),
    ("中 NEAR/2 国", "中一二国", True),
    ("中 NEAR/2 国", "中一二三国", False),
    ("a AND NOT b", "a", True),
    ("a AND NOT b", "a b", False),
    ("a AND (NOT b OR c)", "a b c", True),
    ("SAME(a, b)", "x a y. z b.", False),
    ("SAME(a, b)", "x a b. z.", True),
    ("COUNT(a)>=2", "a b", False),
    ("COUNT(a OR b)>=2", "a b", True),
    ("title:a", "a", False),
    ("body:a", "a", True),
    ("a AND source:*.example.org", "a", False),
    ("a AND source:example.*", "a", True),
    ("a AND lang:ar", "a", True),
    ("a AND url:*/news/*", "a", True),
    ("a AND tag:politics", "a", True),
    ('a AND author:"jane doe"', "a", True),
    ("a AND country:IQ", "a", True),
    ("a AND feed:f1", "a", True),
]


@pytest.mark.parametrize(("query", "text", "holds"), RULES)
def test_queries_hold(query: str, text: str, *, holds: bool) -> None:
    """Each operator and field of the query language means what matching.md says."""
    about = {
        "lang": "ar",
        "url": "https://www.example.org/news/1",
        "tags": ["Politics"],
        "authors": ["Jane Doe"],
        "country": "IQ",
        "feed": "f1",
    }
    judgement = judged(f"rules:\n  - id: r\n    where: >-\n      {query}\n", article(text, **about))
    assert bool(judgement.rules) is holds
    assert bool(judgement.hits) is holds


def test_near_keeps_to_one_zone_and_to_its_pairs() -> None:
    """NEAR never reaches from one zone into another, and only what stands near is evidence."""
    rule = "rules: [{where: 'a NEAR/3 b'}]"
    assert not judged(rule, article("b", title="a")).rules
    judgement = judged(rule, article("a x x x x x a b"))
    assert [hit.start for hit in judgement.hits] == [12, 14]


def test_rule_outside_its_zones_is_a_near_miss() -> None:
    """A rule that would hold beside the article is a near miss of its zone."""
    judgement = judged("rules: [{id: r, all: [minister, war], zones: [title, lead]}]", article("the minister", title="war"))
    assert not judgement.rules
    assert [(miss.reason, miss.zone, miss.surface, miss.rule) for miss in judgement.near_misses] == [
        (NearMiss.ZONE, Zone.BODY, "minister", "r")
    ]


def test_rest_is_searched_when_asked() -> None:
    """`rest` belongs to a rule that names it, in its zones or as a field."""
    assert judged("rules: [{any: war, zones: [rest]}]", article("x", rest="war")).rules
    assert judged("rules: [{where: 'rest:war'}]", article("x", rest="war")).rules


def test_unless_makes_a_near_miss() -> None:
    """A rule whose `unless` holds stays silent, with that reason."""
    judgement = judged("rules: [{id: r, any: war, unless: 'source:example.org'}]", article("war", url="https://example.org/x"))
    assert not judgement.rules
    assert [miss.reason for miss in judgement.near_misses] == [NearMiss.UNLESS]


@pytest.mark.parametrize(
    ("rule", "text", "holds"),
    [
        ("any: [war, peace]", "peace", True),
        ("all: [war, peace]", "war", False),
        ("all: [war, peace]", "war and peace", True),
        ("{any: [war], none: [film, novel]}", "war novel", False),
        ("{any: [war], all: [peace]}", "peace", False),
    ],
)
def test_any_all_none(rule: str, text: str, *, holds: bool) -> None:
    """Rules without grammar: one of `any`, every one of `all`, nothing of `none`."""
    written = rule if rule.startswith("{") else "{" + rule + "}"
    assert bool(judged(f"rules: [{written}]", article(text)).rules) is holds


def test_limits_are_shared_fairly() -> None:
    """At most 200 hits and 20 near misses are kept, the rest counted, and nobody's first is crowded out."""
    judgement = judged("actors: [[aaa], [bbb], [ccc], [ddd]]", article("aaa " * 300 + "bbb", rest="ccc " * 50 + "ddd"))
    assert (len(judgement.hits), judgement.more_hits) == (MAX_HITS, 301 - MAX_HITS)
    assert (len(judgement.near_misses), judgement.more_misses) == (MAX_MISSES, 51 - MAX_MISSES)
    assert {hit.actor for hit in judgement.hits} == {"aaa", "bbb"}
    assert {miss.actor for miss in judgement.near_misses} == {"ccc", "ddd"}


def test_findings_of_a_match_are_bounded() -> None:
    """At most 200 actors and 200 rules are named, the most severe, each with its evidence; the others are counted."""
    names = [f"name{number:03}" for number in range(MAX_FOUND + 9)]
    actors = [{"id": name, "names": [name], "severity": "high" if number >= 9 else "low"} for number, name in enumerate(names)]
    rules = [{"id": name, "any": "name000"} for name in names]
    judgement = judged(f"actors: {json.dumps(actors)}\nrules: {json.dumps(rules[:-4])}", article(" ".join(names)))
    assert [actor.id for actor in judgement.actors] == names[9:]
    assert [rule.id for rule in judgement.rules] == names[:MAX_FOUND]
    assert (judgement.more_actors, judgement.more_rules) == (9, 5)
    assert len(judgement.hits) + judgement.more_hits == 2 * len(names) - 4
    assert all(hit.rule in names[:MAX_FOUND] if hit.rule else hit.actor in names[9:] for hit in judgement.hits)


def test_rule_that_raises_is_left_out_alone() -> None:
    """A rule that explodes is named with its error; the article's other findings stand."""
    read = desk("actors: [[war]]\nrules: [{id: good, any: war}, {id: bad, any: war}]")
    broken = replace(read.rules[1], unless=ActorTerm("nobody"))
    ((_, judgement),) = judge_article(compile_desks([replace(read, rules=(read.rules[0], broken))]), article("war"))
    assert [rule.id for rule in judgement.rules] == ["good"]
    assert [actor.id for actor in judgement.actors] == ["war"]
    assert list(judgement.failed) == ["bad"]


def test_snippet_is_the_sentence_and_bounded() -> None:
    """A hit brings its sentence, cut to about 300 characters, with the surface where `offset` says."""
    long = "One sentence. " + "word " * 200 + "Lloyd Austin " + "more " * 200 + ". Another."
    for text in (long, "First one. Then Lloyd Austin spoke! Last.", "Lloyd Austin", "x " * 200 + "Lloyd Austin"):
        (hit,) = judged("actors: [[Lloyd Austin]]", article(text)).hits
        assert hit.snippet[hit.offset : hit.offset + len(hit.surface)] == hit.surface == text[hit.start : hit.end]
        assert len(hit.snippet) <= 310
    (hit,) = judged("actors: [[Lloyd Austin]]", article("First one. Then Lloyd Austin spoke! Last.")).hits
    assert hit.snippet == "Then Lloyd Austin spoke!"
