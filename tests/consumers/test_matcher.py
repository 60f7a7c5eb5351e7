"""The hop: articles in, matches out; and the sample with the starter watchlists."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.compile import Compiled, compile_desks
from consumers.matcher import Matcher
from consumers.ruletests import check_watchlists
from consumers.syntax import ActorTerm, And
from consumers.watchlist.read import parse_watchlist, read_watchlists
from daemon.bus.held import HeldRows
from daemon.messages.article import Article, Source
from daemon.messages.match import Match, Severity
from daemon.messages.wire import decode, match_id
from daemon.stage.hop import Effects
from daemon.stage.table import StepTable
from tests.consumers.articles import article, compiled, desk

SEEDS = Path(__file__).parents[2] / "seeds" / "watchlists"
TWO = (
    "- {desk: a, time_zone: Asia/Baghdad, actors: [[war]]}\n"
    "- {desk: b, actors: [[war], [peace]], rules: [{any: war, stage: shadow}]}"
)


def decided(matcher: Matcher, item: Article) -> Effects:
    (prepared,) = matcher.prepare([item])
    return matcher.decide(prepared, StepTable(HeldRows()), 7.0)


def matches(effects: Effects) -> list[Match]:
    return [match for record in effects.out if isinstance(match := decode(record.value), Match)]


def test_one_match_a_desk() -> None:
    """Each desk gets its own match, on its lane, with what rendering needs and the watchlist's version."""
    desks = parse_watchlist(TWO, "w.yaml")
    item = replace(article("war"), title="T", revision=2, source=Source(name="INA"), fetched_at=5.0, sketch="ab")
    effects = decided(Matcher(compile_desks(desks)), item)
    assert [(record.topic, record.lane, record.key.decode(), record.at) for record in effects.out] == [
        ("matches", name, match_id(name, "a1", 2), 7.0) for name in ("a", "b")
    ]
    first, second = matches(effects)
    assert (first.desk, first.time_zone, first.watchlist) == ("a", "Asia/Baghdad", desks[0].version)
    assert (first.article.title, first.article.sketch, first.article.source.name) == ("T", "ab", "INA")
    assert [actor.id for actor in second.actors] == ["war"]
    assert [(rule.id, rule.stage, rule.severity) for rule in second.rules] == [("war", "shadow", Severity.NORMAL)]


@pytest.mark.parametrize(
    ("item", "outcome", "out"),
    [
        (article("war"), "matched", 1),
        (article("x", rest="war"), "near_miss", 1),
        (article("x"), "nothing", 0),
    ],
)
def test_every_article_is_counted(item: Article, outcome: str, out: int) -> None:
    """A match is emitted for a hit or a near miss; every article is counted once."""
    effects = decided(Matcher(compiled("actors: [[war]]")), item)
    assert len(effects.out) == out
    assert [(fact.metric, fact.labels["outcome"]) for fact in effects.facts] == [("rasid_articles_total", outcome)]


def test_swap_replaces_the_watchlists() -> None:
    """After a reload the new watchlists decide."""
    matcher = Matcher(compiled("actors: [[war]]"))
    matcher.swap(compiled("actors: [[peace]]"))
    assert [len(item.matches) for item in matcher.prepare([article("war"), article("peace")])] == [0, 1]


def exploding() -> Compiled:
    """Two rules that ask for war or peace; one of them raises wherever there is war."""
    read = desk("rules: [{id: good, any: [war, peace]}, {id: bad, any: [war, peace], unless: war}]")
    good, bad = read.rules
    assert bad.unless is not None
    return compile_desks([replace(read, rules=(good, replace(bad, unless=And((bad.unless, ActorTerm("nobody"))))))])


def found(effects: Effects) -> list[str]:
    return [rule.id for match in matches(effects) for rule in match.rules]


