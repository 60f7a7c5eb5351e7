"""A rule's own tests, run: when watchlists load and in `rasid check`. Each desk's rules are tried as the matcher runs them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from consumers.compile import Compiled, compile_watchlists
from consumers.matcher import judge_article
from consumers.watchlist.desk import Desk, Rule, RuleTest
from daemon.errors import Problem
from daemon.messages.article import Article, FeedCard, Language, Moment, Source


def check_watchlists(desks: Sequence[Desk]) -> list[Problem]:
    """The tests that fail, in the order of the files; empty when all rules do as their tests say."""
    tested = [replace(desk, rules=tuple(rule for rule in desk.rules if rule.tests)) for desk in desks]
    return [problem for desk in tested if desk.rules for problem in _failures(desk, compile_watchlists([desk]))]


def _failures(desk: Desk, compiled: Compiled) -> Iterator[Problem]:
    for rule in desk.rules:
        for test in rule.tests:
            ((_, judgement),) = judge_article(compiled, test_article(test.article))
            holds = any(found.id == rule.id for found in judgement.rules)
            if rule.id in judgement.failed:
                yield replace(test.place, reason=f"rule {rule.id} raised: {judgement.failed[rule.id]}")
            elif holds != test.holds:
                yield replace(test.place, reason=_said(rule, test))


def _said(rule: Rule, test: RuleTest) -> str:
    return f"rule {rule.id} does not match this text" if test.holds else f"rule {rule.id} matches this text and should not"


def test_article(values: Mapping[str, str]) -> Article:
    """An article of a test's values: texts by zone, and what else a rule may ask for."""
    return Article(
        id="test",
        site="",
        url=values.get("url", ""),
        revision=1,
        feed=FeedCard(id=values.get("feed", ""), url="", country=values.get("country", "")),
        title=values.get("title", ""),
        lead=values.get("lead", ""),
        body=values.get("body", ""),
        rest=values.get("rest", ""),
        blocks=(),
        language=Language(tag=values.get("lang", "")),
        published=Moment(),
        updated=Moment(),
        fetched_at=0.0,
        source=Source(name=values.get("source", "")),
        authors=tuple(filter(None, [values.get("author", "")])),
        tags=tuple(filter(None, [values.get("tag", "")])),
    )
