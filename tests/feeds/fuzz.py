"""Broken feeds without end: whatever comes, parsing ends soon, in items or in a reason.

    python -m tests.feeds.fuzz --seconds 600 [--seed 1] [--keep FOLDER]

Every document is made from a number, so a complaint names what makes it again: `--seed N --seconds 0`.
"""

import argparse
import faulthandler
import pickle
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import orjson

from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.parse.parsed import Parsed, Reason
from tests.feeds.mutations import OF_BYTES, OF_TEXT
from tests.feeds.newsroom import CHARSETS, EVERYWHERE, FORMATS, WORDS, encoded, paper

NOW: Final = 1_707_200_000.0
SECONDS: Final = 2.0
"""Of CPU: what a worker gives a feed (feeds 20)."""
_HANGS: Final = 120
_LARGEST: Final = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A document, how it came to be, and what it was sent with."""

    seed: int
    raw: bytes
    made: str
    content_type: str
    language: str


def case(seed: int) -> Case:
    """The document of a number: one to three things broken in a feed of a random language, format and charset."""
    random = Random(seed)
    language, form = random.choice(list(WORDS)), random.choice(FORMATS)
    charset = random.choice([*EVERYWHERE, *CHARSETS[language]]) if form != "json" else "utf-8"
    text = paper(random, language, random.choice([1, 6, 6, 30])).text(form, charset)
    kinds = random.choices([*OF_TEXT, *OF_BYTES], k=random.choice([1, 1, 2, 3]))
    for kind in kinds:
        text = OF_TEXT[kind](random, text) if kind in OF_TEXT else text
    raw = encoded(text.encode("utf-8", "replace").decode(), charset)
    for kind in kinds:
        raw = OF_BYTES[kind](random, raw) if kind in OF_BYTES else raw
    return Case(
        seed=seed,
        raw=raw,
        made=f"{form} {language} {charset}: {', '.join(kinds)}",
        content_type=random.choice(["", "application/rss+xml", f"text/xml; charset={charset}", "text/xml; charset=utf-8"]),
        language=random.choice(["", language]),
    )


def complaint(case: Case, within: float = SECONDS) -> str:
    """What is wrong with how it was parsed; empty when nothing is."""
    started = time.process_time()
    try:
        parsed = _parsed(case)
        taken = time.process_time() - started
        again = _parsed(case, known=frozenset(parsed.hashes))
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is looked for
        return f"raised {type(error).__name__}: {error}"
    if taken > within:
        return f"took {taken:.1f} s of CPU"
    return _wrong(parsed) or (_wrong(again) and f"the second time: {_wrong(again)}")


def _parsed(case: Case, known: frozenset[str] = frozenset()) -> Parsed:
    return parse_feed(
        case.raw,
        content_type=case.content_type,
        language=case.language,
        url="https://news.example.net/feed",
        known=known,
        now=NOW,
    )


def _wrong(parsed: Parsed) -> str:
    if not (parsed.items or parsed.reason or parsed.notes):
        return "silent emptiness"
    if not all(item.id for item in parsed.items):
        return "an item without identity"
    if parsed.reason and parsed.items:
        return "items beside a reason for none"
    try:
        orjson.dumps(parsed.items)
        size = len(pickle.dumps(parsed))
    except (TypeError, ValueError, orjson.JSONEncodeError) as error:
        return f"cannot travel: {error}"
    return f"{size} bytes to travel" if size > _LARGEST else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where documents that are complained of are written")
    options = parser.parse_args()
    end, seed, complaints = time.monotonic() + options.seconds, options.seed, 0
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    while True:
        made = case(seed)
        faulthandler.dump_traceback_later(_HANGS, exit=True)
        started = time.process_time()
        wrong = complaint(made)
        slowest = max(slowest, time.process_time() - started)
        faulthandler.cancel_dump_traceback_later()
        if wrong:
            complaints += 1
            _say(f"seed {seed}: {made.made}: {wrong}")
            if options.keep:
                (options.keep / str(seed)).write_bytes(made.raw)
        else:
            parsed = _parsed(made)
            outcomes[parsed.reason if parsed.reason is not Reason.NONE else "items" if parsed.items else "a note"] += 1
        seed += 1
        if time.monotonic() >= end:
            break
    shares = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
    _say(f"{seed - options.seed} documents, {complaints} complaints; slowest {slowest:.2f} s, read twice; {shares}")
    return 1 if complaints else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a script's answer


if __name__ == "__main__":
    sys.exit(main())
