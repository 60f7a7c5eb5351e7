"""Which feeds are polled, and what is wrong with those that cannot be."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from daemon.config.load import load_config
from daemon.errors import ConfigError
from daemon.feeds.sources.load import Source, load_sources
from daemon.messages.article import FirstFetch


def load(folder: Path, config: str, environ: Mapping[str, str] = MappingProxyType({}), **files: str) -> tuple[Source, ...]:
    """The sources of this config.yaml beside these files of feeds."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    path = folder / "config.yaml"
    path.write_text(config)
    return load_sources(load_config(path, environ), path, environ)


def test_entries_and_files(tmp_path: Path) -> None:
    """Feeds of the config and of its files come in order; what is switched off, an entry or a whole file, does not."""
    config = """
feeds:
  - {file: more.yaml}
  - {file: off.yaml, enabled: false}
  - {id: a, url: "https://www.example.co.uk/feed", name: A, language: en, country: GB, tags: [x]}
  - {id: b, url: "https://example.org/b", enabled: false}
  - {id: c, url: "file:config.yaml"}
"""
    more = "- {id: m, url: 'http://example.org/m'}\n- {id: n, url: 'http://example.org/n', enabled: false}\n"
    sources = load(tmp_path, config, more=more)
    assert [(source.id, source.site) for source in sources] == [("m", "example.org"), ("a", "example.co.uk"), ("c", "file")]
    card = sources[1].card()
    assert (card.name, card.language, card.country, card.tags) == ("A", "en", "GB", ("x",))


def test_defaults_of_polling(tmp_path: Path) -> None:
    """What an entry does not say is polling's; `max_age: none` is said."""
    config = """
polling: {default_interval: 10m, max_age: 2h, first_fetch: quiet}
feeds:
  - {id: a, url: "http://e.com/a"}
  - {id: b, url: "http://e.com/b", interval: 1m, max_age: none, first_fetch: alert}
"""
    one, other = load(tmp_path, config)
    assert (one.interval, one.max_age, one.first_fetch) == (None, 7200.0, FirstFetch.QUIET)
    assert (other.interval, other.max_age, other.first_fetch) == (60.0, None, FirstFetch.ALERT)


def problems(folder: Path, config: str, **files: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, config, {}, **files)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_an_id_twice(tmp_path: Path) -> None:
    """Two feeds with one id: both places are named, with their lines."""
    config = 'feeds:\n  - id: a\n    url: "http://e.com/a"\n  - file: more.yaml\n'
    more = "- id: b\n  url: http://e.com/b\n- url: http://e.com/a\n  id: a\n"
    assert problems(tmp_path, config, more=more) == ["more.yaml:4:3: [1].id: the feed id 'a' stands at config.yaml:2 already"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://e.com/a feed", "has a space in it; write %20 where one belongs there"),
        ("ftp://e.com/feed", "not an http, https or file address"),
        ("example.org/feed", "not an http, https or file address"),
        ("http://e.com:99999/feed", "its port 99999 is no number up to 65535"),
        ("https://u:p@[::1]:rss", "its port rss is no number up to 65535"),
        (f"http://e.com:81/{'x' * 8192}", "is longer than 8192 characters"),
        ("http://[bad]:81/", "not an http, https or file address"),
        ("http://u:p@/feed", "not an http, https or file address"),
        ("http://", "not an http, https or file address"),
        ("file:/etc/passwd", "lies outside the config file's folder; only files below it are read"),
        ("file:../feed.xml", "lies outside the config file's folder; only files below it are read"),
    ],
)
def test_addresses_that_cannot_be_polled(tmp_path: Path, url: str, reason: str) -> None:
    """An address that can never be polled is a mistake in the file, at its line."""
    assert problems(tmp_path, f'feeds:\n  - id: a\n    url: "{url}"\n') == [f"config.yaml:3:5: feeds[0].url: {reason} (feed a)"]


def test_mistakes_name_their_feeds(tmp_path: Path) -> None:
    """Whatever is wrong with a feed, its id is told, where it has one: nobody counts to [123]."""
    more = "- {id: b, url: http://e.com/b, interval: soon}\n- {id: c, url: '${NONE}'}\n- {id: d}\n- {url: http://e.com/e}\n"
    told = problems(tmp_path, "feeds: [{file: more.yaml}]", more=more)
    assert [re.findall(r"\(feed (\w)\)$", text) for text in told] == [["c"], ["b"], ["d"], []]
    told = problems(tmp_path, "feeds: [{id: a, url: http://e.com/a, auth: {bearer: file:none}}]")
    assert told[0].endswith("(feed a)")


