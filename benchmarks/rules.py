"""What rules cost an article: from its text to the rules that hold, and their evidence; by the number of rules.

    python -m benchmarks.rules [RULES …]     1,000, 10,000 and 100,000 by default

A rule asks for one of some names together with one of some topics, or for two words near each other, or for topics only; its
topics stand in anything from a rare article to one in four. Articles are generated: words by a long-tailed distribution,
3.8 kB. Anchors are chosen by the traffic of other articles than those measured. CPU time of one thread, best of several.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from consumers.compile import Compiled, compile_desks, reanchored
from consumers.evaluate import Evaluation
from consumers.given import given_article
from consumers.judge import Subject, judge_all
from consumers.matcher import subject_of
from consumers.syntax import And, Near, Node, Not, Or, make_term
from consumers.watchlist.desk import Desk, Rule
from daemon.messages.article import Article, Zone
from daemon.messages.match import Severity, Stage

_RNG: Final = random.Random(3)
_LETTERS: Final = "abcdefghiklmnoprstuvwyz"
_NAMES: Final = 100_000
_ARTICLES: Final = 400
_ZONES: Final = frozenset({Zone.TITLE, Zone.LEAD, Zone.BODY})


def vocabulary(count: int) -> list[str]:
    return [*{"".join(_RNG.choices(_LETTERS, k=_RNG.randint(4, 9))): None for _ in range(count)}]


def written(words: Sequence[str], weights: Sequence[float], names: Sequence[str]) -> Article:
    text = _RNG.choices(words, cum_weights=weights, k=510)
    for name in _RNG.choices(names, k=5):
        text.insert(_RNG.randrange(len(text)), name)
    return given_article({"body": "".join(word + _RNG.choice((" ",) * 11 + (", ", ". ")) for word in text)}, "a")


def rule(number: int, names: Sequence[str], topics: Sequence[str]) -> Rule:
    return Rule(
        id=f"r{number}",
        name="",
        where=_tree(names, topics),
        unless=None,
        zones=_ZONES,
        severity=Severity.NORMAL,
        notify=(),
        stage=Stage.LIVE,
        tests=(),
    )


def _tree(names: Sequence[str], topics: Sequence[str]) -> Node:
    kind = _RNG.random()
    if kind < 0.2:
        return Near(make_term(_RNG.choice(names)), make_term(_RNG.choice(topics)), 12)
    if kind < 0.3:
        return And((_some(topics, 3, 3), _some(topics, 3, 3)))
    both = _some(names, 2, 6), _some(topics, 2, 8)
    return And(both if kind < 0.7 else (*both, Not(_some(topics, 2, 2))))


def _some(words: Sequence[str], least: int, most: int) -> Node:
    return Or(tuple(map(make_term, _RNG.sample(words, _RNG.randint(least, most)))))


def best(work: Callable[[], int]) -> tuple[float, int]:
    """Microseconds of CPU an article, and what the work counted."""
    times = []
    counted = 0
    for _ in range(5):
        begin = time.process_time()
        counted = work()
        times.append(time.process_time() - begin)
    return min(times) / _ARTICLES * 1e6, counted


def ready(rules: Sequence[Rule], before: Sequence[Article]) -> Compiled:
    desk = Desk(name="d", time_zone="UTC", actors=(), rules=tuple(rules), version="")
    compiled = compile_desks([desk])
    for article in before:
        compiled.rules.traffic.count(compiled.rules.marks(subject_of(compiled, article).found, [()]))
    return reanchored(compiled)


def report(count: int, names: Sequence[str], topics: Sequence[str], articles: Sequence[Article]) -> None:
    rules = [rule(number, names, topics) for number in range(count)]
    begin = time.process_time()
    compiled = ready(rules, articles[_ARTICLES:])
    built = time.process_time() - begin
    measured = articles[:_ARTICLES]
    subjects = [subject_of(compiled, article) for article in measured]

    def searched() -> int:
        return sum(len(subject_of(compiled, article).found) for article in measured)

    def looked_at() -> int:
        return sum(len(compiled.rules.rules(compiled.rules.marks(subject.found, [()]))[0]) for subject in subjects)

    def held() -> int:
        return sum(len(holding(compiled, subject)) for subject in subjects)

    def judged() -> int:
        return sum(len(judgement.rules) for subject in subjects for _, judgement in judge_all(compiled, subject))

    search, terms = best(searched)
    index, candidates = best(looked_at)
    rules_only, hold = best(held)
    whole, _ = best(judged)
    print(
        f"{count:8,} rules: search {search:5.0f} µs ({terms / _ARTICLES:.0f} terms), "
        f"candidates {index:4.0f} ({candidates / _ARTICLES:.1f}), rules {rules_only:5.0f} ({hold / _ARTICLES:.2f} hold), "
        f"with evidence {whole:5.0f}; built in {built:.1f} s"
    )


def holding(compiled: Compiled, subject: Subject) -> list[str]:
    """The rules that hold, without their evidence."""
    (desk,) = compiled.desks
    evaluation = Evaluation(desk.actors, subject.found, {}, subject.texts, subject.attributes)
    (places,) = compiled.rules.rules(compiled.rules.marks(subject.found, [()]))
    return [desk.desk.rules[place].id for place in places if evaluation.holds(desk.plan(place)[0], _ZONES)]


def main(counts: Sequence[int]) -> None:
    words = vocabulary(40_000)
    weights = [*accumulate(1 / (rank + 3) for rank in range(len(words)))]
    names = [" ".join(_RNG.choices(words[2_000:], k=2)) for _ in range(_NAMES)]
    articles = [written(words, weights, names) for _ in range(4 * _ARTICLES)]
    met = Counter(
        word for article in articles[_ARTICLES:] for word in set(article.body.replace(",", "").replace(".", "").split())
    )
    topics = [word for word, count in met.items() if 3 <= count <= 3 * _ARTICLES // 4]
    print(f"{sum(len(article.body) for article in articles) / len(articles):.0f} characters an article, {len(topics):,} topics")
    for count in counts:
        report(count, names, topics, articles)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1_000, 10_000, 100_000])
