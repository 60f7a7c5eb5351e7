"""What enriching an article costs, part by part, and what sketches find. Texts are generated; CPU time, best of several.

    python -m benchmarks.enrich [ARTICLES]     articles in the look-up for the near-duplicates, 20,000 by default

The first line is a yardstick to compare machines and their load by: a sum of 16,000 squares in plain Python.
"""

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Final

from consumers.enricher import Enricher
from consumers.text.fold import fold_key
from consumers.text.language import Languages, Prior
from consumers.zones.headings import load_headings
from consumers.zones.zoner import Passage, Zoner
from daemon.messages.article import FeedCard, Item, Moment, RawArticle
from daemon.sketch import ALIKE, bands, similarity, sketch

_ALPHABETS: Final = ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "abcdefghiklmnoprstuvwyz")
_RNG: Final = random.Random(11)


def vocabulary(letters: str, size: int = 30_000) -> list[str]:
    return ["".join(_RNG.choices(letters, k=_RNG.randint(2, 9))) for _ in range(size)]


class Writer:
    """Writes news-like texts: few words are frequent, most are rare; and a stock of phrases that many texts share."""

    def __init__(self, letters: str) -> None:
        self._words = vocabulary(letters)
        self._weights = list(accumulate(1 / (rank + 20) for rank in range(len(self._words))))
        self._stock = [self.fresh() for _ in range(300)]

    def fresh(self) -> str:
        return " ".join(_RNG.choices(self._words, cum_weights=self._weights, k=_RNG.randint(8, 26))) + "."

    def sentences(self, count: int) -> list[str]:
        return [_RNG.choice(self._stock) if _RNG.random() < 0.05 else self.fresh() for _ in range(count)]


def edited(sentences: Sequence[str], share: float, writer: Writer) -> str:
    """A copy under another agency line, a share of its sentences dropped or replaced, some of the others touched."""
    out = ["agency " + writer.fresh()]
    for sentence in sentences:
        chance = _RNG.random()
        if chance < share / 2:
            continue
        if chance < share:
            out.append(writer.fresh())
        elif chance < 1.3 * share:
            words = sentence.split()
            words[_RNG.randrange(len(words))] = "xx"
            out.append(" ".join(words))
        else:
            out.append(sentence)
    return " ".join(out)


def best(work: Callable[[], object], times: int, rounds: int = 7) -> float:
    """Microseconds of CPU a call."""
    least = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            work()
        least = min(least, time.process_time() - start)
    return least / times * 1e6


def page(writer: Writer) -> str:
    """About 5 kB: paragraphs, a source line, tags, a heading and ten headlines."""
    paragraphs = [" ".join(writer.sentences(3)) for _ in range(9)]
    links = [f"• {writer.fresh().rstrip('.')}"[:90] for _ in range(10)]
    return "\n\n".join([*paragraphs, "Source: Somebody", "Tags: one, two", "Read also", *links])[:5000]


def costs() -> None:
    zoner, languages = Zoner(load_headings()), Languages()
    enricher = Enricher(zoner, languages)
    languages.guess("load the model", Prior())
    print(f"yardstick: {best(lambda: sum(number * number for number in range(16_000)), 20) / 1000:.2f} ms")
    for script, letters in zip(("Arabic", "Latin"), _ALPHABETS, strict=True):
        text = page(Writer(letters))
        markup = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
        folded = fold_key(text)
        raw = RawArticle(
            id="1",
            site="example.net",
            url="https://example.net/1",
            feed=FeedCard(id="a", url="https://example.net/feed", language="ar"),
            item=Item(id="1", title=text[:60], summary=text, published=Moment(at=1.0)),
            fetched_at=2.0,
        )
        print(f"{script}, {len(text)} characters, {len(text.encode())} bytes:")
        print(f"  zones of text     {best(partial(zoner.divide, '', Passage(), Passage(text)), 50):6.0f} µs")
        print(f"  zones of HTML     {best(partial(zoner.divide, '', Passage(), Passage(text, markup)), 50):6.0f} µs")
        print(f"  language          {best(partial(languages.guess, text, Prior('ar', 'feed')), 50):6.0f} µs")
        print(f"  sketch            {best(partial(sketch, folded), 100):6.0f} µs")
        print(f"  whole article     {best(partial(enricher.understand, raw), 50):6.0f} µs")


def quality(count: int) -> None:
    writer = Writer(_ALPHABETS[0])
    originals = [writer.sentences(_RNG.randint(12, 45)) for _ in range(count)]
    sketches = [sketch(fold_key(" ".join(text))) for text in originals]
    table: dict[bytes, list[int]] = defaultdict(list)
    for number, made in enumerate(sketches):
        for band in bands(made):
            table[band].append(number)

    def alike(made: str) -> set[int]:
        near = {number for band in bands(made) for number in table.get(band, ())}
        return {number for number in near if similarity(made, sketches[number]) >= ALIKE}

    kinds: dict[str, Callable[[list[str]], str]] = {
        "10 % changed": lambda text: edited(text, 0.1, writer),
        "30 % changed": lambda text: edited(text, 0.3, writer),
        "50 % changed": lambda text: edited(text, 0.5, writer),
        "cut in half": lambda text: " ".join(text[: len(text) // 2]),
    }
    sample = _RNG.sample(range(count), min(600, count))
    print(f"near-duplicates among {count} articles, {len(sample)} copies each:")
    for kind, copy in kinds.items():
        right = wrong = 0
        for number in sample:
            found = alike(sketch(fold_key(copy(originals[number]))))
            right += number in found
            wrong += len(found - {number})
        print(f"  {kind}: {right / len(sample):.1%} found, precision {right / max(1, right + wrong):.4f}")
    made = sketch(fold_key(" ".join(originals[0])))
    print(f"  look-up {best(lambda: alike(made), 200):.0f} µs")


if __name__ == "__main__":
    costs()
    quality(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
