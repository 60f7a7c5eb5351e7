"""`rasid feeds import` and `export`: lists of other programs, taken over and given away."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.cli.main import main
from daemon.config.load import load_config
from daemon.feeds.sources.load import Source, load_sources

LIST = """<opml><body><outline text="News"><outline text="no" xmlUrl="http://e.com/a"/>
<outline text="1e3 ${HOME} \\ &quot;x&quot;&#x2028;&#x85;" xmlUrl="http://e.com/b"/></outline>
<outline text="bad" xmlUrl="gopher://e.com"/>
<outline text="thief" xmlUrl="http://e.com/${HOME}"/>
</body></opml>"""


@pytest.fixture
def opml(tmp_path: Path) -> Path:
    path = tmp_path / "subs.opml"
    path.write_text(LIST)
    return path


def sources(config: Path) -> tuple[Source, ...]:
    return load_sources(load_config(config, {}), config, {})


def test_import(opml: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It writes a file that is read again as it was meant, says what to do with it, and what it left out, with lines."""
    made = tmp_path / "made.yaml"
    assert main(["feeds", "import", str(opml), "--output", str(made)]) == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert f"- {{file: {made}}}" in said.err
    assert f"{opml}:3: [2].url: is left out: not an http, https or file address" in said.err
    assert f"{opml}:4: [3].url: is left out: holds ${{" in said.err
    (tmp_path / "config.yaml").write_text("feeds: [{file: made.yaml}]")
    one, two = sources(tmp_path / "config.yaml")
    assert (one.name, one.tags, two.name) == ("no", ("News",), '1e3 $ {HOME} \\ "x"')
    opml.write_text("\n".join(LIST.splitlines()[:2]) + "</body></opml>")
    (tmp_path / "config.yaml").write_text("feeds: [{file: subs.opml}]")
    assert [source.id for source in sources(tmp_path / "config.yaml")] == [one.id, two.id]


def test_import_says_what_stands_twice(opml: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two outlines with one address are one feed; that there are fewer feeds than outlines is not left to be counted."""
    opml.write_text('<opml>\n<outline text="A" xmlUrl="http://e.com/a"/>\n<outline text="B" xmlUrl="http://e.com/a"/>\n</opml>')
    assert main(["feeds", "import", str(opml)]) == 0
    assert capfd.readouterr().err == f"warning: {opml}:3: B: has the address of line 2: one feed, with the tags of both\n"


def test_import_overwrites_nothing(opml: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that is there stays, unless --force says so; without --output it goes to standard output."""
    made = tmp_path / "made.yaml"
    made.write_text("mine")
    assert main(["feeds", "import", str(opml), "--output", str(made)]) == 1
    assert "is there already" in capfd.readouterr().err
    assert made.read_text() == "mine"
    assert main(["feeds", "import", str(opml), "--output", str(made), "--force"]) == 0
    capfd.readouterr()
    assert main(["feeds", "import", str(opml)]) == 0
    assert capfd.readouterr().out == made.read_text()


@pytest.mark.parametrize("text", ["<opml/>", '<opml><outline xmlUrl="gopher://e.com"/></opml>', None])
def test_import_of_nothing(text: str | None, tmp_path: Path) -> None:
    """A list without a feed, or none at all, is exit 2."""
    path = tmp_path / "subs.opml"
    if text is not None:
        path.write_text(text)
    assert main(["feeds", "import", str(path)]) == 2


def test_export_tells_no_secret(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds 34: logins, credentials and what variables stand for are left out, and it is said of which feeds."""
    monkeypatch.setenv("TOK", "c4nary-one")
    config = tmp_path / "config.yaml"
    config.write_text(
        "feeds:\n"
        "  - {id: a, url: 'https://u:c4nary-two@e.com/a?k=${TOK}'}\n"
        "  - {id: b, url: 'https://e.com/b', auth: {bearer: c4nary-three}}\n"
        "  - {id: c, url: 'https://e.com/c'}\n"
    )
    assert main(["feeds", "export", "--config", str(config)]) == 0
    said = capfd.readouterr()
    assert "c4nary" not in said.out + said.err
    assert [line.split(": ")[-1] for line in said.err.splitlines()] == [
        "a is exported without its secret",
        "b is exported without its secret",
    ]
    assert 'xmlUrl="https://e.com/a?k=${TOK}"' in said.out


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20).map(lambda text: " ".join(text.split()))
FEED = st.fixed_dictionaries(
    {"id": st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,9}\Z"), "url": st.integers().map("https://e.com/{}?a=1&b=<2>".format)},
    optional={
        "name": NAMES,
        "language": st.sampled_from(["ar", "en-GB"]),
        "country": st.just("IQ"),
        "tags": st.lists(NAMES.filter(bool), unique=True, max_size=3),
        "interval": st.integers(1, 10**7).map("{}s".format),
        "max_age": st.sampled_from(["none", "36h", "0.5s"]),
        "first_fetch": st.sampled_from(["alert", "quiet", "summary"]),
        "user_agent": st.just("Other/1.0"),
        "delta": st.just(value=True),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(
        FEED.filter(lambda feed: "${" not in str(feed)),
        min_size=1,
        max_size=4,
        unique_by=(lambda feed: feed["id"], lambda feed: feed["url"]),
    )
)
def test_there_and_back(tmp_path: Path, capfd: pytest.CaptureFixture[str], feeds: list[dict[str, Any]]) -> None:
    """What is exported and imported again is the same feeds, whatever they are called."""
    config, opml = tmp_path / "config.yaml", tmp_path / "out.opml"
    config.write_bytes(orjson.dumps({"feeds": feeds}))
    before = sources(config)
    assert main(["feeds", "export", "--config", str(config)]) == 0
    opml.write_text(capfd.readouterr().out, "utf-8")
    assert main(["feeds", "import", str(opml), "--output", str(tmp_path / "made.yaml"), "--force"]) == 0
    config.write_text("feeds: [{file: made.yaml}]")
    assert sources(config) == before
    config.write_text("feeds: [{file: out.opml}]")
    assert sources(config) == before
