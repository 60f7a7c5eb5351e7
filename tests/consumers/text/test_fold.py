"""Folding: what becomes of letters, and that offsets lead back to the original."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.text.fold import fold, fold_key

ALPHABET = (
    "aAßæéﬁ İıI ǅ½²‽—'’ʼ.,\n\t"
    "ابتثةهىيئؤأإآٱکیہەگپ ًَُّٰـ\u0653\u0654\u200c\u200d\u200e\ufeff\ufe70ﻻﷲﷺ،؛٣۴"
    "ויוּשׁ־״ йиїўёЁґ\u0306\u0308\u0301αάΆς"
    "京東都々ー〇イﾄｶﾞがか\u3099한ᄒ\u1161\u11abㅎกุ้\u0e33ကក\u17d2 क\u093cড\u09bcো\u09d7"
    "😀\ud800\U0001d400\U000e0100"
)
MIXED = st.text(st.sampled_from(ALPHABET), max_size=40)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ثَابِت العبّاسيّ", "ثابت العباسي"),
        ("الولایات المتحدة", "الولايات المتحده"),
        ("أحمد إبراهيم آل ٱلبيت", "احمد ابراهيم ال البيت"),
        ("ا\u0654حمد", "احمد"),
        ("مـحـمـد", "محمد"),
        ("ایران\u200cخودرو", "ايرانخودرو"),
        ("مسؤول مسئول", "مسوول مسيول"),
        ("١٢٣ ۴۵۶", "123 456"),
        ("ﻻ ﷲ", "لا الله"),
        ("\u202bنواف سلام\u202c", "نواف سلام"),
        ("İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
        ("Straße, Œuvre, ﬁn, Łódź", "strasse oeuvre fin lodz"),
        ("Al-Qa’ida Al-Qaʿida Al-Qa'ida", "al qa ida al qa ida al qa ida"),
        ("Ёлкин Елкин", "елкин елкин"),
        ("Киів Київ Ў и\u0306", "киів київ ў й"),
        ("Αθήνα ΑΘΉΝΑ", "αθηνα αθηνα"),
        ("שָׁלוֹם", "שלום"),
        ("ＡＢＣ１", "abc1"),
        ("ﾄｳｷｮｳ ｶﾞｽ", "トウキョウ ガス"),
        ("IBM中国2024年", "ibm 中国 2024 年"),
        ("กรุงเทพ", "กรุงเทพ"),
        ("…!😀", ""),
        ("\ud800x", "x"),
        ("", ""),
    ],
)
def test_forms(text: str, key: str) -> None:
    """Each class of letters folds as matching.md lists."""
    assert fold_key(text) == key


@pytest.mark.parametrize(
    ("text", "part", "cut"),
    [
        ("لقاء الوَزِيرِ، اليوم", "الوزير", "الوَزِيرِ"),
        ("die Straße!", "strasse", "Straße"),
        ("Jose\u0301 Pe\u0301rez", "jose", "Jose\u0301"),
        ("a  —  b ｶﾞｽ.", "ガス", "ｶﾞｽ"),
        ("in IBM中国 now", "中国", "中国"),
        ("قال\u200e محمّد\u200f.", "محمد", "محمّد"),
    ],
)
def test_offsets(text: str, part: str, cut: str) -> None:
    """A stretch of the search form leads to what a reader would highlight, trailing marks included."""
    folded = fold(text)
    at = folded.text.index(part)
    assert text[folded.start(at) : folded.end(at + len(part))] == cut


@given(MIXED | st.text(max_size=40))
@settings(deadline=None)
def test_is_idempotent(text: str) -> None:
    """Folding what is folded changes nothing."""
    once = fold(text).text
    assert fold(once).text == once


@given(MIXED | st.text(max_size=40), st.data())
@settings(deadline=None)
def test_offsets_cut_out_text_that_folds_to_the_same(text: str, data: st.DataObject) -> None:
    """What the offsets of a word cut out of the original folds to that word again."""
    folded = fold(text)
    words = folded.text.split()
    if not words:
        assert fold_key(text) == ""
        return
    index = data.draw(st.integers(0, len(words) - 1))
    at = len(" ".join(words[:index])) + (index > 0) + folded.text.startswith(" ")
    start, end = folded.start(at), folded.end(at + len(words[index]))
    assert 0 <= start < end <= len(text)
    assert words[index] in fold_key(text[start:end])


@given(MIXED)
@settings(deadline=None)
def test_offsets_ascend(text: str) -> None:
    """Offsets never go backwards and stay within the original."""
    folded = fold(text)
    starts = [folded.start(index) for index in range(len(folded.text) + 1)]
    ends = [folded.end(index) for index in range(len(folded.text) + 1)]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= offset <= len(text) for offset in (*starts, *ends))
