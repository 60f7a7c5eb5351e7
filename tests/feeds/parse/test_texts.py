"""Texts of feeds as text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.feeds.parse.links import absolute, absolute_html
from daemon.feeds.parse.texts import clean, cut, plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("<p>a <b>b</b>c</p><p>d</p>", "a bc\nd"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>c", "a\nb\nc"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("a<script>x()</script><style>p{}</style><!-- c -->b", "ab"),
        ("<div><div>\n a \n\n b </div></div>", "a b"),
        ("<p>نص&nbsp;عربي&zwnj;ي</p>", "نص عربي\u200cي"),
        ("a &#0; &#xD800; b<p>", "a \ufffd \ufffd b"),
        ("<p>unclosed <a href='x", "unclosed"),
        ("", ""),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    """Entities are characters, blocks are lines, what is not read is left out."""
    assert plain(html) == text


@pytest.mark.parametrize("piece", ["<div>", "<b>", "<i><p>", "<font>x", "<table>", "<a href='x'>", "<", "<a b='", "&lt;"])
def test_html_takes_time_in_step_with_its_length(piece: str) -> None:
    """No nesting makes it quadratic, whether the elements are closed or not."""
    name = piece[1:].partition(">")[0].partition(" ")[0]
    for html in (piece * 30_000, piece * 30_000 + "x" + f"</{name}>" * 30_000):
        started = time.process_time()
        plain(html)
        assert time.process_time() - started < 3


def test_elements_side_by_side_are_not_deep() -> None:
    """A long text keeps its lines as its elements have them, however many elements it holds."""
    assert plain("<b>a</b> " * 5_000) == " ".join(["a"] * 5_000)
    assert plain("<div><i>a</i> b</div>" * 5_000) == "\n".join(["a b"] * 5_000)


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_cleaned_and_read(text: str) -> None:
    """Whatever comes out can be written as UTF-8 and holds no NUL."""
    for result in (clean(text), plain(clean(text))):
        assert "\0" not in result
        result.encode()


def test_cutting_keeps_characters_whole() -> None:
    """A cut is at a character's border and not over the limit in bytes."""
    assert cut("عربي", 5) == "عر"
    assert cut("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("link", "base", "result"),
    [
        ("/a", "https://e.example/x/y", "https://e.example/a"),
        (" a\n b ", "https://e.example/x/", "https://e.example/x/a b"),
        ("//e.example/a", "", "https://e.example/a"),
        ("a", "", "a"),
        ("tag:x,1", "https://e.example/", "tag:x,1"),
        ("http://[", "https://e.example/", "http://["),
        ("//[", "https://e.example/", "//["),
        ("", "https://e.example/", ""),
    ],
)
def test_links_become_absolute(link: str, base: str, result: str) -> None:
    """Feeds 21; what cannot be joined stays as it came."""
    assert absolute(link, base) == result


def test_links_within_html() -> None:
    """Relative href and src become absolute; fragments and absolute ones stay."""
    html = """<a href="x?a=1&amp;b=2">1</a><img src='/p.gif'><a href="#n">2</a><a href="mailto:a@b.example">3</a>"""
    assert absolute_html(html, "https://e.example/d/") == (
        """<a href="https://e.example/d/x?a=1&amp;b=2">1</a><img src='https://e.example/p.gif'>"""
        """<a href="#n">2</a><a href="mailto:a@b.example">3</a>"""
    )
