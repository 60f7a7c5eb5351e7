"""Routes and matchers, in Alertmanager's words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alerts.matchers import parse_matcher
from alerts.route import Router, check_routes
from daemon.config.document import parse_document
from daemon.config.load import validate
from daemon.config.models import Config, Route
from daemon.errors import Problem
from daemon.messages.match import Severity
from tests.alerts.builders import actor, match
from tests.alerts.living import RECEIVERS, Living, ends

LABELS = {"desk": "iraq", "severity": "high", "source": "ina.example", "lang": "ar", "rule": "", "actor": "x", "stage": "live"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('desk="iraq"', True),
        ('desk = "iraq"', True),
        ('desk="Iraq"', False),
        ('desk!="iraq"', False),
        ('desk!="levant"', True),
        ('severity=~"high|normal"', True),
        ('severity=~"normal|low"', False),
        ('source=~"ina"', False),
        ('source=~"ina.*"', True),
        (r'source=~"ina\.example"', True),
        ('source!~".*example"', False),
        ('rule=""', True),
        ('kind=""', True),
        (r'actor="a \"b\" \\ c"', False),
    ],
)
def test_matcher_holds(text: str, holds: bool) -> None:  # noqa: FBT001 - a table
    """`=`, `!=` compare whole values, `=~`, `!~` are anchored; an absent label is empty."""
    assert parse_matcher(text)(LABELS) is holds


def test_quotes_in_a_value_are_escaped() -> None:
    """A backslash takes the next character as it is."""
    assert parse_matcher(r'actor="a \"b\" \\ c"')({"actor": r'a "b" \ c'})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("desk=iraq", "quotes included"),
        ('desk=="iraq"', "quotes included"),
        ('desk="iraq" severity="high"', "quotes included"),
        ("", "quotes included"),
        ('team="iraq"', "no label 'team'; there are: desk, rule"),
        ('severity="urgent"', "no severity 'urgent'; there are: low, normal, high"),
        ('severity=~"urgent|critical"', "fits no severity"),
        ('stage="Shadow"', "no stage 'Shadow'"),
        ('source=~"a("', "not a regular expression"),
    ],
)
def test_matcher_that_could_never_hold_is_refused(text: str, said: str) -> None:
    """Mistakes that would fail silently are errors with a hint."""
    with pytest.raises(ValueError, match=said):
        parse_matcher(text)


def route(*routes: Mapping[str, Any], **root: Any) -> Route:
    return Route.model_validate({"receiver": "screen", **root, "routes": routes})


IRAQ = {"matchers": ['desk="iraq"'], "receiver": "slack"}
HIGH = {"matchers": ['severity="high"'], "receiver": "mail"}


@pytest.mark.parametrize(
    ("tree", "receivers"),
    [
        (route(), ["screen"]),
        (route(IRAQ), ["slack"]),
        (route({"matchers": ['desk="levant"'], "receiver": "slack"}), ["screen"]),
        (route(IRAQ, HIGH), ["slack"]),
        (route({**IRAQ, "continue": True}, HIGH), ["slack", "mail"]),
        (route({**IRAQ, "continue": True}), ["slack"]),
        (route({**IRAQ, "routes": [HIGH]}), ["mail"]),
        (route({**IRAQ, "routes": [{**HIGH, "matchers": ['severity="low"']}]}), ["slack"]),
        (route({"matchers": ['desk="iraq"'], "routes": [HIGH]}), ["mail"]),
        (route({"matchers": ['desk="iraq"']}), ["screen"]),
        (route({**IRAQ, "continue": True}, {**HIGH, "receiver": "slack"}), ["slack"]),
        (route({"receiver": "slack"}), ["slack"]),
        (route({"matchers": ['desk="iraq"', 'lang="en"'], "receiver": "slack"}), ["screen"]),
        (route({**IRAQ, "receiver": "pager"}), []),
    ],
)
def test_tree_gives_receivers(tree: Route, receivers: list[str]) -> None:
    """The deepest matching branches decide, the first sibling wins unless it continues; each receiver is named once."""
    assert [target.receiver for target in Router(tree, RECEIVERS).targets(LABELS)] == receivers


def test_timings_are_inherited_key_by_key() -> None:
    """What a branch leaves unset is its parent's, each severity's wait by itself."""
    own = {**IRAQ, "group_wait": {"high": "5s"}, "update_interval": "1m"}
    tree = route(own, group_wait={"normal": "30s"}, update_interval_max="2h")
    (target,) = Router(tree, RECEIVERS).targets(LABELS)
    assert [target.timings.group_wait.of(severity) for severity in Severity] == [600.0, 30.0, 5.0]
    assert (target.timings.update_interval, target.timings.update_interval_max) == (60.0, 7200.0)


def test_notify_replaces_receivers_and_keeps_timings() -> None:
    """`notify` replaces the receiver that the tree would give, the tree's timings stay."""
    tree = route({**IRAQ, "group_wait": {"high": "5s"}})
    targets = Router(tree, RECEIVERS).targets(LABELS, ["mail", "screen"])
    assert [target.receiver for target in targets] == ["mail", "screen"]
    assert {target.timings.group_wait.high for target in targets} == {5.0}


def test_finding_without_a_receiver_is_suppressed() -> None:
    """A finding whose receivers are not configured any more is recorded, not lost."""
    living = Living(route(), frozenset())
    living.take(match("a1", actor("x")))
    assert ends(living.outcomes) == [("x", "suppressed", "no_receiver")]


def test_routes_judge_findings() -> None:
    """Findings of one match go to different receivers, each in a message of its own."""
    living = Living(route({"matchers": ['actor="x"'], "receiver": "slack"}))
    living.take(match("a1", actor("x"), actor("y"), actor("z", notify=("mail",))))
    assert [(message.receiver, [card.actor for card in message.findings]) for message in living.messages] == [
        ("slack", ["x"]),
        ("screen", ["y"]),
        ("mail", ["z"]),
    ]


CONFIG = """\
receivers:
  - name: screen
    console: {}
  - name: screen
    console: {}
route:
  receiver: screen
  update_interval: 5h
  routes:
    - matchers: ['desk=iraq']
      receiver: slack
      routes:
        - matchers: ['desk="iraq"', 'team="x"']
          receiver: screen
"""


def test_mistakes_in_routes_have_their_place() -> None:
    """`rasid check` names line, key and reason of receivers that are missing or double, and matchers that cannot be read."""
    document = parse_document(CONFIG, "config.yaml")
    config = validate(Config, document, {}, folder=Path())
    place = Problem(file="w.yaml", line=3, key="actors[0].notify", reason="")
    named = [("screen", place), ("pager", place)]
    found = [(p.line, p.key, p.reason) for p in check_routes(config, document, named)]
    assert [(line, key) for line, key, _ in found] == [
        (1, "receivers"),
        (6, "route"),
        (11, "route.routes[0].receiver"),
        (10, "route.routes[0].matchers[0]"),
        (13, "route.routes[0].routes[0].matchers[1]"),
        (3, "actors[0].notify"),
    ]
    assert found[-1][2] == "'pager', which is no receiver; there are: screen"


def test_sound_routes_have_no_mistakes() -> None:
    """The defaults are in order."""
    document = parse_document("{}", "config.yaml")
    assert check_routes(Config(), document, []) == []
