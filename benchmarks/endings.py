"""How many forms of names are found that are known by their base form only, and what else is found by them.

    python -m benchmarks.endings [ru|uk] [TEXT …]

Judged by a dictionary nobody here wrote: `pymorphy3` with its Russian or Ukrainian words (install it beside, it is no peer of
ours and in no group). Names are its given names and surnames; their forms are its own, in five cases. In running texts, given
as files, every name with a capital is an alias; a hit is right when the dictionary reads the word as a form of that name.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from consumers.search import ZoneText, make_searcher
from consumers.syntax import Term
from consumers.text.endings import default_languages, inflected
from consumers.text.fold import fold_key
from consumers.text.scripts import Clitics
from daemon.messages.article import Zone

Forms: TypeAlias = Mapping[str, set[str]]
"""A name's forms by case."""

_RNG: Final = random.Random(1)
_CASES: Final = ("gent", "datv", "accs", "ablt", "loct")
_KINDS: Final = ("Name", "Surn")
_GENDERS: Final = ("masc", "femn")
_LEFT_OUT: Final = frozenset({"plur", "Fixd", "Abbr", "Init"})
_SAMPLE: Final = 1000
_LONG_ENOUGH: Final = 5


class Dictionary:
    """Names of a language with their forms, by kind and gender."""

    def __init__(self, language: str) -> None:
        self.morph: Any = import_module("pymorphy3").MorphAnalyzer(lang=language)
        self.names: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
        for word, tag, _, paradigm, place in self.morph.dictionary.iter_known_words():
            said = tag.grammemes
            for kind in said & {*_KINDS} if "nomn" in said and not said & _LEFT_OUT else ():
                for gender in said & {*_GENDERS}:
                    self.names.setdefault((kind, gender), []).append((word, paradigm, place))

    def forms(self, name: tuple[str, int, int], gender: str) -> Forms:
        word, paradigm, place = name
        inner = self.morph.dictionary
        stem = inner.build_stem(inner.paradigms[paradigm], place, word)
        forms: dict[str, set[str]] = {}
        for prefix, tag, ending in inner.build_paradigm_info(paradigm):
            if gender in tag.grammemes and "plur" not in tag.grammemes:
                for case in tag.grammemes & {*_CASES}:
                    forms.setdefault(case, set()).add(prefix + stem + ending)
        return forms

    def reads_as(self, word: str, name: str) -> bool:
        return any(parse.normal_form == name and parse.tag.grammemes & {*_KINDS} for parse in self.morph.parse(word.lower()))


def recall(pairs: Iterator[tuple[str, Sequence[str]]], language: str) -> float:
    """Of all forms, those that are found by the base form."""
    found = Counter(
        fold_key(form) in known
        for name, forms in pairs
        for known in [{fold_key(name), *inflected(fold_key(name), default_languages(name, language * (language != "ru")))}]
        for form in forms
    )
    return found[True] / max(found.total(), 1)


def one_word(words: Dictionary, kind: str) -> Iterator[tuple[str, Sequence[str]]]:
    for gender in _GENDERS:
        for name in _RNG.sample(words.names[kind, gender], _SAMPLE):
            if len(name[0]) >= _LONG_ENOUGH:
                yield name[0], [form for some in words.forms(name, gender).values() for form in some]


def full(words: Dictionary) -> Iterator[tuple[str, Sequence[str]]]:
    for gender in _GENDERS:
        for _ in range(_SAMPLE):
            parts = [_RNG.choice(words.names[kind, gender]) for kind in _KINDS]
            given, surname = (words.forms(part, gender) for part in parts)
            forms = [f"{one} {other}" for case in _CASES for one in given.get(case, ()) for other in surname.get(case, ())]
            yield f"{parts[0][0]} {parts[1][0]}", forms


def in_texts(words: Dictionary, texts: Sequence[str], endings: Callable[[str], tuple[str, ...]]) -> tuple[int, int]:
    """Hits, and how many of them the dictionary calls a form of the name."""
    names = {word.title() for some in words.names.values() for word, _, _ in some if len(word) >= _LONG_ENOUGH}
    terms = [Term(name, fold_key(name), Clitics.NAME, endings=endings(name)) for name in sorted(names)]
    searcher = make_searcher(terms)
    hits = right = 0
    for text in texts:
        zone = ZoneText(text)
        for number, found in searcher.search({Zone.BODY: zone}).items():
            surfaces = [surface for hit in found if (surface := zone.surface(hit))[:1].isupper()]
            hits += len(surfaces)
            right += sum(words.reads_as(surface, terms[number].text.lower()) for surface in surfaces)
    return hits, right


def main(arguments: Sequence[str]) -> None:
    language = arguments[0] if arguments else "ru"
    words = Dictionary(language)
    for kind in _KINDS:
        print(f"{language} {kind}, one word: recall {recall(one_word(words, kind), language):.3f}")
    print(f"{language} given name and surname: recall {recall(full(words), language):.3f}")
    texts = [Path(name).read_text(encoding="utf-8", errors="replace") for name in arguments[1:]]
    for label, endings in (("whole words", lambda _: ()), ("with endings", default_languages)) if texts else ():
        hits, right = in_texts(words, texts, endings)
        print(f"{language} in {sum(map(len, texts)):,} characters, {label}: {hits} hits, precision {right / max(hits, 1):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
