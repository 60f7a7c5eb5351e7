"""Lists of feeds of other programs: read as they come, written so that nothing changes on the way."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import ConfigError
from daemon.feeds.sources.opml import Outlines, made_id, read_opml, write_opml

NESTED = """<?xml version="1.0" encoding="utf-8"?>
<!-- from a reader -->
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="أخبار"><outline text="Iraq">
<outline type="rss" text="A &amp; B" title="ignored" xmlUrl="https://www.e.com/a?x=1&amp;y=2"
 htmlUrl="https://e.com" language="ar"/>
</outline>
<outline text="No feed" type="link" url="https://e.com/page"/></outline>
<outline text="" XMLURL="feed://e.com/b" category="press,/europe/baltic"/>
</body></opml>"""


def feeds(text: str | bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_opml(text.encode() if isinstance(text, str) else text, "f.opml").document.value
    return found


def test_folders_and_categories_are_tags() -> None:
    """The titles of all folders around a feed, then its categories, level by level; titles and languages are taken over."""
    one, other = feeds(NESTED)
    assert (one["url"], one["name"], one["language"], one["tags"]) == (
        "https://www.e.com/a?x=1&y=2",
        "A & B",
        "ar",
        ["أخبار", "Iraq"],
    )
    assert (other["url"], other["tags"]) == ("http://e.com/b", ["press", "europe", "baltic"])


def test_made_ids() -> None:
    """Of host and address, whatever the title, the folder, the order: nothing but another address changes an id."""
    again = feeds(NESTED.replace("A &amp; B", "Renamed").replace("Iraq", "Iran"))
    assert [feed["id"] for feed in again] == [feed["id"] for feed in feeds(NESTED)]
    assert made_id("https://www.e.com/a?x=1&y=2") == "e.com-80cf6c5fc0"
    assert made_id("https://u:p@www.e.com/a?x=1&y=2") == made_id("https://www.e.com/a?x=1&y=2")
    assert made_id("file:seeds/ä.xml").startswith("feed-")


def test_places() -> None:
    """A feed's place is the line of its outline."""
    document = read_opml(NESTED.encode(), "f.opml").document
    assert str(document.problem((1, "url"), "wrong")) == "f.opml:9: [1].url: wrong"


def test_twice_is_once() -> None:
    """A feed that stands in two folders has both as tags, and it is said that it is one, with both lines."""
    text = '<opml><outline text="{}"><outline xmlUrl="http://e.com/a"/></outline>\n<outline text="{}">{}</outline></opml>'
    outlines = read_opml(text.format("one", "two", '<outline xmlUrl="http://e.com/a" text="A"/>').encode(), "f.opml")
    (feed,) = outlines.document.value
    assert feed["tags"] == ["one", "two"]
    assert [str(warning) for warning in outlines.warnings] == [
        "f.opml:2: A: has the address of line 1: one feed, with the tags of both"
    ]


@pytest.mark.parametrize(
    ("broken", "url", "name"),
    [
        ('<opml><outline text="x & y" xmlUrl="http://e.com/?a=1&b=2"/></opml>', "http://e.com/?a=1&b=2", "x & y"),
        ('<opml><body><outline text="caf&eacute;" xmlUrl="http://e.com/a"/>', "http://e.com/a", "café"),
        ('<opml><outline text="a\x01b" xmlUrl="http://e.com/a"/></opml> behind', "http://e.com/a", "ab"),
        ('<opml><outline text="open" xmlUrl="http://e.com/a"></body></opml>', "http://e.com/a", "open"),
    ],
)
def test_broken(broken: str, url: str, name: str) -> None:
    """What is not well-formed is read with addresses whole, and it is said where it breaks."""
    outlines = read_opml(broken.encode(), "f.opml")
    assert [(feed["url"], feed["name"]) for feed in outlines.document.value] == [(url, name)]
    assert str(outlines.warnings[0]).startswith("f.opml:1:")


