"""News sitemaps: what they say of news, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.parse.sitemap import Sitemap, read_sitemap

NOW = 1_707_200_000.0
SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://e.example/1?utm_source=map</loc><news:news><news:publication><news:name>E</news:name>
<news:language>ar</news:language></news:publication><news:publication_date>2024-02-05T14:03:22+03:00</news:publication_date>
<news:title> One &amp; all </news:title></news:news></url>
<url><loc>https://e.example/about</loc><lastmod>2024-02-05</lastmod></url>
<url><loc>https://e.example/2</loc><news:news><news:title>No date</news:title></news:news></url>
<url><loc>javascript:1</loc><news:news><news:title>T</news:title><news:publication_date>2024-02-05</news:publication_date>
</news:news></url>
</urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://e.example/sitemap-news.xml</loc></sitemap><sitemap><loc>/relative</loc></sitemap></sitemapindex>"""


def test_news_of_a_sitemap() -> None:
    """Feeds 22: link, title, date and language; an address that is no news, or has no date, is left out."""
    (item,) = read_sitemap(SITEMAP, now=NOW).items
    assert (item.link, item.title, item.language) == ("https://e.example/1?utm_source=map", "One & all", "ar")
    assert (item.id, item.published.at) == ("https://e.example/1", 1707131002.0)


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "cp1256"])
@pytest.mark.parametrize("declared", ["utf-8", "windows-1256", "no-such-charset"])
def test_letters_of_a_sitemap(charset: str, declared: str) -> None:
    """Feeds 18, 22: a sitemap's charset is decided as a feed's is, whatever it declares."""
    text = SITEMAP.decode().replace("One &amp; all", "وزير الدفاع في بغداد").replace("UTF-8", declared)
    (item,) = read_sitemap(text.encode(charset), now=NOW).items
    assert item.title == "وزير الدفاع في بغداد"


def test_an_index_names_sitemaps() -> None:
    """Feeds 22: an index has no news itself."""
    assert read_sitemap(INDEX, now=NOW) == Sitemap(named=("https://e.example/sitemap-news.xml",))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>no</body></html>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d SYSTEM "file:///etc/passwd">]><urlset><url><loc>&d;&b;</loc></url></urlset>',
    ],
)
def test_what_is_no_sitemap(raw: bytes) -> None:
    """Feeds 19, 22: anything else is empty, and nothing is resolved."""
    assert read_sitemap(raw, now=NOW) == Sitemap()


@given(at=st.integers(0, len(SITEMAP)), byte=st.binary(max_size=3))
def test_any_bytes_end(at: int, byte: bytes) -> None:
    """Feeds 22: a sitemap that is broken anywhere gives what can be read, and never raises."""
    assert len(read_sitemap(SITEMAP[:at] + byte + SITEMAP[at + 1 :], now=NOW).items) <= 2
