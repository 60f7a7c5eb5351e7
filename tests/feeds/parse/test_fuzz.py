"""Feeds broken in every way we know end soon, in items or in a reason (feeds 19 and 20). `fuzz.py` does it for hours."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.feeds.parse.feed import parse_feed
from tests.feeds.fuzz import NOW, SECONDS, Case, case, complaint
from tests.feeds.mutations import OF_BYTES, OF_TEXT
from tests.feeds.newsroom import CHARSETS, EVERYWHERE, FORMATS, encoded, paper

SLOW: int = 3
"""A shared machine may be so many times slower than the limit of a worker's time allows for."""


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_broken_feed_ends_in_items_or_a_reason(seed: int) -> None:
    """Feeds 19 and 20: of any language, format and charset, broken up to three times over."""
    made = case(seed)
    assert complaint(made, SLOW * SECONDS) == "", made.made


@pytest.mark.parametrize("kind", [*OF_TEXT, *OF_BYTES])
@pytest.mark.parametrize("form", FORMATS)
def test_each_kind_of_break(kind: str, form: str) -> None:
    """Feeds 19 and 20: each kind, in each format."""
    for seed, language in enumerate(["ar", "zh"]):
        random = Random(seed)
        text = paper(random, language).text(form)
        broken = OF_TEXT[kind](random, text) if kind in OF_TEXT else text
        raw = broken.encode("utf-8", "replace")
        raw = OF_BYTES[kind](random, raw) if kind in OF_BYTES else raw
        assert complaint(Case(seed=seed, raw=raw, made=kind, content_type="", language=language), SLOW * SECONDS) == ""


@pytest.mark.parametrize("form", FORMATS)
def test_a_feed_cut_anywhere(form: str) -> None:
    """Feeds 19: cut at any place, a feed gives its whole items up to there (JSON: a reason)."""
    raw = paper(Random(7), "ar", 3).written(form)
    end = b"</entry>" if form == "atom" else b"</item>"
    for at in range(0, len(raw), 37):
        parsed = parse_feed(raw[:at], now=NOW)
        assert parsed.items or parsed.reason or parsed.notes, at
        assert len(parsed.items) >= (0 if form == "json" else raw[:at].count(end)), at


@pytest.mark.parametrize(
    ("language", "charset"), [(language, charset) for language in CHARSETS for charset in (*EVERYWHERE, *CHARSETS[language])]
)
@pytest.mark.parametrize("form", FORMATS[:3])
def test_every_language_in_its_charsets(language: str, charset: str, form: str) -> None:
    """Feeds 18: declared in the document, or by HTTP alone against what the document says, letters come out right."""
    said = paper(Random(3), language)
    titles = [story.title for story in said.stories]
    declared = parse_feed(said.written(form, charset), now=NOW)
    assert [item.title for item in declared.items] == titles
    assert declared.well_formed
    by_http = parse_feed(encoded(said.text(form, "utf-8"), charset), content_type=f"text/xml; charset={charset}", now=NOW)
    assert [item.title for item in by_http.items] == titles