def test_a_list_that_breaks_off_is_not_whole() -> None:
    """Wherever a list is cut, what was read is not taken for all of it; a bare & or a text behind its end hides nothing."""
    cuts = (NESTED[:end] for end in range(NESTED.index("<outline text"), len(NESTED)))
    read = [outlines for cut in cuts if (outlines := outlines_of(cut)) is not None]
    assert len(read) > 50
    assert all(outlines.broken is not None for outlines in read)
    for whole in (NESTED, NESTED.replace("&amp;", "&"), f"{NESTED} behind", NESTED.replace("Iraq", "caf&eacute;\x01")):
        assert read_opml(whole.encode(), "f.opml").broken is None


def outlines_of(text: str) -> Outlines | None:
    try:
        return read_opml(text.encode(), "f.opml")
    except ConfigError:
        return None


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "windows-1256"])
def test_charsets(charset: str) -> None:
    """Feeds 18 holds for lists too."""
    label = "utf-8" if charset == "utf-8-sig" else charset
    text = f'<?xml version="1.0" encoding="{label}"?><opml><outline text="أخبار العراق" xmlUrl="http://e.com/a"/></opml>'
    assert feeds(text.encode(charset))[0]["name"] == "أخبار العراق"


@pytest.mark.parametrize("text", ["", "hello", "<opml/>", "<html><body/></html>", "<opml><outline text='x'/></opml>", "\x00"])
def test_no_list(text: str) -> None:
    """What holds no feed is refused: an empty list would silently stop everything."""
    with pytest.raises(ConfigError, match=r"f\.opml:1: is no OPML with feeds in it"):
        feeds(text)


def test_what_is_passed_over_is_said() -> None:
    """An outline that calls itself a feed and has no address, and a list within the list, each with its line."""
    text = '<opml>\n<outline type="rss" text="x"/>\n<outline type="include" url="http://e.com/l.opml"/>\n'
    warnings = read_opml(f'{text}<outline xmlUrl="http://e.com/a"/></opml>'.encode(), "f.opml").warnings
    assert [(warning.line, warning.key) for warning in warnings] == [(2, "x"), (3, "")]


def test_entities_are_not_expanded() -> None:
    """Feeds 19: a list that defines entities costs nothing."""
    bomb = '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    assert feeds(f'{bomb}<opml><outline text="&b;" xmlUrl="http://e.com/a"/></opml>')[0]["name"] == "&b;"


WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1).map(lambda text: " ".join(text.split()))
TEXTS = WORDS.filter(bool)
FEEDS = st.fixed_dictionaries(
    {
        "id": st.text(string.ascii_lowercase, min_size=1, max_size=5),
        "url": st.text(string.ascii_letters + string.digits + "/?&=%~#;", max_size=20).map("https://e.com/{}".format),
        "name": WORDS,
        "language": st.sampled_from(["", "ar", "en"]),
        "tags": st.lists(TEXTS, unique=True, max_size=3),
    },
    optional={
        "country": st.just("IQ"),
        "interval": st.just("90s"),
        "max_age": st.just("none"),
        "first_fetch": st.just("quiet"),
    },
)


@given(st.lists(FEEDS, min_size=1, max_size=5, unique_by=lambda feed: feed["url"]))
def test_what_is_written_is_read(written: list[dict[str, Any]]) -> None:
    """Every feed comes back as it was, with its id."""
    assert feeds(write_opml(written, "x")) == written


@given(st.binary(max_size=300) | st.text(alphabet='<>/="& opmlutinexU:', max_size=300).map(str.encode))
def test_any_bytes(raw: bytes) -> None:
    """Whatever stands in a file: feeds, or a typed error."""
    for prefix in (b"", b"<opml>", b'<opml><outline xmlUrl="http://e.com/'):
        try:
            assert read_opml(prefix + raw, "f.opml").document.value
        except ConfigError:
            continue