def test_a_rule_that_raises_is_left_out_of_that_article_and_reported() -> None:
    """The article keeps its other rules, and the next one all of them; each failure is counted, and noticed with its cause."""
    matcher = Matcher(exploding())
    effects = decided(matcher, article("war"))
    assert found(effects) == ["good"]
    assert [fact.labels for fact in effects.facts if fact.metric == "rasid_rules_failed_total"] == [
        {"desk": "d", "rule": "bad"}
    ]
    (notice,) = effects.notices
    assert (notice.event, notice.about["desk"], notice.about["rule"]) == ("rule_failed", "d", "bad")
    assert (notice.about["watchlist"], notice.details["article"]) == (matches(effects)[0].watchlist, "a1")
    assert "nobody" in notice.details["error"]
    after = decided(matcher, article("peace"))
    assert (found(after), after.notices) == (["good", "bad"], [])


@given(bodies=st.lists(st.sampled_from(["war", "peace", "war and peace", "x"]), max_size=6), cuts=st.lists(st.integers(0, 6)))
def test_splitting_a_batch_changes_nothing(bodies: list[str], cuts: list[int]) -> None:
    """Articles in other batches, prepared twice or not, give the same matches, facts and notices, also where a rule raises."""
    items = [replace(article(body), id=f"a{number}") for number, body in enumerate(bodies)]
    bounds = [0, *sorted(min(cut, len(items)) for cut in cuts), len(items)]
    matcher = Matcher(exploding())
    split = [effects for start, end in pairwise(bounds) for effects in lived(matcher, items[start:end])]
    assert split == lived(Matcher(exploding()), items) == lived(matcher, items)


def lived(matcher: Matcher, items: Sequence[Article]) -> list[Effects]:
    return [matcher.decide(item, StepTable(HeldRows()), 7.0) for item in matcher.prepare(items)]


def test_starter_watchlists_are_sound() -> None:
    """The starter watchlists read without warnings and do as their own tests say."""
    desks = read_watchlists(["*.yaml"], SEEDS, {})
    assert [read.name for read in desks] == ["iraq", "world"]
    assert not any(read.warnings for read in desks)
    assert check_watchlists(desks) == []


def test_sample_page_gives_three_findings() -> None:
    """On a page like the sample: two actors and one rule; whoever stands only below the article is a near miss of its zone."""
    body = (
        "التقى وزير الدفاع العراقي ثابت العباسي نظيره الأمريكي لويد جيه أوستن، الثلاثاء، في واشنطن.وذكر مصدر امني ان اللقاء "
        "جرى داخل مبنى البنتاغون.ورأى أوستن ان هذا الحوار يكمل مساراً."
    )
    rest = (
        "بيروت - اتصل نواف سلام، الأربعاء، بمحمد شياع السوداني.\nوكان جوزاف عون قد وقع مرسوماً.\n"
        "لندن تستقبل وزير الدفاع اليوناني\nعبدالله بن زايد يلتقي وزير خارجية بلغاريا\nنجيب ميقاتي"
    )
    matcher = Matcher(compile_desks(read_watchlists(["*.yaml"], SEEDS, {})))
    (match,) = matches(decided(matcher, article(body, title="العباسي في واشنطن", rest=rest)))
    assert [actor.id for actor in match.actors] == ["thabet-al-abbasi", "lloyd-austin"]
    assert [rule.id for rule in match.rules] == ["defence-minister-american"]
    assert [actor.severity for actor in match.actors] + [rule.severity for rule in match.rules] == [Severity.HIGH] * 3
    assert [hit.surface for hit in match.hits] == ["وزير الدفاع", "ثابت العباسي", "أمريكي", "لويد جيه أوستن"]
    assert {(miss.reason, miss.zone) for miss in match.near_misses} == {("zone", "rest")}
    assert {miss.actor for miss in match.near_misses} == {
        "nawaf-salam",
        "mohammed-shia-al-sudani",
        "joseph-aoun",
        "greek-defence-minister",
        "abdullah-bin-zayed",
        "najib-mikati",
    }
