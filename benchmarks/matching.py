"""How fast texts are searched for many names, side by side with peers: article text → hits with offsets in the original.

    python -m benchmarks.matching [ALIASES …] [--only LABEL …]     10,000, 100,000 and 1,000,000 by default

Everybody gets the same folding (ours), the same names and the same texts, takes turns in one run, on one pinned core; CPU
time, the best of several turns. `whole words`: names between spaces, as all peers find them, and the same answers (counted).
`as matched`: what Rasid does with names, with clitics, own letters and endings. Texts and names are generated: half Arabic,
half Latin, words by a long-tailed distribution, some names planted in each. Peers: `make .venv/peers.done`; absent ones
are left out.
"""

import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

import ahocorasick_rs

from consumers.finds import ZoneFinds
from consumers.search import Searcher, ZoneText, make_searcher
from consumers.syntax import Exactness, Term
from consumers.text.fold import fold, fold_key
from consumers.text.scripts import Clitics
from consumers.text.spelling import needs_check
from daemon.messages.article import Zone

Find: TypeAlias = Callable[[str], Sequence[tuple[int, int, int]]]
"""A text's hits: name, and where it stands in the text."""

_RNG: Final = random.Random(3)
_ALPHABETS: Final = ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "abcdefghiklmnoprstuvwyz")
_TEXTS: Final = 200
_TURNS: Final = 7
_SLOW: Final = {"spaCy": 20}
"""Texts that a slow one is given, to be done before evening."""
_HYPERSCAN_UP_TO: Final = 100_000
"""It takes over a minute and two gigabytes to build a million."""


def vocabulary(letters: str) -> list[str]:
    return ["".join(_RNG.choices(letters, k=_RNG.randint(3, 9))) for _ in range(40_000)]


def names(words: Sequence[str], count: int) -> list[str]:
    return [" ".join(_RNG.choices(words, k=_RNG.choice((1, 2, 2, 2, 3)))) for _ in range(count)]


def text(words: Sequence[str], weights: Sequence[float], planted: Sequence[str]) -> str:
    written = _RNG.choices(words, weights, k=350)
    for name in _RNG.choices(planted, k=5):
        written.insert(_RNG.randrange(len(written)), name)
    return "".join(word + _RNG.choice((" ", " ", " ", " ", " ", " ", ", ", ". ")) for word in written)


def ours(keys: Sequence[str], clitics: Clitics) -> Find:
    def term(key: str) -> Term:
        spelled = clitics is Clitics.NAME and needs_check(key)
        return Term(key, key, clitics, Exactness.SPELLED if spelled else Exactness.FOLDED)

    searcher: Searcher = make_searcher([term(key) for key in keys])

    def find(written: str) -> Sequence[tuple[int, int, int]]:
        zone = ZoneText(written)
        return [hit for found in searcher.search({Zone.BODY: zone}).zones for hit in places(found, zone)]

    return find


def places(found: ZoneFinds, zone: ZoneText) -> Iterator[tuple[int, int, int]]:
    starts, ends = zone.folded.starts(found.starts), zone.folded.ends(found.ends)
    yield from zip(found.terms.tolist(), starts.tolist(), ends.tolist(), strict=True)
    for other in found.others:
        yield other.term, *zone.span(other)


def over_words(raw: Callable[[str], Iterable[tuple[int, int, int]]]) -> Find:
    """A peer that finds `" name "` in the folded text between spaces: name, start of its first space, end of its last."""

    def find(written: str) -> Sequence[tuple[int, int, int]]:
        folded = fold(written)
        return [(name, folded.start(start), folded.end(end - 2)) for name, start, end in raw(f" {folded.text} ")]

    return find


def with_ahocorasick_rs(keys: Sequence[str]) -> Find:
    automaton = ahocorasick_rs.AhoCorasick([f" {key} " for key in keys], store_patterns=False)
    return over_words(lambda text: automaton.find_matches_as_indexes(text, overlapping=True))


def with_pyahocorasick(keys: Sequence[str]) -> Find:
    ahocorasick: Any = import_module("ahocorasick")
    automaton = ahocorasick.Automaton()
    for number, key in enumerate(keys):
        automaton.add_word(f" {key} ", (number, len(key)))
    automaton.make_automaton()
    return over_words(lambda text: ((number, last - size - 1, last + 1) for last, (number, size) in automaton.iter(text)))


def with_flashtext2(keys: Sequence[str]) -> Find:
    """The longest of overlapping names only."""
    flashtext2: Any = import_module("flashtext2")
    processor = flashtext2.KeywordProcessor(case_sensitive=True)
    for number, key in enumerate(keys):
        processor.add_keyword(key, str(number))
    return over_words(
        lambda text: ((int(name), start - 1, end + 1) for name, start, end in processor.extract_keywords_with_span(text))
    )


