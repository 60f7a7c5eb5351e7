"""Any text at all has zones: nothing is lost, nothing crashes, and nothing takes longer than its length."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.zones.zoner import Passage, Zoned
from daemon.messages.article import Zone
from tests.consumers.zones.pages import HEADINGS, PROSE, ZONER, divide, html

ATTACKS = {
    "colons": ":" * 1_000_000,
    "headings": "Read also\n" * 100_000,
    "marked headings": "• Read also\n" * 90_000,
    "tags": "Tags\nx\n" * 140_000,
    "blanks": "a" + " " * 999_998 + "b",
    "dots": ". " * 500_000,
    "short lines": "x\n" * 500_000,
    "quotes": '."' * 500_000,
    "decomposed": "e\u0301 " * 330_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_megabyte_takes_no_longer_than_its_length(name: str) -> None:
    """No text makes it super-linear: 1 MB in seconds where 5 kB take a fraction of a millisecond (CPU time, ample)."""
    start = time.process_time()
    ZONER.divide("t", Passage(ATTACKS[name][:10_000]), Passage(ATTACKS[name]))
    assert time.process_time() - start < 8


@pytest.mark.parametrize(
    "page", ["<div>" * 100_000, "<li><a>x</a>" * 50_000, "<p>x" * 100_000, "<b i={}>" * 9_000, "<" * 100_000, "&" * 100_000]
)
def test_a_megabyte_of_html_takes_no_longer_than_its_length(page: str) -> None:
    """Neither does HTML, however deep."""
    start = time.process_time()
    html(page)
    assert time.process_time() - start < 8


LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [*HEADINGS.values(), PROSE, "", "• A headline of a few words", "Tags: a, b", "المصدر: شبكة", "Comments"]
        ),
    ),
    max_size=14,
).map("\n".join)


def _holds(page: Zoned) -> None:
    for zone in Zone:
        own = [block for block in page.blocks if block.zone is zone]
        assert getattr(page, zone.value) == "\n\n".join(page.text_of(block) for block in own)
        assert all(block.end > block.start for block in own)
        assert all(one.end + 2 == other.start for one, other in pairwise(own))


@settings(max_examples=150, deadline=None)
@given(text=LINES)
def test_blocks_cut_out_their_zones_and_nothing_is_lost(text: str) -> None:
    """A zone is its blocks joined by a blank line, and every letter of the text stands in some zone, in its order there."""
    page = divide(text)
    _holds(page)
    assert sorted(filter(str.isalnum, text)) == sorted(filter(str.isalnum, page.body + page.rest))
    assert "".join(filter(str.isalnum, text)) == "".join(
        character for block in page.blocks for character in page.text_of(block) if character.isalnum()
    )


@settings(max_examples=80, deadline=None)
@given(title=st.text(max_size=40), summary=LINES, content=LINES, markup=st.booleans())
def test_no_text_crashes_it(title: str, summary: str, content: str, markup: bool) -> None:  # noqa: FBT001 - drawn
    """Any strings, as text or as HTML, have zones that can be encoded."""
    page = ZONER.divide(title, Passage(summary, summary if markup else ""), Passage(content, content if markup else ""))
    _holds(page)
    (page.title + page.lead + page.body + page.rest).encode()


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="<>/abdipluvnr \n'=\"&;!-", max_size=120))
def test_no_html_crashes_it(markup: str) -> None:
    """Broken markup has zones too."""
    _holds(html(markup))
