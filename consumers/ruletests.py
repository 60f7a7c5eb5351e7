"""A rule's own tests, run: when watchlists load and in `rasid check`. Each desk's rules are tried as the matcher runs them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from consumers.compile import Compiled, compile_desks
from consumers.given import given_article
from consumers.matcher import judge_article
from consumers.watchlist.desk import Desk, Rule, RuleTest
from daemon.errors import Problem


def check_watchlists(desks: Sequence[Desk]) -> list[Problem]:
    """The tests that fail, in the order of the files; empty when all rules do as their tests say."""
    tested = [replace(desk, rules=tuple(rule for rule in desk.rules if rule.tests)) for desk in desks]
    return [problem for desk in tested if desk.rules for problem in _failures(desk, compile_desks([desk]))]


def _failures(desk: Desk, compiled: Compiled) -> Iterator[Problem]:
    for rule in desk.rules:
        for test in rule.tests:
            ((_, judgement),) = judge_article(compiled, given_article(test.article, "test"))
            holds = any(found.id == rule.id for found in judgement.rules)
            if rule.id in judgement.failed:
                yield replace(test.place, reason=f"rule {rule.id} raised: {judgement.failed[rule.id]}")
            elif holds != test.holds:
                yield replace(test.place, reason=_said(rule, test))


def _said(rule: Rule, test: RuleTest) -> str:
    return f"rule {rule.id} does not match this text" if test.holds else f"rule {rule.id} matches this text and should not"
