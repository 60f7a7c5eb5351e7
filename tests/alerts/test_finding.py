"""Findings and their labels; the filters that need no row."""

from dataclasses import replace

import pytest

from alerts.filters import Verdict, judge, young_only
from alerts.finding import LABELS, expand
from alerts.render import render
from daemon.bus.held import HeldRows
from daemon.messages.alert import Reason
from daemon.messages.article import FeedCard, Source
from daemon.messages.match import Severity
from daemon.stage.table import StepTable
from tests.alerts.builders import FEED, NOON, actor, match, rule
from tests.alerts.living import Living

TABLE = StepTable(HeldRows())


def test_one_finding_an_actor_or_rule_the_most_severe_first() -> None:
    """A match expands into findings, one per rule or actor that hit."""
    found = expand(match("a1", actor("x", Severity.LOW), actor("y"), rule("r"), rule("s", Severity.NORMAL)))
    assert [finding.key for finding in found] == ["actor/y", "rule/r", "rule/s", "actor/x"]


def test_labels_are_single_valued() -> None:
    """Silences and routes judge {desk, rule, actor, kind, severity, source, lang, stage}; what does not apply is empty."""
    of_actor, of_rule = (finding.labels() for finding in expand(match("a1", actor("x"), rule("r"), lang="ar")))
    common = {"desk": "iraq", "severity": "high", "source": "ina.example", "lang": "ar", "stage": "live"}
    assert of_actor == {**common, "actor": "x", "rule": "", "kind": "person"}
    assert of_rule == {**common, "actor": "", "rule": "r", "kind": ""}
    assert set(of_actor) == set(LABELS)


def test_source_is_the_items_own_before_the_feeds() -> None:
    """An aggregator's item is judged by whom it names as its source; without one, by its feed."""
    one = match("a1", actor("x"), feed=replace(FEED, url="https://feeds.agg.example/rss"))
    bare = replace(one, article=replace(one.article, source=Source()))
    assert [expand(each)[0].labels()["source"] for each in (one, bare)] == ["ina.example", "agg.example"]


def test_message_without_a_source_names_the_feed() -> None:
    """The source line is never empty."""
    one = match("a1", actor("x"), feed=FeedCard(id="sample", url="file:seeds/sample-feed.xml", name="A sample"))
    living = Living()
    living.take(replace(one, article=replace(one.article, source=Source())))
    assert living.messages[0].source.name == "A sample"
    assert "A sample" in " ".join(render(living.messages[0]).origin)


@pytest.mark.parametrize(
    ("age", "most", "passes"),
    [
        (60.0, 86400.0, True),
        (86400.0, 86400.0, True),
        (86401.0, 86400.0, False),
        (1e9, None, True),
        (None, 86400.0, True),
        (-3600.0, 86400.0, True),
        (1.0, 0.0, False),
    ],
)
def test_max_age(age: float | None, most: float | None, passes: bool) -> None:  # noqa: FBT001 - a table
    """Nothing older than `max_age` at its fetch alerts; without a date it is as old as its first sight; `none` is no limit."""
    (finding,) = expand(match("a1", actor("x"), age=age, feed=replace(FEED, max_age=most)))
    assert young_only(finding, TABLE, NOON + 1e9) == (finding if passes else Verdict(Reason.TOO_OLD))


def test_filters_go_in_turn_until_one_has_a_verdict() -> None:
    """One loop: a filter may fill in the finding or end its way; the last must have a verdict."""
    (finding,) = expand(match("a1", actor("x")))
    verdict = Verdict(Reason.SHADOW)
    filled, ended = judge(finding, (lambda one, *_: replace(one, story="s"), lambda *_: verdict), TABLE, NOON)
    assert (filled.story, ended) == ("s", verdict)
    with pytest.raises(AssertionError, match="actor/x"):
        judge(finding, (lambda one, *_: one,), TABLE, NOON)
