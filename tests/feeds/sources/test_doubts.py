"""What `rasid check` doubts of feeds."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from daemon.config.load import load_config
from daemon.feeds.sources.doubts import doubtful_feeds

CONFIG = """
feeds:
  - {id: a, url: "https://e.com/a", auth: {bearer: "${TOKEN}"}}
  - {id: b, url: "http://e.com/b", auth: {bearer: "${TOKEN}"}}
  - {file: more.yaml}
  - {file: subs.opml}
  - {file: off.opml, enabled: false}
"""


def test_logins_and_lists(tmp_path: Path) -> None:
    """A login without TLS, a secret in a file of feeds, what is odd about a list: each with its place, without its value."""
    (tmp_path / "more.yaml").write_text("- id: c\n  url: https://e.com/c\n  auth: {headers: {X-Key: c4nary}}\n")
    (tmp_path / "subs.opml").write_text('<opml>\n<outline text="a & b" xmlUrl="http://e.com/d"/>\n</opml>')
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    environ = {"TOKEN": "t0ken"}
    told = [str(doubt) for doubt in doubtful_feeds(load_config(path, environ), path, environ)]
    assert [text.replace(f"{tmp_path}/", "").partition(": ")[0] for text in told] == [
        "config.yaml:4:36",
        "more.yaml:3:20",
        "subs.opml:2:19",
    ]
    assert "in the clear" in told[0]
    assert "stands in the file as it is" in told[1]
    assert "not well-formed" in told[2]
    assert not any(secret in text for text in told for secret in ("c4nary", "t0ken"))


def said(folder: Path, feeds: str, environ: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The doubts about a configuration's feeds, with their lines."""
    path = folder / "config.yaml"
    path.write_text(f"feeds:\n{feeds}")
    return [str(doubt).removeprefix(f"{path}:") for doubt in doubtful_feeds(load_config(path, environ), path, environ)]


def test_secrets_in_addresses(tmp_path: Path) -> None:
    """Feeds 34: a password in an address is doubted as one in `auth` is, for where it stands and for where it goes."""
    environ = {"TOK": "t0ken-t0ken", "URL": "https://u:t0ken@e.com/d"}
    told = said(
        tmp_path,
        '- {id: a, url: "http://u:${TOK}@e.com/a"}\n'
        '- {id: b, url: "https://u:c4nary@e.com/b"}\n'
        '- {id: c, url: "https://u:${TOK}@e.com/c"}\n'
        '- {id: d, url: "${URL}"}\n'
        '- {id: e, url: "https://e.com/e?mail=x@e.com"}\n',
        environ,
    )
    assert told == [
        "2:11: feeds[0].url: its name and password go over the network in the clear: the address is not https (feed a)",
        '3:11: feeds[1].url: its password stands in the file as it is; better "${NAME}" from the environment (feed b)',
    ]


def test_languages_and_addresses(tmp_path: Path) -> None:
    """A language that is none, and two feeds with one address: each with its place."""
    (tmp_path / "more.yaml").write_text("- {id: c, url: http://e.com/a, language: zh-Hant-TW}\n")
    told = said(
        tmp_path,
        "- {id: a, url: http://e.com/a, language: klingonisch}\n"
        "- {id: b, url: http://e.com/b, language: de_DE}\n"
        "- {file: more.yaml}\n",
    )
    assert [text.removeprefix(f"{tmp_path}/").replace(f"{tmp_path}/", "") for text in told] == [
        "2:32: feeds[0].language: 'klingonisch' is no BCP 47 tag, such as ar or en-GB (feed a)",
        "3:32: feeds[1].language: 'de_DE' is no BCP 47 tag, such as ar or en-GB (feed b)",
        "more.yaml:1:11: [0].url: is that of the feed 'a' at config.yaml:2: both are polled (feed c)",
    ]
