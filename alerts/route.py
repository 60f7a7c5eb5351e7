"""Routes: to whom a finding goes and with which timings, by a tree in Alertmanager's words.

The deepest branches that match decide; the first of siblings wins unless it says `continue`. What a branch leaves unset
is its parent's. `notify` of a rule or actor replaces the receivers; the timings stay those of the first branch.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from alerts.filters import Verdict
from alerts.finding import Finding, Target, Timings
from alerts.matchers import Matcher, parse_matcher
from daemon.config.document import Document, KeyPath
from daemon.config.models import Branch, Config, GroupWait, Route
from daemon.errors import Problem
from daemon.messages.alert import Reason
from daemon.stage.hop import Table

Fault: TypeAlias = tuple[KeyPath, str]
Pace: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class _Node:
    """A branch with its parent's words filled in."""

    matchers: tuple[Matcher, ...]
    target: Target
    goes_on: bool
    children: tuple["_Node", ...]

    def targets(self, labels: Mapping[str, str]) -> list[Target]:
        found: list[Target] = []
        for child in self.children:
            if all(matcher(labels) for matcher in child.matchers):
                found += child.targets(labels)
                if not child.goes_on:
                    break
        return found or [self.target]


class Router:
    """The filter: the finding with its targets, one a receiver. Raises `ValueError` for a matcher it cannot read."""

    def __init__(self, route: Route, receivers: Collection[str]) -> None:
        timings = Timings(
            group_wait=route.group_wait,
            update_interval=route.update_interval,
            update_interval_max=route.update_interval_max,
        )
        root = Target(route.receiver, timings)
        self._root = _Node((), root, False, tuple(_node(branch, root) for branch in route.routes))  # noqa: FBT003 - a record
        self._receivers = frozenset(receivers)

    def __call__(self, finding: Finding, _table: Table, _now: float) -> Finding | Verdict:
        labels = finding.labels() if self._root.children else {}
        targets = self.targets(labels, finding.notify)
        return replace(finding, targets=targets) if targets else Verdict(Reason.NO_RECEIVER)

    def targets(self, labels: Mapping[str, str], notify: Sequence[str] = ()) -> tuple[Target, ...]:
        """Where findings with these labels go; receivers that are not configured are left out."""
        found = self._root.targets(labels)
        if notify:
            found = [Target(name, found[0].timings) for name in notify]
        first = {target.receiver: target for target in reversed(found)}
        names = dict.fromkeys(target.receiver for target in found)
        return tuple(first[name] for name in names if name in self._receivers)


def check_routes(config: Config, document: Document, notified: Iterable[tuple[str, Problem]]) -> list[Problem]:
    """What is wrong with receivers and routes. `document` places it; `notified`: what watchlists name, and where."""
    names = [receiver.name for receiver in config.receivers]
    twice = [name for name, count in Counter(names).items() if count > 1]
    problems = [document.problem(("receivers",), f"two receivers are called {name!r}") for name in twice]
    problems += [document.problem(path, reason) for path, reason in _faults(config.route, ("route",), names)]
    problems += [replace(place, reason=_no_receiver(name, names)) for name, place in notified if name not in names]
    return problems


def idle_branches(config: Config, document: Document, desks: Collection[str]) -> list[Problem]:
    """Matchers that fit none of the desks, so that their branch never decides. Of routes that `check_routes` takes."""
    found = _desk_matchers(config.route.routes, ("route",))
    idle = [(path, text) for path, text in found if not any(parse_matcher(text)({"desk": desk}) for desk in desks)]
    there = ", ".join(sorted(desks))
    return [document.problem(path, f"{text} fits no desk; there are: {there}") for path, text in idle]


def _desk_matchers(routes: Sequence[Branch], path: KeyPath) -> Iterator[Fault]:
    for index, branch in enumerate(routes):
        here = (*path, "routes", index)
        for number, text in enumerate(branch.matchers):
            if parse_matcher(text).label == "desk":
                yield (*here, "matchers", number), text
        yield from _desk_matchers(branch.routes, here)


def _node(branch: Branch, parent: Target) -> _Node:
    timings = Timings(
        group_wait=_group_wait(branch.group_wait, parent.timings.group_wait),
        update_interval=_or(branch.update_interval, parent.timings.update_interval),
        update_interval_max=_or(branch.update_interval_max, parent.timings.update_interval_max),
    )
    target = Target(branch.receiver or parent.receiver, timings)
    matchers = tuple(parse_matcher(text) for text in branch.matchers)
    return _Node(matchers, target, branch.continue_, tuple(_node(child, target) for child in branch.routes))


def _group_wait(own: GroupWait | None, parent: GroupWait) -> GroupWait:
    """Severity by severity: what is not written is the parent's."""
    return parent.model_copy(update={name: getattr(own, name) for name in own.model_fields_set}) if own else parent


def _or(own: float | None, parent: float) -> float:
    return parent if own is None else own


def _faults(route: Route | Branch, path: KeyPath, names: Collection[str], above: Pace = (None, None)) -> Iterator[Fault]:
    if route.receiver is not None and route.receiver not in names:
        yield (*path, "receiver"), _no_receiver(route.receiver, names)
    own = (route.update_interval, route.update_interval_max)
    interval, longest = (inherited if mine is None else mine for mine, inherited in zip(own, above, strict=True))
    if own != (None, None) and interval is not None and longest is not None and longest < interval:
        yield (*path, "update_interval_max"), "update_interval_max is shorter than update_interval"
    for index, text in enumerate(route.matchers if isinstance(route, Branch) else ()):
        try:
            parse_matcher(text)
        except ValueError as error:
            yield (*path, "matchers", index), str(error)
    for index, child in enumerate(route.routes):
        yield from _faults(child, (*path, "routes", index), names, (interval, longest))


def _no_receiver(name: str, names: Iterable[str]) -> str:
    return f"{name!r}, which is no receiver; there are: {', '.join(sorted(set(names)))}"
