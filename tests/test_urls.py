"""Canonical form, match key and site of URLs (feeds.md, “URLs”)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.urls import canonical_url, is_usable, match_key, site_of

PLAIN = "https://e.com/a"


@pytest.mark.parametrize(
    "url",
    [
        PLAIN,
        "https://e.com/a?utm_source=rss&utm_medium=feed",
        "https://e.com/a?fbclid=1&gclid=2&igshid=3&mc_cid=4&yclid=6&msclkid=7",
        "https://e.com/a?at_medium=RSS&at_campaign=K",
        "https://e.com/a?ns_mchannel=social&ocid=x&CMP=rss&cmpid=1&ncid=2&smid=tw&ref=rss",
        "https://e.com/a?xtor=RSS-32280322",
        "https://e.com/a?PHPSESSID=abc123",
        "https://e.com/a#xtor=RSS-1",
        "HTTPS://E.com:443/a",
        "https://user:secret@e.com/a",
        "https://e.com/x/../a",
        " https://e.com/a\n",
        "https://www.google.com/url?rct=j&sa=t&url=https://e.com/a&ct=ga",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fe.com%2Fa&h=AT0",
        "https://www.google.com/amp/s/e.com/a",
        "https://e-com.cdn.ampproject.org/c/s/e.com/a",
        "https://e.com./a",
    ],
)
def test_one_published_form(url: str) -> None:
    """Trackers, credentials, default ports, fragments, redirectors and AMP caches leave nothing in the published URL."""
    assert canonical_url(url) == PLAIN


@pytest.mark.parametrize(
    "url",
    [
        "http://e.com/a", "https://www.e.com/a/", "https://m.e.com/a", "https://amp.e.com/a", "https://www.m.e.com/a",
        "https://e.com/a/amp/", "https://e.com/a?amp=1", "https://e.com/a?outputType=amp", "https://e.com/a/index.html",
        "https://e.com//a",
    ],
)  # fmt: skip
def test_copies_share_a_match_key(url: str) -> None:
    """Scheme, www./m./amp., AMP marks, slashes and index pages make no other article, though the published URL keeps them."""
    assert match_key(url) == match_key(PLAIN)
    assert canonical_url(url) != PLAIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.com/a?b=2&a=1", "https://e.com/a?a=1&b=2"),
        ("https://e.com/%d8%a7", "https://e.com/ا"),
        ("https://مثال.إختبار/a", "https://xn--mgbh0fb.xn--kgbechtv/a"),
        ("https://e.com/a?x=1&amp;y=2", "https://e.com/a?x=1&y=2"),
        ("https://e.com/a?x=1&#038;y=2", "https://e.com/a?x=1&y=2"),
    ],
)
def test_spellings_of_one_url(one: str, other: str) -> None:
    """Order of parameters, percent-encoding, IDNA and escaped ampersands are spellings only."""
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.com/story?id=1", "https://e.com/story?id=2"),
        ("https://e.com/a?page=1", "https://e.com/a?page=2"),
        ("https://e.com/A", "https://e.com/a"),
        ("https://e.com/#!/a", "https://e.com/#!/b"),
        ("https://ar.e.com/a", "https://en.e.com/a"),
        ("https://e.com/a?ref=123456", "https://e.com/a?ref=123457"),
        ("https://e.com/index.php?s=5", "https://e.com/index.php?s=6"),
        ("https://e.com/x?source=12", "https://e.com/x?source=13"),
        ("https://e.com/amp-guitar", "https://e.com/guitar"),
        ("https://m.com/a", "https://com/a"),
        ("https://e.com:8080/a", "https://e.com/a"),
        ("https://news.google.com/rss/articles/CBMi?oc=5", "https://news.google.com/rss/articles/CBMj?oc=5"),
    ],
)
def test_other_articles_stay_apart(one: str, other: str) -> None:
    """What may name another article is kept."""
    assert match_key(one) != match_key(other)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.news.example.co.uk/a", "example.co.uk"),
        ("https://foo.blogspot.com/a", "foo.blogspot.com"),
        ("http://127.0.0.1:8080/feed", "127.0.0.1"),
        ("http://[::1]:80/", "::1"),
        ("http://localhost/", "localhost"),
        ("file:seeds/sample-feed.xml", "file"),
        ("https://www.مثال.إختبار/", "xn--mgbh0fb.xn--kgbechtv"),
        ("mailto:a@example.org", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_sites(url: str, site: str) -> None:
    """A site is the registrable domain; an address is its own, files have one, nothing has none."""
    assert site_of(url) == site


@pytest.mark.parametrize(
    "url", ["", "a", "ftp://e.com/", "http://", "http://a:99999/", "//e.com/a", "http://e.com/" + "a" * 9000]
)
def test_unusable(url: str) -> None:
    """Only http and https with a host, of a sensible length, can name an article."""
    assert not is_usable(url)


@given(st.one_of(st.text(), st.text(alphabet="htps:/?#[]@.&=%amp;wgl1\ud800é").map("https://".__add__)))
def test_nothing_raises(url: str) -> None:
    """Any text gives some answer, in valid Unicode, and the canonical form of a canonical form is itself."""
    once = canonical_url(url)
    once.encode()
    match_key(url).encode()
    site_of(url).encode()
    if is_usable(once) and "ampproject" not in once:
        assert canonical_url(once) == once