def test_files_that_are_broken(tmp_path: Path) -> None:
    """A missing file, an unknown key and a file that is no list are told together, each with its place."""
    config = "feeds:\n  - file: missing.yaml\n  - file: key.yaml\n  - file: shape.yaml\n"
    key = "- id: a\n  url: http://e.com/a\n  intervall: 1m\n"
    told = problems(tmp_path, config, key=key, shape="feeds: []\n")
    assert told[0] == "missing.yaml: cannot be read: No such file or directory"
    assert told[1].startswith("key.yaml:3:3: [0].intervall: unknown key")
    assert told[2].startswith("shape.yaml:1:1:")
    assert len(told) == 3


def test_mistakes_of_one_file_are_told_together(tmp_path: Path) -> None:
    """One feed's unknown key hides no other's address, nor an id that stands twice: what is wrong is told in one go."""
    more = "- {id: a, url: http://e.com/a, x: 1}\n- {id: b, url: ftp://e.com/b}\n- {id: c, url: http://e.com/c}\n"
    told = problems(tmp_path, "feeds: [{file: more.yaml}, {id: c, url: http://e.com/d}]", more=more)
    assert [text.split(": ")[1] for text in told] == ["[0].x", "[1].url", "feeds[1].id"]


@pytest.mark.parametrize("empty", ["", "\n", "# none\n"])
def test_an_emptied_file_is_a_mistake(tmp_path: Path, empty: str) -> None:
    """A saver that truncates first, or a full disk, removes no feed: where none is meant, the file says so."""
    told = problems(tmp_path, "feeds: [{file: more.yaml}]\n", more=empty)
    assert told == ["more.yaml: is empty; write [] where no feed is meant"]
    assert load(tmp_path, "feeds: [{file: more.yaml}]\n", more="[]\n") == ()


@pytest.mark.parametrize(
    ("written", "asked", "shown"),
    [
        ("http://us3r:passw0rdX@e.com:81/feed?a=1", None, "http://e.com:81/feed?a=1"),
        (
            "http://us3r:${TOK}@e.com/feed?key=${TOK}#x",
            "http://us3r:t0ken@e.com/feed?key=t0ken#x",
            "http://e.com/feed?key=${TOK}#x",
        ),
        ("http://e.com/${TOK}/feed", "http://e.com/t0ken/feed", "http://e.com/${TOK}/feed"),
        ("http://${HOST}?key=${TOK}", "http://e.com/path?key=t0ken", "http://e.com?key=${TOK}"),
        ("${URL}", "https://u:p@e.com/feed?key=t0ken", "https://e.com"),
        ("file:${TOK}/feed.xml", "file:t0ken/feed.xml", "file:t0ken/feed.xml"),
    ],
)
def test_secrets_in_an_address(tmp_path: Path, written: str, asked: str | None, shown: str) -> None:
    """They are asked with, and neither published nor shown: credentials not at all, variables as they stand in the file."""
    environ = {"TOK": "t0ken", "HOST": "e.com/path", "URL": "https://u:p@e.com/feed?key=t0ken"}
    (tmp_path / "more.yaml").write_text(f'- {{id: b, url: "{written}"}}\n')
    sources = load(tmp_path, f'feeds:\n  - {{id: a, url: "{written}"}}\n  - file: more.yaml\n', environ)
    assert [(source.url, source.shown, source.card().url) for source in sources] == [(asked or written, shown, shown)] * 2


def test_an_address_put_in_by_an_override(tmp_path: Path) -> None:
    """It stands in no file; its credentials are hidden all the same."""
    environ = {"RASID_FEEDS": '[{id: a, url: "http://u:p@e.com/feed?b"}]'}
    assert [source.shown for source in load(tmp_path, "feeds: []", environ)] == ["http://e.com/feed?b"]


LIST = """<opml><body>
<outline text="Folder"><outline text="One" xmlUrl="http://e.com/one"/></outline>
<outline text="Two" xmlUrl="http://${TOK}.com/two"/>
</body></opml>"""


def test_opml_files(tmp_path: Path) -> None:
    """A file that ends in .opml is a list of other programs: its feeds are feeds like others, its `${…}` is nobody's secret."""
    (tmp_path / "subs.opml").write_text(LIST.replace("${TOK}", "e"))
    one, two = load(tmp_path, "feeds: [{file: subs.opml}]")
    assert (one.name, one.tags, one.id, two.url) == ("One", ("Folder",), "e.com-9482795147", "http://e.com/two")


def test_what_strangers_wrote_is_not_filled_in(tmp_path: Path) -> None:
    """A list that names a variable learns nothing of the environment."""
    (tmp_path / "subs.opml").write_text(LIST.replace("http://${TOK}.com/two", "http://e.com/${TOK}"))
    assert load(tmp_path, "feeds: [{file: subs.opml}]", {"TOK": "secret"})[1].url == "http://e.com/${TOK}"


