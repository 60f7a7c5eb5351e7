"""`rasid extract`: any bytes to zones, in the names the design gives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import style, unstyle
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.extract import Extractor
from consumers.text.language import Languages
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Zoner
from daemon.cli.extract import command, describe, readable
from daemon.clock import WallClock

NAMES = ["url", "title", "lead", "body", "rest", "blocks", "language", "language_from", "published", "authors", "notes"]
PROSE = "The minister told reporters in Washington on Tuesday that the talks had gone well and would go on for a week. "
PAGE = f"""<!doctype html><html lang="en-GB"><head><title>A day of talks</title>
<meta property="article:published_time" content="2023-08-08T12:25:00+03:00"><meta name="author" content="Ada Example">
</head><body><nav><a href="/">Home</a><a href="/x">Planted Name</a></nav>
<article><h1>A day of talks</h1>{"".join(f"<p>{PROSE * 3}{n}</p>" for n in range(4))}</article></body></html>"""
EXTRACTOR = Extractor(Zoner(load_headings()), Languages())


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(command, arguments, input=stdin, standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, [json.loads(line) for line in result.stdout.splitlines()]


def test_plain_text_from_standard_input() -> None:
    """Without a FILE, standard input is read; the line has exactly the design's names, in their order."""
    code, (line,) = run("--url", "https://news.example.net/1", stdin=f"{PROSE}\n\nRead also\n• Planted Name".encode())
    assert code == 0
    assert list(line) == NAMES
    assert line["url"] == "https://news.example.net/1"
    assert (line["body"], line["rest"], line["published"]) == (PROSE.strip(), "Read also\n• Planted Name", None)
    assert line["blocks"] == [
        {"zone": "body", "reason": "text", "text": line["body"]},
        {"zone": "rest", "reason": "related", "text": line["rest"]},
    ]
    assert (line["language"], line["language_from"]) == ("en", "text")


def test_a_page_is_read_as_a_page() -> None:
    """A whole page gives its main text, its title once, its date in UTC and its authors; its menu is nowhere in the body."""
    _, (line,) = run(stdin=PAGE.encode())
    assert line["title"] == "A day of talks"
    assert line["body"].startswith("The minister told")
    assert "Planted Name" not in line["title"] + line["lead"] + line["body"]
    assert (line["published"], line["authors"], line["language"]) == ("2023-08-08T09:25:00Z", ["Ada Example"], "en")


def test_a_piece_of_html_is_divided_by_its_elements() -> None:
    """What a feed would give as content is read as HTML, not shown with its tags."""
    _, (line,) = run(stdin=f"<p>{PROSE}</p><aside>Planted Name</aside>".encode())
    assert (line["body"], line["rest"]) == (PROSE.strip(), "Planted Name")


def test_a_page_without_an_article_is_taken_whole() -> None:
    """Where no main text is found, all of the text stands in the body, and a note says so."""
    _, (line,) = run(stdin=b"<html><body></body></html>")
    assert line["body"] == ""
    assert line["notes"] == ["no article in the page: all of its text was taken"]


def test_several_files_are_named_and_one_that_is_missing_stops_no_other(tmp_path: Path) -> None:
    """Each line says which file it is; a file that cannot be read makes the exit code 2 and one sentence on stderr."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(PROSE, encoding="utf-8")
    files = [str(tmp_path / name) for name in ("one", "gone", "two")]
    result = CliRunner().invoke(command, files, standalone_mode=False)
    assert result.return_value == 2
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == [files[0], files[2]]
    assert result.stderr == f"rasid: {files[1]}: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\xff\xfe\x00", b"<html", b"<html><body><p>\x1b[31m&#x0;", b"\xed\xa0\x80"])
def test_any_bytes_give_a_line(raw: bytes) -> None:
    """No input crashes it, and no control sequence of an input reaches the terminal."""
    code, (line,) = run(stdin=raw)
    assert code == 0
    assert "\x1b" not in json.dumps(line, ensure_ascii=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.sampled_from([b"", b"<!doctype html>", b"<p>", "<html lang=ar>إقرأ أيضاً".encode()]))
def test_random_bytes_give_a_line(raw: bytes, before: bytes) -> None:
    """Whatever the bytes, the names are all there and the texts can be encoded."""
    (described,) = describe(before + raw, "", EXTRACTOR, WallClock())
    assert list(described) == NAMES
    json.dumps(described, ensure_ascii=False).encode()


def test_people_see_each_zone_in_its_colour() -> None:
    """On a terminal every block is headed by its zone and reason, the article's own text and the rest in different colours."""
    (described,) = describe(f"{PROSE}\n\nRead also\n• Planted Name".encode(), "", EXTRACTOR, WallClock())
    shown = "\n".join(readable(described))
    plain = unstyle(shown)
    assert plain.startswith("language: en (from: text)\n")
    assert "── body · text\nThe minister" in plain
    assert "── rest · related\nRead also" in plain
    assert style("Read also\n• Planted Name", fg="bright_black") in shown


def test_what_parse_prints_is_divided_item_by_item() -> None:
    """`parse | extract`: the sample's item comes out as the service divides it, ready for `match`."""
    sample = Path(__file__).parent.parent.parent / "seeds" / "sample-feed.xml"
    parsed = subprocess.run([sys.executable, "-m", "daemon", "parse", str(sample)], capture_output=True, check=True)
    (line,) = describe(parsed.stdout, "", EXTRACTOR, WallClock())
    assert line["url"] == "https://news.example.net/iraq/2023/08/08/abbasi-austin-washington"
    assert "ثابت العباسي" in line["body"]
    assert "نواف سلام" in line["rest"]
    assert "نواف سلام" not in line["body"]
