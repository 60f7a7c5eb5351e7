"""Names in other cases, against a slow matcher that is obviously right: it tries every case on every run of words."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumers.search import make_searcher, zone_texts
from consumers.syntax import Term
from consumers.text.fold import fold_key
from consumers.text.scripts import Clitics
from daemon.messages.article import Zone

ROWS = yaml.safe_load(Path("consumers/text/endings.yaml").read_text(encoding="utf-8"))["ru"]["rows"]
STEMS = ["Путин", "Павел", "Меркель", "Зеленский", "Анна", "Илья", "Ким", "Лев", "аль", "Захаров", "Толстой", "Кравец", "Обама"]
ENDINGS = ["", "а", "у", "ым", "ом", "ого", "ой", "ы", "ю", "s"]
NAMES = st.lists(st.sampled_from(STEMS), min_size=1, max_size=3).map(" ".join)
WORDS = st.builds(
    lambda stem, cut, ending: (stem[: len(stem) - cut] + ending) or "а",
    st.sampled_from(STEMS),
    st.integers(0, 2),
    st.sampled_from(ENDINGS),
)


def declensions(word: str) -> list[list[list[str]]]:
    """The ways a word changes: for each the forms of each case. The key with the most letters decides."""
    best = -1
    found: list[list[list[str]]] = []
    for key, value in ROWS.items():
        letters, ending = key.removeprefix("[").split("]") if "]" in key else ("", key)
        stem = re.fullmatch(rf"(.*{f'[{letters}]' if letters else ''}){ending}", word)
        weight = len(ending) + bool(letters)
        if stem is None or len(word) < 2 or weight < best:
            continue
        found = found if weight == best else []
        best = weight
        for line in [value] if isinstance(value, str) else value:
            found.append([[stem[1] + form for form in case.replace("?", "").split("/")] for case in line.split()])
    return found


def cases(name: str) -> Iterator[str]:
    """All forms of a name, itself included."""
    yield name
    words = name.split()
    if len(words) == 1:
        for way in declensions(name):
            for form in (form for case in way for form in case):
                if sum(1 for _ in same_letters(name, form)) >= 5:
                    yield form
        return
    ways = []
    for place, word in enumerate(words):
        first, last = place == 0, place == len(words) - 1
        changes = [] if not (first or last) and len(word) <= 3 else declensions(word)
        stays = not changes or (first and (len(word) <= 3 or len(words) > 2)) or (last and words[0][-1] in "ая")
        ways.append([*changes, *([[[word]] * 5] if stays else [])])
    for chosen in product(*ways):
        for case in range(5):
            yield from map(" ".join, product(*(way[case] for way in chosen)))


def same_letters(name: str, form: str) -> Iterator[str]:
    for left, right in zip(name, form, strict=False):
        if left != right:
            return
        yield left


def slow(name: str, text: str) -> set[tuple[int, int]]:
    """Where any form stands between spaces, each of its words with a capital if the name's has one."""
    found = set()
    for form in {fold_key(each) for each in cases(fold_key(name))}:
        for hit in re.finditer(f"(?<= )(?={re.escape(form)} )", f" {fold_key(text)} "):
            start, end = hit.start() - 1, hit.start() - 1 + len(form)
            words = text[start:end].split()
            if form == fold_key(name) or all(
                word[0].isupper() or part[0].islower() for word, part in zip(words, name.split(), strict=True)
            ):
                found.add((start, end))
    return found


@given(NAMES, st.lists(WORDS | NAMES, max_size=8).map(" ".join))
@example("Анна Меркель", "с Анной Меркель")
@settings(max_examples=100, deadline=None)
def test_agrees_with_the_slow_one(name: str, text: str) -> None:
    """Every form of a name that the table gives is found, all words in one case, and no other."""
    term = Term(name, fold_key(name), Clitics.NAME, endings=("ru",))
    texts = zone_texts({Zone.BODY: text})
    found = {texts[hit.zone].span(hit) for hits in make_searcher([term]).search(texts).values() for hit in hits}
    assert found == slow(name, text)
