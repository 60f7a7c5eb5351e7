"""Every metric Rasid has, by its name. Hops name them in facts; shells and engines are handed `Metrics.observe`.

Names start with `rasid_`, units are base units, labels are bounded. docs/operations.md lists each one; a test holds that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY: Final = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
_BRIEF: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Observe(Protocol):
    """Counts one fact: a counter adds the amount, a gauge is set to it, a histogram observes it."""

    def __call__(self, name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None: ...


@dataclass(frozen=True, slots=True)
class Spec:
    """How a metric is made."""

    kind: type[Counter | Gauge | Histogram]
    text: str
    labels: Sequence[str] = ()
    buckets: Sequence[float] = _LATENCY


SPECS: Final[Mapping[str, Spec]] = {
    # feeds
    "rasid_polls_total": Spec(Counter, "Polls of feeds by outcome.", ("outcome",)),
    "rasid_feeds": Spec(
        Gauge, "Feeds by how they are doing; `silent` are those that do well but are quiet.", ("state", "partition")
    ),
    "rasid_feeds_repaired_total": Spec(Counter, "Documents of feeds that were broken, and read all the same."),
    "rasid_items_total": Spec(
        Counter,
        "Items of feeds: new, edited, known, withdrawn, caught_up (on older pages), evicted early, beyond (not taken).",
        ("outcome",),
    ),
    "rasid_gaps_total": Spec(Counter, "Feeds' windows that had rolled over since the last poll, so that news was missed."),
    "rasid_older_pages_total": Spec(
        Counter, "Older pages looked at after a gap, by way and what they gave.", ("way", "outcome")
    ),
    "rasid_identity_switches_total": Spec(
        Counter, "Feeds whose ids do not last, by what their items are known by now.", ("to",)
    ),
    "rasid_polling_stopped": Spec(Gauge, "1 while nothing is polled because the bus has no room for more."),
    # articles, findings, messages
    "rasid_articles_total": Spec(Counter, "Articles that left a hop, by outcome.", ("hop", "outcome")),
    "rasid_rules_failed_total": Spec(Counter, "Articles a rule raised at; it is left out there.", ("desk", "rule")),
    "rasid_watchlist_aliases": Spec(Gauge, "Names of a desk's actors.", ("desk",)),
    "rasid_watchlist_rules": Spec(Gauge, "Rules of a desk.", ("desk",)),
    "rasid_watchlist_version": Spec(Gauge, "A desk's watchlist as a number made of its content.", ("desk",)),
    "rasid_watchlist_build_seconds": Spec(Gauge, "How long the watchlists took to build, or to read when stored, last."),
    "rasid_findings_total": Spec(Counter, "Findings by recorded outcome and reason.", ("desk", "outcome", "reason")),
    "rasid_messages_total": Spec(Counter, "Attempts to send messages, by channel and outcome.", ("channel", "outcome")),
    "rasid_messages_doubtful_total": Spec(Counter, "Attempts that may have reached the receiver unknown to us.", ("channel",)),
    "rasid_fetch_delay_seconds": Spec(Histogram, "From an item's publication to its fetch."),
    "rasid_delivery_delay_seconds": Spec(Histogram, "From an article's fetch to its acceptance.", ("channel",)),
    # the runner
    "rasid_hop_records_total": Spec(Counter, "Records a hop took in and put out.", ("hop", "direction")),
    "rasid_hop_rows_total": Spec(Counter, "Rows a hop set or removed.", ("hop",)),
    "rasid_hop_held": Spec(Gauge, "Pieces of work in flight for a hop in this process.", ("hop", "partition")),
    "rasid_hop_lag_records": Spec(Gauge, "Records a hop has yet to decide.", ("hop", "partition")),
    "rasid_hop_lag_seconds": Spec(Gauge, "Age of the oldest record a hop has at hand and not decided.", ("hop", "partition")),
    "rasid_hop_step_seconds": Spec(Histogram, "Time a step took, commit included.", ("hop",), _BRIEF),
    "rasid_dead_letters_total": Spec(Counter, "Records no hop could handle.", ("hop", "reason")),
    "rasid_hop_failures_total": Spec(
        Counter, "Results, wakes and reloads that raised, and rows that cannot be read.", ("hop", "kind")
    ),
    "rasid_leases": Spec(Gauge, "Partitions this process holds, by hop.", ("hop",)),
    "rasid_records_skipped_total": Spec(Counter, "Records that retention removed before a hop had read them.", ("hop",)),
    "rasid_leases_lost_total": Spec(Counter, "Leases left by an error, by hop.", ("hop",)),
    "rasid_reloads_total": Spec(Counter, "Reloads of what people wrote: applied, unchanged, refused.", ("outcome",)),
    "rasid_reload_refused": Spec(Gauge, "1 while the files hold a mistake and the last good ones run on."),
    "rasid_reload_good_at_seconds": Spec(Gauge, "When what runs was last read and found right (seconds since 1970)."),
    "rasid_build_info": Spec(Gauge, "Always 1; the label says which build runs.", ("version",)),
}


def count_nothing(name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
    """An `Observe` for commands, whose metrics nobody asks for."""


class Metrics:
    """One process's metrics and their registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._metrics = {name: self._make(name, spec) for name, spec in SPECS.items()}

    def _make(self, name: str, spec: Spec) -> Counter | Gauge | Histogram:
        if spec.kind is Histogram:
            return Histogram(name, spec.text, spec.labels, registry=self.registry, buckets=spec.buckets)
        return spec.kind(name, spec.text, spec.labels, registry=self.registry)

    def observe(self, name: str, labels: Mapping[str, str] | None = None, amount: float = 1.0) -> None:
        """See `Observe`. An unknown name or label is a bug and raises."""
        metric = self._metrics[name]
        child = metric.labels(**labels) if labels else metric
        if isinstance(child, Counter):
            child.inc(amount)
        elif isinstance(child, Gauge):
            child.set(amount)
        else:
            child.observe(amount)
