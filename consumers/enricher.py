"""Hop 2: what a feed said of an article → the article in zones, with language, date, sketch and revision.

    raw ─ prepare: zones, language, sketch (stateless) ─▶ decide: the article's row ─▶ new │ revision │ sighting │ unchanged

A row per article remembers what each feed last said, as hashes. Only texts of one feed are compared: another feed's text of
the same URL is a sighting (feeds 25). New articles and revisions go on; the others are counted, and so are withdrawals. An edit
of an article whose row is forgotten is a revision of it, too: the poller remembers longer. What becomes of old articles and of
first fetches is the alerter's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from daemon.messages.article import Article, Language, RawArticle, Withdrawal, Zone
from daemon.messages.wire import encode
from daemon.sketch import sketch
from daemon.stage.hop import NOTHING, Effects, Fact, Hop, Table, Time

_COMPARED: Final = (Zone.TITLE, Zone.LEAD, Zone.BODY)
"""What makes a revision, and what a sketch is of: a sidebar that changes is no edit, and one that is shared no copy."""


_ZONES_OF: Final = {"title": Zone.TITLE, "summary": Zone.LEAD, "content": Zone.BODY}
"""Where an item's edited parts stand, as far as can be said when the text from before is forgotten."""


class Sight(StrEnum):
    """What an article at the enricher is; label of `rasid_articles_total`."""

    NEW = "new"
    REVISION = "revision"
    SIGHTING = "sighting"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An article understood, before its history is known. `hashes` by zone, of the text in search form."""

    raw: RawArticle
    zoned: Zoned
    language: Language
    sketch: str
    hashes: Mapping[str, str]
    notes: tuple[str, ...]


class Enricher(Hop[RawArticle | Withdrawal, Prepared | Withdrawal]):
    """Implements `Hop`."""

    name = "enricher"
    time = Time.WALL

    def __init__(self, zoner: Zoner, languages: Languages) -> None:
        self._zoner = zoner
        self._languages = languages

    def prepare(self, batch: Sequence[RawArticle | Withdrawal]) -> Sequence[Prepared | Withdrawal]:
        return [raw if isinstance(raw, Withdrawal) else self.understand(raw) for raw in batch]

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

    def decide(self, item: Prepared | Withdrawal, table: Table, now: float) -> Effects:
        if isinstance(item, Withdrawal):
            return Effects(facts=[self._fact(Sight.WITHDRAWN)])
        raw = item.raw
        key = row_key(raw.id)
        row = table.get(key)
        before = read_sightings(row.value) if row is not None and row.value is not None else None
        sight, changed = _judged(before, raw, item.hashes)
        past = before or _past(raw)
        revision = past.revision + (sight in (Sight.NEW, Sight.REVISION))
        seen = replace(past, revision=revision).saw(raw.feed.id, item.hashes)
        table.put(key, Row(raw.site, key, write_sightings(seen), now + ROW_LIFE))
        fact = self._fact(sight)
        if sight in (Sight.SIGHTING, Sight.UNCHANGED):
            return Effects(facts=[fact])
        article = _article(item, revision, changed, past.first_seen)
        return Effects(out=[Record(ARTICLES, raw.site, raw.id.encode(), encode(article), now)], facts=[fact])

    def _fact(self, sight: Sight) -> Fact:
        return Fact("rasid_articles_total", {"hop": self.name, "outcome": sight.value})

    def wake(self, row: Row, table: Table, now: float) -> Effects:  # noqa: ARG002 - a row wakes only to be forgotten
        table.put(row.key, None)
        return NOTHING


def _prior(raw: RawArticle) -> Prior:
    if raw.item.language:
        return Prior(raw.item.language, "item")
    return Prior(raw.feed.language, "feed")


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _past(raw: RawArticle) -> Sightings:
    """An article's history without a row: none, or for an edit at least one revision, whose texts are forgotten."""
    first_seen = raw.fetched_at if raw.first_at is None else raw.first_at
    return Sightings(revision=1 if raw.edited else 0, first_seen=first_seen, feeds={})


def _judged(before: Sightings | None, raw: RawArticle, hashes: Mapping[str, str]) -> tuple[Sight, tuple[str, ...]]:
    """What this is, and which zones differ from what the same feed last said."""
    if before is None and raw.edited:
        return Sight.REVISION, tuple(_ZONES_OF[part].value for part in raw.edited if part in _ZONES_OF)
    if before is None:
        return Sight.NEW, ()
    last = before.feeds.get(raw.feed.id)
    if last is None:
        return Sight.SIGHTING, ()
    changed = tuple(zone for zone, text in hashes.items() if last.get(zone) != text)
    if not changed:
        return Sight.UNCHANGED, ()
    if any(texts == hashes for name, texts in before.feeds.items() if name != raw.feed.id):
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
