"""Sketches: stable for ever, alike for copies, unlike for strangers."""

import random
from base64 import b64decode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.errors import DecodeError
from daemon.sketch import ALIKE, LONGEST, SLOTS, bands, similarity, sketch

WORDS = ["".join(random.Random(n).choices("abcdefghijklmnop", k=2 + n % 8)) for n in range(6000)]
HAN = [chr(0x4E00 + n) for n in range(3000)]


def _sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(8, 24)))


def _copy(sentences: list[str], share: float, rng: random.Random) -> str:
    return " ".join(_sentence(rng) if rng.random() < share else sentence for sentence in sentences)


def _half(sentences: list[str], rng: random.Random) -> str:
    return " ".join(sentences[: len(sentences) // 2])


GOLDEN = {
    "وزير الدفاع العراقي في واشنطن اليوم": "iG2wa4htsGuI",
    "the minister met his counterpart in washington on tuesday": "F6dxsxencbMX",
    "国防部長会見美国同行": "yX2nyXAEkFdZ",
}


@pytest.mark.parametrize(("text", "first"), GOLDEN.items())
def test_sketch_of_a_text_never_changes(text: str, first: str) -> None:
    """Sketches are stored: the same text has the same sketch on every machine and in every version."""
    assert sketch(text)[:12] == first


@pytest.mark.parametrize(
    ("edit", "least"),
    [
        (lambda s, r: _copy(s, 0.1, r), 0.98),
        (lambda s, r: _copy(s, 0.3, r), 0.93),
        (_half, 0.98),
    ],
)
def test_copies_are_found(edit: Callable[[list[str], random.Random], str], least: float) -> None:
    """Copies with a tenth or a third of their sentences changed, or cut in half, share a band and pass the threshold."""
    rng, found = random.Random(7), 0
    for _ in range(200):
        sentences = [_sentence(rng) for _ in range(30)]
        one, other = sketch(" ".join(sentences)), sketch(edit(sentences, rng))
        found += bool(set(bands(one)) & set(bands(other))) and similarity(one, other) >= ALIKE
    assert found >= least * 200


def test_strangers_are_not_alike() -> None:
    """Texts of the same words in other sentences are not copies."""
    rng = random.Random(8)
    texts = [sketch(" ".join(_sentence(rng) for _ in range(30))) for _ in range(60)]
    assert max(similarity(one, other) for n, one in enumerate(texts) for other in texts[:n]) < ALIKE


def test_unspaced_scripts_are_cut_into_characters() -> None:
    """A Chinese text with a third of it changed is found, though it has no words parted by spaces."""
    rng = random.Random(9)
    text = "".join(rng.choices(HAN, k=900))
    assert similarity(sketch(text), sketch(text[:600] + "".join(rng.choices(HAN, k=300)))) >= ALIKE


def test_spaces_in_unspaced_scripts_do_not_count() -> None:
    """Folding makes spaces of punctuation; where words are not parted by spaces, copies may differ in them."""
    text = "".join(random.Random(3).choices(HAN, k=200))
    assert sketch(text) == sketch(" ".join(text))


def test_a_text_without_words_has_no_sketch() -> None:
    """Nothing is like nothing: empty texts are not copies of each other."""
    assert sketch("  ") == ""
    assert bands("") == ()
    assert similarity("", "") == similarity("", sketch("a b c d")) == 0.0


def test_a_text_beyond_the_limit_is_sketched_by_its_beginning() -> None:
    """The longest texts cost no more than the limit says."""
    text = "word " * (LONGEST // 5 + 9)
    assert sketch(text) == sketch(text[:LONGEST])


@pytest.mark.parametrize("stored", ["=", "AAAA", "é", sketch("a")[:-4]])
def test_what_is_no_sketch_is_refused(stored: str) -> None:
    """A damaged sketch is a decode error, not a wrong similarity."""
    with pytest.raises(DecodeError):
        bands(stored)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1))
def test_any_text_can_be_sketched(text: str) -> None:
    """No text crashes it; a sketch is 64 slots, like itself, with 32 different keys."""
    made = sketch(text)
    if made:
        assert len(b64decode(made)) == SLOTS * 4
        assert similarity(made, made) == 1.0
        assert len(set(bands(made))) == 32
