"""Articles as people give them, as JSON: lines for `rasid match`, and the texts of rules' tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from daemon.messages.article import Article, FeedCard, Language, Moment, Source, Zone


def given_article(values: Mapping[str, Any], default_id: str) -> Article:
    """`id`, `title`, `lead`, `body`, `rest`, `lang`, `url`, `source` …; all but one text optional, other keys are ignored.

    What `rasid extract` prints is understood, too. Raises `ValueError` naming the key that is wrong.
    """
    if "body" not in values and {"summary", "content"} & values.keys():
        raise ValueError("is an item of a feed, not divided into zones yet: send it through `rasid extract` first")
    texts = {zone: _text(values, zone.value) for zone in Zone}
    if not any(text.strip() for text in texts.values()):
        raise ValueError("has no text: give title, lead, body or rest")
    feed = FeedCard(id=_text(values, "feed"), url="", country=_text(values, "country"))
    return Article(
        id=_text(values, "id") or default_id,
        site="",
        url=_text(values, "url"),
        revision=_revision(values),
        feed=feed,
        title=texts[Zone.TITLE],
        lead=texts[Zone.LEAD],
        body=texts[Zone.BODY],
        rest=texts[Zone.REST],
        blocks=(),
        language=Language(tag=_text(values, "lang") or _text(values, "language")),
        published=Moment(raw=_text(values, "published")),
        updated=Moment(),
        fetched_at=0.0,
        source=_source(values),
        authors=_texts(values, "author", "authors"),
        tags=_texts(values, "tag", "tags"),
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if value is None:
        return ""
    if key == "id" and isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{key!r} must be a text, not {type(value).__name__}")  # noqa: TRY004 - all of it is bad input
    return value


def _texts(values: Mapping[str, Any], one: str, several: str) -> tuple[str, ...]:
    listed = values.get(several) or []
    if not isinstance(listed, Sequence) or not all(isinstance(value, str) for value in listed):
        raise ValueError(f"{several!r} must be a list of texts")
    return tuple(filter(None, [_text(values, one), *listed]))


def _source(values: Mapping[str, Any]) -> Source:
    source = values.get("source")
    if isinstance(source, dict):
        return Source(name=_text(source, "name"), url=_text(source, "url"))
    return Source(name=_text(values, "source"))


def _revision(values: Mapping[str, Any]) -> int:
    revision = values.get("revision", 1)
    if not isinstance(revision, int) or isinstance(revision, bool) or revision < 1:
        raise ValueError("'revision' must be a number from 1")
    return revision
