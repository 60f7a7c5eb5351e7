"""The hop: articles in, matches out; and the sample with the starter watchlists."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from consumers.compile import Compiled, compile_desks
from consumers.matcher import Matched, Matcher
from consumers.ruletests import check_watchlists
from consumers.syntax import ActorTerm
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
    read = desk("rules: [{id: good, any: war}, {id: bad, any: war}]")
    return compile_desks([replace(read, rules=(read.rules[0], replace(read.rules[1], unless=ActorTerm("nobody"))))])


def failures(matcher: Matcher, items: Sequence[Matched]) -> list[str]:
    """The metrics of what deciding these articles counts beside the articles."""
    effects = [matcher.decide(item, StepTable(HeldRows()), 0.0) for item in items]
    return [fact.metric for each in effects for fact in each.facts if fact.metric != "rasid_articles_total"]


def test_a_rule_that_raises_is_quarantined_and_reported_once() -> None:
    """The exploding rule is logged and counted once and then left out; articles go on, and a swap gives it another chance."""
    matcher = Matcher(exploding())
    with capture_logs() as logs:
        both = matcher.prepare([article("war"), article("war")])
        assert failures(matcher, both) == ["rasid_rules_failed_total"]
    assert [(entry["event"], entry["desk"], entry["rule"]) for entry in logs] == [("rule_quarantined", "d", "bad")]
    (third,) = matcher.prepare([article("war")])
    assert [[rule.id for rule in item.matches[0].rules] for item in (*both, third)] == [["good"]] * 3
    assert [len(item.failed) for item in (*both, third)] == [1, 1, 0]
    matcher.swap(exploding())
    assert failures(matcher, matcher.prepare([article("war")])) == ["rasid_rules_failed_total"]


def test_preparing_changes_nothing() -> None:
    """A batch that is prepared again, as when a neighbour raised, gives the same: no failure is lost, none is logged."""
    matcher = Matcher(exploding())
    with capture_logs() as logs:
        first, again = matcher.prepare([article("war")]), matcher.prepare([article("war")])
    assert (first, logs) == (again, [])
    assert failures(matcher, again) == ["rasid_rules_failed_total"]


def test_splitting_a_batch_changes_nothing() -> None:
    """Articles prepared together give what they give one by one."""
    items = [article("war"), article("x"), article("x", rest="war peace")]
    matcher = Matcher(compile_desks(parse_watchlist(TWO, "w.yaml")))
    together: list[Matched] = list(matcher.prepare(items))
    assert together == [one for item in items for one in matcher.prepare([item])]


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