def with_hyperscan(keys: Sequence[str]) -> Find:
    """Offsets are of UTF-8 bytes and become code points by counting, for hits only."""
    hyperscan: Any = import_module("hyperscan")
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    patterns = [f" {key} ".encode() for key in keys]
    sizes = [len(key) + 2 for key in keys]
    database.compile(expressions=patterns, ids=range(len(keys)), elements=len(keys), flags=0, literal=True)

    def raw(text: str) -> Iterator[tuple[int, int, int]]:
        data = text.encode()
        found: list[tuple[int, int]] = []
        database.scan(data, match_event_handler=lambda name, _from, to, _flags, _context: found.append((name, to)))
        for name, to in found:
            end = len(data[:to].decode())
            yield name, end - sizes[name], end

    return over_words(raw)


def with_spacy(keys: Sequence[str]) -> Find:
    blank: Any = import_module("spacy").blank("xx")
    matcher: Any = import_module("spacy.matcher").PhraseMatcher(blank.vocab)
    for number, key in enumerate(keys):
        matcher.add(str(number), [blank.make_doc(key)])

    def raw(text: str) -> Iterator[tuple[int, int, int]]:
        document = blank.make_doc(text[1:-1])
        for name, first, past in matcher(document):
            span = document[first:past]
            yield int(blank.vocab.strings[name]), span.start_char, span.end_char + 2

    return over_words(raw)


MAKERS: Final[Mapping[str, tuple[str, Callable[[Sequence[str]], Find]]]] = {
    "ours, whole words": ("consumers", lambda keys: ours(keys, Clitics.NONE)),
    "ours, as matched": ("consumers", lambda keys: ours(keys, Clitics.NAME)),
    "ahocorasick_rs": ("ahocorasick_rs", with_ahocorasick_rs),
    "pyahocorasick": ("ahocorasick", with_pyahocorasick),
    "flashtext2": ("flashtext2", with_flashtext2),
    "hyperscan": ("hyperscan", with_hyperscan),
    "spaCy": ("spacy", with_spacy),
}
"""By label: the module it needs, and how it is built."""


def chosen(size: int, only: Sequence[str]) -> Iterator[str]:
    for label, (module, _) in MAKERS.items():
        wanted = not only or any(word in label for word in only)
        if wanted and find_spec(module) and not (label == "hyperscan" and size > _HYPERSCAN_UP_TO):
            yield label


def turns(finds: Mapping[str, Find], texts: Sequence[str]) -> dict[str, float]:
    """The best CPU seconds a text of each, taking turns."""
    best = dict.fromkeys(finds, float("inf"))
    for _ in range(_TURNS):
        for label, find in finds.items():
            some = texts[: _SLOW.get(label, len(texts))]
            begin = time.process_time()
            for written in some:
                find(written)
            best[label] = min(best[label], (time.process_time() - begin) / len(some))
    return best


def compare(size: int, only: Sequence[str]) -> None:
    kinds = [vocabulary(letters) for letters in _ALPHABETS]
    weights = [1 / (rank + 20) for rank in range(40_000)]
    planted = [names(words[5_000:], size // 2) for words in kinds]
    texts = [text(kinds[number % 2], weights, planted[number % 2]) for number in range(_TEXTS)]
    keys = [*dict.fromkeys(fold_key(name) for some in planted for name in some)]
    bytes_each = sum(len(written.encode()) for written in texts) / len(texts)
    print(f"{len(keys):,} names, {len(texts)} texts of {bytes_each / 1000:.1f} kB")
    finds: dict[str, Find] = {}
    built: dict[str, str] = {}
    for label in chosen(size, only):
        begin, before = time.process_time(), resident()
        finds[label] = MAKERS[label][1](keys)
        built[label] = f"built in {time.process_time() - begin:5.1f} s, {resident() - before:5.0f} MB"
    hits = {label: sum(len(find(written)) for written in texts[:20]) / 20 for label, find in finds.items()}
    seconds = turns(finds, texts)
    for label, each in seconds.items():
        ratios = "  ".join(f"{other / each:5.2f}" for other in seconds.values())
        speed = f"{bytes_each / each / 1e6:6.1f} MB/s {each * 1e6:7.0f} µs {hits[label]:6.1f} hits"
        print(f"  {label:18} {speed}  {built[label]}  × {ratios}")


def resident() -> float:
    """Megabytes this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def main(arguments: Sequence[str]) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sizes = [int(word) for word in arguments if word.isdecimal()]
    only = [word for word in arguments if not word.isdecimal() and word != "--only"]
    for size in sizes or (10_000, 100_000, 1_000_000):
        compare(size, only)


if __name__ == "__main__":
    main(sys.argv[1:])
