"""`rasid parse`: any bytes in, JSON lines or a reason out, with the exit codes of its help."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.cli.main import main
from tests.feeds.documents import ATOM, RSS, rss

NAMES = [
    "id", "guid", "link", "title", "summary", "content", "summary_html", "content_html", "published", "updated", "dates_raw",
    "authors", "tags", "language", "enclosures", "source", "comments", "notes",
]  # fmt: skip


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.xml"
    path.write_text(RSS, "utf-8")
    return path


def test_one_item_a_line_with_the_names_on_the_wire(feed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line holds exactly the documented names, times in UTC; stderr says what the document was."""
    assert main(["parse", str(feed), "--url", "https://feeds.example.net/f.xml"]) == 0
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    item = json.loads(line)
    assert list(item) == NAMES
    assert (item["published"], item["updated"]) == ("2024-02-05T11:03:22Z", None)
    assert item["dates_raw"] == {"published": "Mon, 05 Feb 2024 14:03:22 +0300", "updated": ""}
    assert item["source"] == {"name": "وكالة", "url": "https://agency.example.org/"}
    assert item["language"] == "ar"
    assert err == "RSS 2.0; well-formed; charset utf-8 (utf-8); 1 item\n"


def test_several_files_say_which(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With several files each line and each verdict carries its file; one that is no feed makes the code 2."""
    other = tmp_path / "page.html"
    other.write_text("<!doctype html><html><body>no")
    atom = tmp_path / "atom.xml"
    atom.write_text(ATOM)
    assert main(["parse", str(feed), str(other), str(tmp_path / "missing"), str(atom)]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(feed), str(atom)]
    assert f"{other}: no items: HTML instead of a feed" in err
    assert f"{tmp_path / 'missing'}: cannot be read: No such file" in err


def test_gzip_is_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A feed that a server gave packed is read as the service reads it; one that breaks off is said to, with code 2."""
    whole, half = tmp_path / "feed.xml.gz", tmp_path / "half.gz"
    packed = gzip.compress(RSS.encode())
    whole.write_bytes(packed)
    half.write_bytes(packed[: len(packed) // 2])
    assert main(["parse", str(whole), str(half)]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(whole)]
    assert f"{half}: cannot be unpacked: gzip that ends too early" in err


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"", 2, "no items: empty document"),
        (b"hello", 2, "no items: no feed element"),
        (b"\xff\xfe\x00", 2, "no items"),
        (rss([]), 0, "RSS 2.0; well-formed; charset utf-8 (utf-8); 0 items; the feed has no items"),
    ],
)
def test_why_there_are_no_items(raw: bytes, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No document ends in silence: stderr gives the reason; an empty feed is a feed."""
    path = tmp_path / "feed"
    path.write_bytes(raw)
    assert main(["parse", str(path)]) == code
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True)


def test_the_charset_of_http_is_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--content-type` gives the charset where the document is wrong about it."""
    path = tmp_path / "feed"
    path.write_bytes(RSS.encode("cp1256"))
    assert main(["parse", str(path), "--content-type", "text/xml; charset=windows-1256"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["title"] == "الخبر & ما بعده"
    assert "charset cp1256 (http)" in err


def test_the_language_is_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--language` stands for a feed's key: what its dates' words mean may depend on it."""
    path = tmp_path / "feed"
    path.write_bytes(rss(["<item><title>x</title><guid>1</guid><pubDate>05/11/2024 10:00</pubDate></item>"]))
    published = []
    for options in ([], ["--language", "fr"]):
        assert main(["parse", str(path), *options]) == 0
        published.append(json.loads(capsys.readouterr().out)["published"])
    assert published == [None, "2024-11-05T10:00:00Z"]


def test_standard_input_is_read() -> None:
    """`-` is standard input; piped output is JSON, nothing else stands on stdout."""
    run = subprocess.run([sys.executable, "-m", "daemon", "parse", "-"], input=ATOM.encode(), capture_output=True, check=False)
    assert run.returncode == 0
    assert json.loads(run.stdout)["id"] == "urn:1"
    assert run.stderr.decode() == "Atom 1.0; well-formed; charset utf-8 (utf-8); 1 item\n"
