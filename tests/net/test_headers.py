"""What headers say of an answer."""

import pytest
from multidict import CIMultiDict

from daemon.net.answers import Link
from daemon.net.headers import MAX_FRESH, MAX_LINKS, fresh_for, joined, links_of

BASE = "https://example.org/a/feed"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=600"}, 600.0),
        ({"Cache-Control": 'public, Max-Age="600"', "Age": "100"}, 500.0),
        ({"Cache-Control": "max-age=600", "Age": "700"}, 0.0),
        ({"Cache-Control": "max-age=600", "Age": "soon"}, 600.0),
        ({"Cache-Control": "max-age=600, no-cache"}, None),
        ({"Cache-Control": "no-store"}, None),
        ({"Cache-Control": "max-age=99999999999999999999"}, MAX_FRESH),
        ({"Cache-Control": "max-age=-5"}, None),
        ({"Cache-Control": "s-maxage=5"}, None),
        ({"Expires": "Mon, 01 Jan 2024 11:00:00 GMT", "Date": "Mon, 01 Jan 2024 10:00:00 GMT"}, 3600.0),
        ({"Expires": "Mon, 01 Jan 2024 11:00:00 +0100", "Date": "Mon, 01 Jan 2024 09:00:00 GMT"}, 3600.0),
        ({"Expires": "Mon, 01 Jan 2024 09:00:00 GMT", "Date": "Mon, 01 Jan 2024 10:00:00 GMT"}, 0.0),
        ({"Expires": "Mon, 01 Jan 2094 09:00:00 GMT", "Date": "Mon, 01 Jan 2024 10:00:00 GMT"}, MAX_FRESH),
        ({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT", "Date": "Mon, 01 Jan 2024 10:00:00 GMT"}, 0.0),
        ({"Expires": "0", "Date": "Mon, 01 Jan 2024 10:00:00 GMT"}, None),
        ({"Expires": "Mon, 01 Jan 2024 11:00:00 GMT"}, None),
        ({"Cache-Control": "max-age=60", "Expires": "Mon, 01 Jan 2024 11:00:00 GMT"}, 60.0),
    ],
)
def test_how_long_an_answer_holds(headers: dict[str, str], seconds: float | None) -> None:
    """Feeds 9: max-age less Age, else Expires less Date by the server's clock; absurd ones are bounded, no-cache is no hint."""
    assert fresh_for(CIMultiDict(headers)) == seconds


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ('<https://h.example/>; rel="hub"', [("https://h.example/", {"hub"}, "")]),
        ("</f>; rel=alternate; type=application/RSS+xml", [("https://example.org/f", {"alternate"}, "application/rss+xml")]),
        ('<b>;rel="self Next", <c,d>; rel=x', [("https://example.org/a/b", {"self", "next"}, ""),
         ("https://example.org/a/c,d", {"x"}, "")]),
        ('<b>; title="a, <x>; rel=no"; rel=yes', [("https://example.org/a/b", {"yes"}, "")]),
        ("<b>; rel=first; rel=second", [("https://example.org/a/b", {"first"}, "")]),
        ('<b>; rel=x; anchor="/other"', []),
        ("<mailto:a@example.org>; rel=author, <http://[::1>; rel=x", []),
        ("nonsense", []),
        ("", []),
    ],
)  # fmt: skip
def test_links(text: str, links: list[tuple[str, set[str], str]]) -> None:
    """RFC 8288: addresses are absolute, relations and types in lower case; what cannot be asked for is left out."""
    assert links_of(text, BASE) == tuple(Link(url=url, rel=frozenset(rel), type=kind) for url, rel, kind in links)


@pytest.mark.parametrize("text", ["<a>" + ";" * 20_000, '<a>;x="' + "\\" * 20_000, "<" * 20_000])
def test_links_without_end(text: str) -> None:
    """A header made to take long takes no longer than its length, and gives no more links than the bound."""
    assert len(links_of(text, BASE)) <= 1
    assert len(links_of("<a>; rel=x, " * 1_000, BASE)) == MAX_LINKS


@pytest.mark.parametrize(
    ("reference", "url"),
    [("b", "https://example.org/a/b"), ("//x.org/", "https://x.org/"), ("", ""), ("http://[::1", ""), ("javascript:1", "")],
)
def test_references(reference: str, url: str) -> None:
    """Feeds 21: a Content-Location is made absolute; one that nobody could ask for is none."""
    assert joined(BASE, reference) == url
