"""Findings: one per actor or rule that hit, with the labels that silences and routes judge. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.cards import card_key
from alerts.evidence import sentences_of
from alerts.rows import Head, Sentence
from daemon.config.models import GroupWait
from daemon.messages.alert import FindingCard
from daemon.messages.article import Source
from daemon.messages.match import ActorFound, Match, RuleFound, Severity, Stage
from daemon.urls import site_of

LABELS: Final = ("desk", "rule", "actor", "kind", "severity", "source", "lang", "stage")
"""What a finding is known by. Each has one value; an actor's `rule` is empty, a rule's `actor` and `kind` are.

`source` is the site of the item's source, or of its feed; `lang` the article's language.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """When a route's messages leave: seconds to wait for copies by severity, and between updates (doubling up to the most)."""

    group_wait: GroupWait
    update_interval: float
    update_interval_max: float


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver that a finding goes to, and when."""

    receiver: str
    timings: Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One actor or rule that hit. Filters fill in `story`, `targets` and `in_summary` on its way."""

    match: Match
    card: FindingCard
    kind: str
    stage: Stage
    notify: tuple[str, ...]
    evidence: tuple[Sentence, ...] = ()
    story: str = ""
    targets: tuple[Target, ...] = ()
    in_summary: bool = False

    @property
    def key(self) -> str:
        return card_key(self.card)

    @property
    def severity(self) -> Severity:
        return self.card.severity

    def labels(self) -> dict[str, str]:
        """See `LABELS`."""
        article = self.match.article
        return {
            "desk": self.match.desk,
            "rule": self.card.rule,
            "actor": self.card.actor,
            "kind": self.kind,
            "severity": self.severity.value,
            "source": site_of(article.source.url) or site_of(article.feed.url),
            "lang": article.language.tag,
            "stage": self.stage.value,
        }


def expand(match: Match) -> Sequence[Finding]:
    """A match's findings, the most severe first; actors before rules, else in the match's order."""
    found = [_of_actor(match, actor) for actor in match.actors] + [_of_rule(match, rule) for rule in match.rules]
    return sorted({finding.key: finding for finding in found}.values(), key=lambda finding: -finding.severity.rank)


def head_of(match: Match) -> Head:
    """The match's article, as a message links to it."""
    article, feed = match.article, match.article.feed
    return Head(
        article=article.id,
        headline=article.title,
        url=article.url,
        language=article.language,
        source=article.source if article.source.name or article.source.url else Source(name=feed.name or feed.id, url=feed.url),
        published=article.published,
        found=article.fetched_at,
        time_zone=match.time_zone,
    )


def _of_actor(match: Match, actor: ActorFound) -> Finding:
    card = FindingCard(actor=actor.id, name=actor.name, severity=actor.severity)
    evidence = sentences_of(card_key(card), [hit for hit in match.hits if hit.actor == actor.id])
    return Finding(match=match, card=card, kind=actor.kind, stage=Stage.LIVE, notify=actor.notify, evidence=evidence)


def _of_rule(match: Match, rule: RuleFound) -> Finding:
    """A rule's evidence: its terms' hits, and those of actors that are only used in rules."""
    card = FindingCard(rule=rule.id, name=rule.name, severity=rule.severity)
    alone = {actor.id for actor in match.actors}
    hits = [hit for hit in match.hits if hit.rule == rule.id] or [
        hit for hit in match.hits if hit.rule is None and hit.actor not in alone
    ]
    return Finding(
        match=match,
        card=card,
        kind="",
        stage=rule.stage,
        notify=rule.notify,
        evidence=sentences_of(card_key(card), hits),
    )
