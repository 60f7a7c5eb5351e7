"""How fast texts are searched for many names: whole path (fold, search, clitics, offsets), ours on each automaton.

    python -m benchmarks.matching [ALIASES …]     10,000 and 100,000 by default

Texts and names are generated: half Arabic, half Latin, words by a long-tailed distribution, some names planted in each text.
The last line of each size is the bare automaton of `ahocorasick_rs` over whole words with the same folding: no clitics,
no spelling check. CPU time of one thread, best of several.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import ahocorasick_rs

from consumers.automaton import ENGINES
from consumers.search import make_searcher, zone_texts
from consumers.syntax import Exactness, Term
from consumers.text.fold import fold, fold_key
from consumers.text.scripts import Clitics
from consumers.text.spelling import needs_check
from daemon.messages.article import Zone

_RNG: Final = random.Random(3)
_ALPHABETS: Final = ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "abcdefghiklmnoprstuvwyz")
_TEXTS: Final = 300


def vocabulary(letters: str) -> list[str]:
    return ["".join(_RNG.choices(letters, k=_RNG.randint(3, 9))) for _ in range(40_000)]


def names(words: Sequence[str], count: int) -> list[str]:
    return [" ".join(_RNG.choices(words, k=_RNG.choice((1, 2, 2, 2, 3)))) for _ in range(count)]


def text(words: Sequence[str], weights: Sequence[float], planted: Sequence[str]) -> str:
    written = _RNG.choices(words, weights, k=350)
    for name in _RNG.choices(planted, k=5):
        written.insert(_RNG.randrange(len(written)), name)
    return "".join(word + _RNG.choice((" ", " ", " ", " ", " ", " ", ", ", ". ")) for word in written)


def best(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of CPU, and what the work counted."""
    times = []
    counted = 0
    for _ in range(5):
        begin = time.process_time()
        counted = work()
        times.append(time.process_time() - begin)
    return min(times), counted


def term(name: str) -> Term:
    key = fold_key(name)
    return Term(name, key, Clitics.NAME, Exactness.SPELLED if needs_check(key) else Exactness.FOLDED)


def whole_path(terms: Sequence[Term], texts: Sequence[str], engine: str) -> Callable[[], int]:
    searcher = make_searcher(terms, engine)

    def work() -> int:
        hits = 0
        for written in texts:
            zones = zone_texts({Zone.BODY: written})
            for found in searcher.search(zones).values():
                for hit in found:
                    zones[hit.zone].span(hit)
                    hits += 1
        return hits

    return work


def bare(terms: Sequence[Term], texts: Sequence[str]) -> Callable[[], int]:
    automaton = ahocorasick_rs.AhoCorasick([f" {one.key} " for one in terms], store_patterns=False)

    def work() -> int:
        hits = 0
        for written in texts:
            folded = fold(written)
            for _, start, end in automaton.find_matches_as_indexes(f" {folded.text} ", overlapping=True):
                folded.start(start)
                folded.end(end - 2)
                hits += 1
        return hits

    return work


def main(sizes: Sequence[int]) -> None:
    kinds = [vocabulary(letters) for letters in _ALPHABETS]
    weights = [1 / (rank + 20) for rank in range(40_000)]
    for size in sizes:
        planted = [names(words[5_000:], size // 2) for words in kinds]
        texts = [text(kinds[number % 2], weights, planted[number % 2]) for number in range(_TEXTS)]
        terms = [*dict.fromkeys(term(name) for some in planted for name in some)]
        megabytes = sum(len(written.encode()) for written in texts) / 1e6
        print(f"{len(terms):,} names, {megabytes:.1f} MB of texts")
        for engine in ENGINES:
            report(f"ours, {engine}", partial(whole_path, terms, texts, engine), megabytes)
        report("bare ahocorasick_rs", partial(bare, terms, texts), megabytes)


def report(label: str, make: Callable[[], Callable[[], int]], megabytes: float) -> None:
    begin = time.perf_counter()
    work = make()
    built = time.perf_counter() - begin
    seconds, hits = best(work)
    speed = f"{megabytes / seconds:6.1f} MB/s  {seconds / _TEXTS * 1e6:6.0f} µs a text"
    print(f"  {label:20} {speed}  {hits:6} hits  built in {built:.2f} s")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000])
