"""Hop 2: what a feed said of an article → the article in zones, with language, date, sketch and revision.

    raw ─ prepare: zones, language, sketch (stateless) ─▶ decide: the article's row ─▶ new │ revision │ sighting │ unchanged

A row per article remembers what each feed last said, as hashes. Only texts of one feed are compared: another feed's text of
the same URL is a sighting (feeds 25). New articles and revisions go on; the others are counted. What becomes of old
articles and of first fetches is the alerter's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from consumers.sightings import ROW_LIFE, Sightings, read_sightings, row_key, write_sightings
from consumers.text.fold import fold_key
from consumers.text.language import Languages, Prior
from consumers.zones.zoner import Passage, Zoned, Zoner
from daemon.bus.base import Record, Row
from daemon.bus.topics import ARTICLES
from daemon.dates import believe, settle
from daemon.messages.article import Article, Language, RawArticle, Zone
from daemon.messages.wire import encode
from daemon.sketch import sketch
from daemon.stage.hop import NOTHING, Effects, Fact, Hop, Table, Time

_COMPARED: Final = (Zone.TITLE, Zone.LEAD, Zone.BODY)
"""What makes a revision, and what a sketch is of: a sidebar that changes is no edit, and one that is shared no copy."""


class Sight(StrEnum):
    """What an article at the enricher is; label of `rasid_articles_total`."""

    NEW = "new"
    REVISION = "revision"
    SIGHTING = "sighting"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An article understood, before its history is known. `hashes` by zone, of the text in search form."""

    raw: RawArticle
    zoned: Zoned
    language: Language
    sketch: str
    hashes: Mapping[str, str]
    notes: tuple[str, ...]


class Enricher(Hop[RawArticle, Prepared]):
    """Implements `Hop`."""

    name = "enricher"
    time = Time.WALL

    def __init__(self, zoner: Zoner, languages: Languages) -> None:
        self._zoner = zoner
        self._languages = languages

    def prepare(self, batch: Sequence[RawArticle]) -> Sequence[Prepared]:
        return [self.understand(raw) for raw in batch]

    def understand(self, raw: RawArticle) -> Prepared:
        """Zones, language and sketch of one article."""
        item = raw.item
        zoned = self._zoner.divide(
            item.title, Passage(item.summary, item.summary_html), Passage(item.content, item.content_html)
        )
        folded = {zone.value: fold_key(getattr(zoned, zone.value)) for zone in _COMPARED}
        language = self._languages.guess(f"{zoned.title} {zoned.lead or zoned.body}", _prior(raw))
        notes = [*item.notes, *zoned.notes]
        if language.source in ("feed", "item"):
            notes.append(f"language taken from the {language.source}")
        return Prepared(
            raw=raw,
            zoned=zoned,
            language=language,
            sketch=sketch(" ".join(filter(None, folded.values()))),
            hashes={zone: _hash(text) for zone, text in folded.items()},
            notes=tuple(notes),
        )

    def decide(self, item: Prepared, table: Table, now: float) -> Effects:
        raw = item.raw
        key = row_key(raw.id)
        row = table.get(key)
        before = read_sightings(row.value) if row is not None and row.value is not None else None
        sight, changed = _judged(before, raw.feed.id, item.hashes)
        revision = (before.revision if before else 0) + (sight in (Sight.NEW, Sight.REVISION))
        first_seen = before.first_seen if before else raw.fetched_at
        seen = Sightings(revision=revision, first_seen=first_seen, feeds=before.feeds if before else {})
        table.put(key, Row(raw.site, key, write_sightings(seen.saw(raw.feed.id, item.hashes)), now + ROW_LIFE))
        fact = Fact("rasid_articles_total", {"hop": self.name, "outcome": sight.value})
        if sight in (Sight.SIGHTING, Sight.UNCHANGED):
            return Effects(facts=[fact])
        article = _article(item, revision, changed, first_seen)
        return Effects(out=[Record(ARTICLES, raw.site, raw.id.encode(), encode(article), now)], facts=[fact])

    def wake(self, row: Row, table: Table, now: float) -> Effects:  # noqa: ARG002 - a row wakes only to be forgotten
        table.put(row.key, None)
        return NOTHING


def _prior(raw: RawArticle) -> Prior:
    if raw.item.language:
        return Prior(raw.item.language, "item")
    return Prior(raw.feed.language, "feed")


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _judged(before: Sightings | None, feed: str, hashes: Mapping[str, str]) -> tuple[Sight, tuple[str, ...]]:
    """What this is, and which zones differ from what the same feed last said."""
    if before is None:
        return Sight.NEW, ()
    last = before.feeds.get(feed)
    if last is None:
        return Sight.SIGHTING, ()
    changed = tuple(zone for zone, text in hashes.items() if last.get(zone) != text)
    if not changed:
        return Sight.UNCHANGED, ()
    if any(texts == hashes for name, texts in before.feeds.items() if name != feed):
        return Sight.SIGHTING, ()  # this feed has caught up with what another already said
    return Sight.REVISION, changed


def _article(item: Prepared, revision: int, changed: tuple[str, ...], first_seen: float) -> Article:
    raw, zoned = item.raw, item.zoned
    published = settle(raw.item.published, first_seen=first_seen, now=raw.fetched_at)
    _, doubt = believe(raw.item.published, now=raw.fetched_at)
    updated, _ = believe(raw.item.updated, now=raw.fetched_at)
    notes = dict.fromkeys((*item.notes, f"{doubt}: first seen") if doubt else item.notes)
    return Article(
        id=raw.id,
        site=raw.site,
        url=raw.url,
        revision=revision,
        feed=raw.feed,
        title=zoned.title,
        lead=zoned.lead,
        body=zoned.body,
        rest=zoned.rest,
        blocks=zoned.blocks,
        language=item.language,
        published=published,
        updated=updated,
        fetched_at=raw.fetched_at,
        source=raw.item.source,
        authors=raw.item.authors,
        tags=raw.item.tags,
        enclosures=raw.item.enclosures,
        sketch=item.sketch,
        changed=changed,
        backfill=raw.backfill,
        notes=tuple(notes),
    )
