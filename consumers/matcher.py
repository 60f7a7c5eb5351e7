"""Hop 3: which articles hit which desks' watchlists. One match an article and desk, when there is a hit or a near miss.

article ─ search once for all desks ─ judge desk by desk ─▶ Match
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from consumers.automaton import MOST_RAW
from consumers.compile import Compiled
from consumers.judge import Judgement, Subject, judge_all
from consumers.search import zone_texts
from consumers.watchlist.desk import Desk
from daemon.bus.base import Record
from daemon.bus.topics import MATCHES
from daemon.messages.article import Article
from daemon.messages.match import ActorFound, ArticleCard, Match, RuleFound
from daemon.messages.wire import encode, match_id
from daemon.stage.hop import Effects, Fact, Hop, Notice, Table, Time

LONGEST: Final = 512 * 1024
"""Characters of one zone that are looked at; the enricher cuts articles to fewer, files given to `rasid match` are not cut."""

_LONGEST_ERROR: Final = 300


class Failure(NamedTuple):
    """A rule that raised, of this version of the desk's watchlist; it is left out of the article, and of no other."""

    desk: str
    version: str
    rule: str
    error: str


@dataclass(frozen=True, slots=True)
class Matched:
    """What `prepare` makes of an article: its matches, the rules that raised, and whether it held too many hits (`cut`)."""

    article: str
    matches: tuple[Match, ...]
    failed: tuple[Failure, ...] = ()
    cut: bool = False


class Matcher(Hop[Article, Matched]):
    """Holds the compiled watchlists; `swap` replaces them between two articles, from any thread.

    It remembers nothing of an article, not even that a rule raised: what becomes of an article depends on it alone.
    """

    name = "matcher"
    time = Time.WALL

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled

    @property
    def compiled(self) -> Compiled:
        return self._compiled

    def swap(self, compiled: Compiled) -> None:
        """Match with these watchlists from now on."""
        self._compiled = compiled

    def prepare(self, batch: Sequence[Article]) -> Sequence[Matched]:
        compiled = self._compiled
        return [_matched(compiled, article) for article in batch]

    def decide(self, item: Matched, table: Table, now: float) -> Effects:  # noqa: ARG002 - the hop's contract
        out = [Record(MATCHES, match.desk, match.id.encode(), encode(match), now) for match in item.matches]
        outcome = "matched" if any(match.hits for match in item.matches) else "near_miss" if item.matches else "nothing"
        facts = [Fact("rasid_articles_total", {"hop": self.name, "outcome": outcome})]
        facts += [Fact("rasid_rules_failed_total", {"desk": each.desk, "rule": each.rule}) for each in item.failed]
        notices = [_notice(each, item.article) for each in item.failed]
        if item.cut:
            notices.append(Notice("hits_cut", {"article": item.article}, {"most": str(MOST_RAW)}))
        return Effects(out=out, facts=facts, notices=notices)


def _notice(failure: Failure, article: str) -> Notice:
    about = {"desk": failure.desk, "rule": failure.rule, "watchlist": failure.version}
    return Notice("rule_failed", about, {"error": failure.error[:_LONGEST_ERROR], "article": article})


def _matched(compiled: Compiled, article: Article) -> Matched:
    subject = subject_of(compiled, article)
    judged = list(judge_all(compiled, subject))
    return Matched(
        article=article.id,
        matches=tuple(_match(desk, article, judgement) for desk, judgement in judged if judgement),
        failed=tuple(
            Failure(desk.name, desk.version, rule, error)
            for desk, judgement in judged
            for rule, error in judgement.failed.items()
        ),
        cut=subject.found.cut,
    )


def judge_article(compiled: Compiled, article: Article) -> Iterator[tuple[Desk, Judgement]]:
    """What each desk makes of an article, in the order of the desks."""
    return judge_all(compiled, subject_of(compiled, article))


def subject_of(compiled: Compiled, article: Article) -> Subject:
    """The article searched."""
    texts = zone_texts({zone: text[:LONGEST] for zone, text in article.zones().items()})
    return Subject(texts, attributes(article), compiled.searcher.search(texts))


def attributes(article: Article) -> Mapping[str, Sequence[str]]:
    """What rules may ask of an article beside its texts, by field."""
    source = article.source
    hosts = [_host(url) for url in (source.url, article.url) if url]
    return {
        "source": [value for value in (source.name or article.feed.name, *hosts) if value],
        "feed": [value for value in (article.feed.id, article.feed.name) if value],
        "lang": [article.language.tag],
        "country": [article.feed.country],
        "author": article.authors,
        "url": [article.url],
        "tag": [*article.tags, *article.feed.tags],
    }


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a broken address in a feed is no reason to stop
        return ""


def _match(desk: Desk, article: Article, judgement: Judgement) -> Match:
    return Match(
        id=match_id(desk.name, article.id, article.revision),
        desk=desk.name,
        time_zone=desk.time_zone,
        watchlist=desk.version,
        article=_card(article),
        actors=tuple(
            ActorFound(id=actor.id, name=actor.name, kind=actor.kind, severity=actor.severity, notify=actor.notify)
            for actor in judgement.actors
        ),
        rules=tuple(
            RuleFound(id=rule.id, name=rule.name, severity=rule.severity, notify=rule.notify, stage=rule.stage)
            for rule in judgement.rules
        ),
        hits=judgement.hits,
        near_misses=judgement.near_misses,
        more_hits=judgement.more_hits,
        more_misses=judgement.more_misses,
        more_actors=judgement.more_actors,
        more_rules=judgement.more_rules,
    )


def _card(article: Article) -> ArticleCard:
    return ArticleCard(
        id=article.id,
        revision=article.revision,
        url=article.url,
        title=article.title,
        feed=article.feed,
        language=article.language,
        published=article.published,
        fetched_at=article.fetched_at,
        source=article.source,
        sketch=article.sketch,
        changed=article.changed,
        backfill=article.backfill,
    )
