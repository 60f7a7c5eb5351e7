"""Feeds 18: from bytes to text, label by label, in the order of the ladder."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.net.charset import decode
from daemon.net.labels import charset_of

ARABIC = "خبر عاجل: انفجار في العاصمة، والسلطات تحقق"
TEXTS = {
    "ar": ARABIC,
    "fa": "خبر فوری: انفجار در پایتخت",
    "ru": "Срочная новость: взрыв в столице",
    "he": "חדשות מתפרצות: פיצוץ בבירה",
    "tr": "Son dakika: Başkentte büyük patlama, ağır yaralılar",
    "el": "Έκτακτη είδηση: έκρηξη στην πρωτεύουσα",
    "zh": "突发新闻：首都发生爆炸，当局正在调查",
    "ja": "速報：首都で爆発がありました",
    "ko": "속보: 수도에서 폭발 발생",
    "th": "ข่าวด่วน ระเบิดในเมืองหลวง",
    "pl": "Pilne: wybuch w stolicy, są ranni żołnierze",
    "fr": "Dernière minute : une explosion à Élancourt – près du château",
}


def feed(text: str, label: str = "utf-8") -> str:
    return f'<?xml version="1.0" encoding="{label}"?><rss><channel><title>{text * 5}</title></channel></rss>'


# language, label in the document, label of HTTP, the real charset, which codec reads it, how it was found
LABELLED = [
    ("ar", "windows-1256", "", "cp1256", "cp1256", "document"),
    ("ar", "utf-8", "text/xml; charset=windows-1256", "cp1256", "cp1256", "http"),
    ("ar", "utf-8", 'text/xml; charset="CP-1256"', "cp1256", "cp1256", "http"),
    ("ar", "iso-8859-6", "", "iso8859-6", "iso8859-6", "document"),
    ("ar", "iso-8859-1", "text/xml; charset=iso-8859-1", "utf-8", "utf-8", "utf-8"),
    ("ru", "windows-1251", "text/xml; charset=utf-8", "cp1251", "cp1251", "document"),
    ("ru", "koi8-r", "", "koi8-r", "koi8-r", "document"),
    ("he", "iso-8859-8-i", "", "iso8859-8", "iso8859-8", "document"),
    ("tr", "iso-8859-9", "", "cp1254", "cp1254", "document"),
    ("el", "windows-1253", "", "cp1253", "cp1253", "document"),
    ("zh", "gb2312", "", "gb18030", "gb18030", "document"),
    ("zh", "big5", "", "big5hkscs", "big5hkscs", "document"),
    ("ja", "Shift_JIS", "", "cp932", "cp932", "document"),
    ("ja", "euc-jp", "", "euc_jp", "euc_jp", "document"),
    ("ja", "iso-2022-jp", "", "iso2022_jp", "iso2022_jp", "document"),
    ("ko", "ks_c_5601-1987", "", "cp949", "cp949", "document"),
    ("th", "tis-620", "", "cp874", "cp874", "document"),
    ("fr", "latin1", "", "cp1252", "cp1252", "document"),
    ("fr", "rot13", "text/xml; charset=zlib", "utf-8", "utf-8", "utf-8"),
    # mislabelled: the feed's language decides
    *[
        (language, "utf-8", "text/xml; charset=utf-8", real, real, "language")
        for language, real in (
            ("ar", "cp1256"),
            ("fa", "cp1256"),
            ("ru", "cp1251"),
            ("ru", "koi8-r"),
            ("he", "cp1255"),
            ("tr", "cp1254"),
            ("el", "cp1253"),
            ("zh", "gb18030"),
            ("zh", "big5hkscs"),
            ("ja", "cp932"),
            ("ja", "euc_jp"),
            ("ko", "cp949"),
            ("th", "cp874"),
            ("pl", "cp1250"),
        )
    ],
]


@pytest.mark.parametrize(("language", "label", "content_type", "real", "charset", "how"), LABELLED)
def test_labels_and_what_stands_behind_them(
    language: str, label: str, content_type: str, real: str, charset: str, how: str
) -> None:
    """The letters come out right, and how the charset was found is said."""
    raw = feed(TEXTS[language], label).encode(real, "ignore")
    decoded = decode(raw, content_type=content_type, language=language)
    assert (decoded.charset, decoded.how, decoded.bad) == (charset, how, 0)
    assert decoded.text == raw.decode(real)


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_and_wide_charsets(charset: str) -> None:
    """A BOM decides, and UTF-16 is seen without one, whatever the labels say."""
    decoded = decode(feed(ARABIC, "windows-1256").encode(charset), content_type="text/xml; charset=windows-1256", language="ar")
    assert decoded.text == feed(ARABIC, "windows-1256")
    assert decoded.how in {"bom", "pattern"}


@pytest.mark.parametrize(
    ("language", "real", "label"),
    [
        ("ar", "iso8859-6", "windows-1256"),
        ("ar", "cp1256", "windows-1252"),
        ("fa", "cp1256", "iso-8859-1"),
        ("he", "iso8859-8", "iso-8859-15"),
        ("ru", "cp1251", "koi8-r"),
        ("ru", "koi8-r", "windows-1251"),
        ("el", "iso8859-7", "iso-8859-1"),
        ("tr", "cp1254", "windows-1252"),
        ("pl", "iso8859-2", "iso-8859-1"),
        ("zh", "gb18030", "koi8-r"),
        ("ja", "euc_jp", "windows-1251"),
        ("th", "cp874", "windows-1256"),
    ],
)
def test_labels_that_decode_but_lie(language: str, real: str, label: str) -> None:
    """Feeds 18: a label that fits the bytes but not the language gives way to the charset that fits both."""
    raw = feed(TEXTS[language], label).encode(real, "ignore")
    for known, said in (
        (language, raw),
        ("", raw.replace(b"<title>", b"<language>%s-XX</language><title>" % language.encode())),
    ):
        decoded = decode(said, content_type="", language=known)
        assert (decoded.text, decoded.how) == (said.decode(real), "language")


@pytest.mark.parametrize("language", ["ar", "he", "ru", "pl", "zh"])
def test_other_languages_in_a_feed_are_left_as_labelled(language: str) -> None:
    """Feeds 18: French or German in the feed of another language keeps its accents: they stand alone in their words."""
    text = f"{TEXTS['fr']} Über die Straßen, größtenteils: déjà vu, façade, naïveté, crème brûlée"
    raw = feed(text, "windows-1252").encode("cp1252")
    assert decode(raw, content_type="", language=language).charset == "cp1252"


@pytest.mark.parametrize("bom", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\xef\xbb\xbf"])
def test_a_bom_that_lies_is_passed_over(bom: bytes) -> None:
    """Feeds 18: bytes that begin with plain letters are of no wide charset, nor of UTF-8 when they are not valid."""
    text = feed(ARABIC, "windows-1256")
    decoded = decode(bom + text.encode("cp1256"), content_type="", language="")
    assert (decoded.text, decoded.charset) == (text, "cp1256")


@pytest.mark.parametrize("label", ["utf-8", "shift_jis"])
def test_japanese_escapes_are_seen_whatever_the_label(label: str) -> None:
    """Feeds 18: ISO-2022-JP is ASCII to the eye of UTF-8, but for its escapes."""
    text = feed(TEXTS["ja"], label)
    assert decode(text.encode("iso2022_jp"), content_type="", language="").text == text


@pytest.mark.parametrize("content_type", ["", "text/xml; charset=utf-8"])
def test_one_bad_byte_spoils_one_character(content_type: str) -> None:
    """UTF-8 with a broken byte stays UTF-8; only what is broken is replaced, and counted."""
    raw = feed(ARABIC).encode().replace(b"</title>", b"\x92</title>")
    decoded = decode(raw, content_type=content_type, language="ar")
    assert (decoded.charset, decoded.how, decoded.bad) == ("utf-8", "utf-8 repaired", 1)
    assert decoded.text == feed(ARABIC).replace("</title>", "\ufffd</title>")


def test_a_label_that_does_not_decode_is_passed_over() -> None:
    """A label counts only if every byte fits it."""
    raw = feed(ARABIC, "windows-1256").encode("cp1256")
    decoded = decode(raw, content_type="text/xml; charset=euc-jp", language="")
    assert (decoded.charset, decoded.how) == ("cp1256", "document")


def test_without_a_language_a_detector_is_asked() -> None:
    """Mislabelled Arabic without a known language is still Arabic."""
    decoded = decode(feed(ARABIC).encode("cp1256"), content_type="", language="")
    assert (decoded.how, decoded.charset) == ("detector", "cp1256")


@pytest.mark.parametrize(
    ("label", "charset"),
    [
        ("latin-1", "cp1252"),
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("x-sjis", "cp932"),
        ("windows-874", "cp874"),
        ("win-1251", "cp1251"),
        ("utf8", "utf-8"),
        ("unicode_escape", None),
        ("zlib", None),
        ("idna", None),
        ("utf-7", None),
        ("no such charset", None),
        ("", None),
        ("\0", None),
    ],
)
def test_labels_mean_what_pages_mean_by_them(label: str, charset: str | None) -> None:
    """Narrow labels stand for the wider charset; codecs that are no charsets are refused."""
    assert charset_of(label) == charset


@given(st.binary(max_size=300), st.text(max_size=30), st.sampled_from(["", "ar", "ja", "xx"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_become_text(raw: bytes, label: str, language: str) -> None:
    """Nothing raises, and no lone surrogate comes out."""
    decoded = decode(raw, content_type=f"text/xml; charset={label}", language=language)
    decoded.text.encode()