def test_mistakes_in_opml(tmp_path: Path) -> None:
    """They are told with file and line."""
    (tmp_path / "subs.opml").write_text(LIST.replace("http://e.com/one", "ftp://e.com/one"))
    (tmp_path / "none.opml").write_text("<opml/>")
    told = problems(tmp_path, "feeds: [{file: subs.opml}, {file: none.opml}, {file: missing.opml}]")
    assert told == [
        "subs.opml:2: [0].url: not an http, https or file address (feed e.com-685e24e17b)",
        "none.opml:1: is no OPML with feeds in it (outlines with an xmlUrl)",
        "missing.opml: cannot be read: No such file or directory",
    ]


def test_opml_that_breaks_off_is_a_mistake(tmp_path: Path) -> None:
    """A list cut while it was copied removes no feed: it is refused, with the line; one with a bare & is taken."""
    whole = LIST.replace("${TOK}", "e")
    (tmp_path / "subs.opml").write_text(whole[: whole.index('<outline text="Two')])
    (told,) = problems(tmp_path, "feeds: [{file: subs.opml}]")
    assert told.startswith("subs.opml:3:1: is not well-formed, as if it had been cut: ")
    (tmp_path / "subs.opml").write_text(whole.replace("Folder", "A & B"))
    assert len(load(tmp_path, "feeds: [{file: subs.opml}]")) == 2


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ("{bearer: file:token}", ("Authorization", "Bearer c4nary-token")),
        ("{basic: {username: ada, password: '${TOK}'}}", ("Authorization", "Basic YWRhOmM0bmFyeS10b2tlbg==")),
        ("{headers: {X-Key: '${TOK}'}}", ("X-Key", "c4nary-token")),
    ],
)
def test_logins(tmp_path: Path, auth: str, sent: tuple[str, str]) -> None:
    """Feeds 34: a login becomes headers; it stands in nothing that is shown, and a fingerprint changes with it."""
    (tmp_path / "token").write_text("c4nary-token\n")
    config = f"feeds:\n  - {{id: a, url: https://e.com/a, auth: {auth}}}\n"
    (source,) = load(tmp_path, config, {"TOK": "c4nary-token"})
    assert source.headers == (sent,)
    assert {"c4nary-token", sent[1].rpartition(" ")[2]} <= set(source.secrets)
    assert not any(secret in f"{source!r}{source.card()!r}{source.address}" for secret in source.secrets)
    (tmp_path / "token").write_text("another")
    (other,) = load(tmp_path, config, {"TOK": "another"})
    assert source.credentials != other.credentials
    assert load(tmp_path, "feeds: [{id: a, url: 'https://e.com/a'}]")[0].credentials == ""


@pytest.mark.parametrize(
    ("auth", "reason"),
    [
        ("{}", "needs one of bearer, basic and headers"),
        ("{bearer: x, headers: {A: b}}", "needs one of bearer, basic and headers"),
        ("{headers: {'X Y': b}}", "'X Y' is not the name of a header"),
        ("{headers: {Host: b}}", "the header Host is not to be set here"),
        ('{bearer: "tok\\nen"}', "must be one line of plain ASCII"),
        ("{bearer: ''}", "a secret is empty"),
        ("{bearer: file:emptied}", "emptied is empty"),
        ("{basic: {username: a, password: file:emptied}}", "emptied is empty"),
        ("{bearer: file:missing}", "missing cannot be read: No such file or directory"),
        ("{basic: {username: 'a:b', password: x}}", "a username with a colon in it cannot be sent"),
        ("{basic: {username: a, pasword: c4nary}}", "unknown key"),
    ],
)
def test_logins_that_cannot_be_sent(tmp_path: Path, auth: str, reason: str) -> None:
    """They are told with their place and without their values."""
    (tmp_path / "emptied").write_text("\n")
    told = problems(tmp_path, f"feeds:\n  - id: a\n    url: https://e.com/a\n    auth: {auth}\n")
    assert told[0].startswith("config.yaml:4:")
    assert reason in " ".join(told)
    assert "tok" not in " ".join(told)
    assert "c4nary" not in " ".join(told)


def test_a_rows_address_holds_no_secret(tmp_path: Path) -> None:
    """What rows keep is the shown address and a fingerprint, which another secret changes; without secrets the address."""
    config = "feeds: [{id: a, url: 'http://u:${TOK}@e.com/a?k=${TOK}'}, {id: b, url: 'http://e.com/b'}]"
    one, plain = load(tmp_path, config, {"TOK": "c4nary-token"})
    assert one.address.startswith("http://e.com/a?k=${TOK} ")
    assert one.address != load(tmp_path, config, {"TOK": "an0ther-token"})[0].address
    assert plain.address == plain.url
    assert "c4nary-token" in one.secrets
