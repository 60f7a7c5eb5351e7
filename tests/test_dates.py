"""Dates of feeds and pages: the ladder, language by language, and which instants are believed."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.dates import believe, read_date, settle
from daemon.dates.solar import from_solar
from daemon.messages.article import Moment

NOW = datetime(2024, 2, 5, 14, 3, 22, tzinfo=UTC).timestamp()

# what is written, the language given, the instant in UTC (None: unreadable), how it was read
TABLE = [
    # RFC 822, with zones by offset, letters and place
    ("Mon, 05 Feb 2024 14:03:22 GMT", "", "2024-02-05T14:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 +0300", "", "2024-02-05T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 -0500", "", "2024-02-05T19:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 +03", "", "2024-02-05T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 GMT+3", "", "2024-02-05T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 +0000 (UTC)", "", "2024-02-05T14:03:22", "rfc822"),
    ("Mon, 5 Feb 2024 14:03 EST", "", "2024-02-05T19:03:00", "rfc822"),
    ("Wed, 10 Jul 2024 14:03:22 EDT", "", "2024-07-10T18:03:22", "rfc822"),
    ("Wed, 10 Jul 2024 14:03:22 CEST", "", "2024-07-10T12:03:22", "rfc822"),
    ("Wed, 10 Jul 2024 14:03:22 BST", "", "2024-07-10T13:03:22", "rfc822"),
    ("Wed, 10 Jul 2024 14:03:22 MSK", "ru", "2024-07-10T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 IRST", "fa", "2024-02-05T10:33:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 IST", "en", "2024-02-05T08:33:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 IST", "he", "2024-02-05T12:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 AST", "en", "2024-02-05T18:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 AST", "ar", "2024-02-05T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 14:03:22 Asia/Riyadh", "", "2024-02-05T11:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 2:03:22 PM +0000", "", "2024-02-05T14:03:22", "rfc822"),
    ("Mon, 05 Feb 2024 12:03:22 AM +0000", "", "2024-02-05T00:03:22", "rfc822"),
    ("05 Feb 24 14:03:22 Z", "", "2024-02-05T14:03:22", "rfc822"),
    ("Tue, 5 Feb 2024 14:03:22 GMT", "", "2024-02-05T14:03:22", "rfc822"),  # it was a Monday
    ("Mon, 05 Feb 2024 14:03:22", "", "2024-02-05T14:03:22", "rfc822, no zone"),
    ("Mon, 05 Feb 2024 14:03:22 XYZ", "", "2024-02-05T14:03:22", "rfc822, no zone"),
    ("5-Feb-2024", "", "2024-02-05T00:00:00", "rfc822, no zone"),
    # ISO 8601 and its relatives
    ("2024-02-05T14:03:22Z", "", "2024-02-05T14:03:22", "iso8601"),
    ("2024-02-05T14:03:22.123456789+03:00", "", "2024-02-05T11:03:22", "iso8601"),
    ("2024-02-05 14:03:22 +0300", "", "2024-02-05T11:03:22", "iso8601"),
    ("2024-02-05T14:03-05", "", "2024-02-05T19:03:00", "iso8601"),
    ("2024-02-05T24:00:00Z", "", "2024-02-06T00:00:00", "iso8601"),
    ("2024-02-05T14:03:60Z", "", "2024-02-05T14:03:59", "iso8601"),
    ("20240205T140322Z", "", "2024-02-05T14:03:22", "iso8601"),
    ("2024-02-05 14:03:22", "", "2024-02-05T14:03:22", "iso8601, no zone"),
    ("2024/02/05 14:03", "", "2024-02-05T14:03:00", "iso8601, no zone"),
    ("2024-02", "", "2024-02-01T00:00:00", "iso8601, no zone"),
    # numbers, where only one reading is possible
    ("25/11/2023 14:03", "", "2023-11-25T14:03:00", "months, no zone"),
    ("11/25/2023", "", "2023-11-25T00:00:00", "months, no zone"),
    ("25-11-2023 14:03 +0300", "", "2023-11-25T11:03:00", "months"),
    ("05/11/2023", "", None, ""),
    ("25/13/2023", "", None, ""),
    # epochs
    ("1707141802", "", "2024-02-05T14:03:22", "epoch"),
    ("1707141802000", "", "2024-02-05T14:03:22", "epoch"),
    ("1707141802.25", "", "2024-02-05T14:03:22", "epoch"),
    # Arabic: four traditions of month names, digits, morning and afternoon, cities
    ("12 كانون الثاني 2024", "ar", "2024-01-12T00:00:00", "months, no zone"),
    ("12 كانون الأول 2024", "ar", "2024-12-12T00:00:00", "months, no zone"),
    ("3 آب 2024", "ar", "2024-08-03T00:00:00", "months, no zone"),
    ("3 تشرين الاول 2024", "ar", "2024-10-03T00:00:00", "months, no zone"),
    ("5 إبريل 2024", "ar", "2024-04-05T00:00:00", "months, no zone"),
    ("5 اغسطس 2024", "ar", "2024-08-05T00:00:00", "months, no zone"),
    ("5 شتنبر 2024", "ar", "2024-09-05T00:00:00", "months, no zone"),
    ("5 دجنبر 2024", "ar", "2024-12-05T00:00:00", "months, no zone"),
    ("5 جانفي 2024", "ar", "2024-01-05T00:00:00", "months, no zone"),
    ("5 فيفري 2024", "ar", "2024-02-05T00:00:00", "months, no zone"),
    ("5 أوت 2024", "ar", "2024-08-05T00:00:00", "months, no zone"),
    ("٥ شباط ٢٠٢٤ ١٤:٠٣", "ar", "2024-02-05T14:03:00", "months, no zone"),
    ("٢٠٢٤-٠٢-٠٥T١٤:٠٣:٢٢Z", "ar", "2024-02-05T14:03:22", "iso8601"),
    ("5 فبراير 2024 02:03 م", "ar", "2024-02-05T14:03:00", "months, no zone"),
    ("5 فبراير 2024 12:03 ص", "ar", "2024-02-05T00:03:00", "months, no zone"),
    ("5 فبراير 2024 - 2:03 مساءً", "ar", "2024-02-05T14:03:00", "months, no zone"),
    ("الأربعاء 7 شباط / فبراير 2024", "ar", "2024-02-07T00:00:00", "months, no zone"),
    ("الإثنين, 05 فبراير 2024 14:03:22 +0300", "ar", "2024-02-05T11:03:22", "months"),
    ("آخر تحديث: 5 فبراير 2024 - 14:03 بتوقيت غرينتش", "ar", "2024-02-05T14:03:00", "months"),
    ("آخر تحديث: 8 غشت 2023 - 12:25 م بغداد", "ar", "2023-08-08T09:25:00", "months"),
    ("آخر تحديث: 8 غشت 2023 - 12:25 م بغداد/ شبكة أخبار", "ar", "2023-08-08T12:25:00", "months, no zone"),
    ("25 رجب 1445 هـ / 6 فبراير 2024", "ar", "2024-02-06T00:00:00", "months, no zone"),
    ("منذ 3 ساعات", "ar", "2024-02-05T11:03:22", "dateparser"),
    # Persian, Urdu, Hebrew, Turkish
    ("۱۶ بهمن ۱۴۰۲", "fa", "2024-02-05T00:00:00", "months, no zone"),
    ("1402/11/16 14:03", "fa", "2024-02-05T14:03:00", "iso8601, no zone"),
    ("۵ فوریه ۲۰۲۴ ساعت 2:03 ب.ظ", "fa", "2024-02-05T14:03:00", "months, no zone"),
    ("5 فروری 2024", "ur", "2024-02-05T00:00:00", "months, no zone"),
    ("5 בפברואר 2024", "he", "2024-02-05T00:00:00", "months, no zone"),
    ("5 Şubat 2024 14:03", "tr", "2024-02-05T14:03:00", "months, no zone"),
    # European languages
    ("February 5, 2024 2:03 PM", "en", "2024-02-05T14:03:00", "months, no zone"),
    ("Mon Feb  5 14:03:22 +0000 2024", "en", "2024-02-05T14:03:22", "months"),
    ("Lun, 05 Fév 2024 14:03:22 +0100", "fr", "2024-02-05T13:03:22", "months"),
    ("5 février 2024 à 14h03", "fr", "2024-02-05T14:03:00", "months, no zone"),
    ("5 de febrero de 2024", "es", "2024-02-05T00:00:00", "months, no zone"),
    ("5. Februar 2024, 14.03 Uhr", "de", "2024-02-05T14:03:00", "months, no zone"),
    ("Mo, 05 Mär 2024 14:03:22 +0100", "de", "2024-03-05T13:03:22", "rfc822"),
    ("05.02.2024 14:03", "de", "2024-02-05T14:03:00", "months, no zone"),
    ("Пн, 05 фев 2024 14:03:22 +0300", "ru", "2024-02-05T11:03:22", "months"),
    ("5 февраля 2024, 14:03", "ru", "2024-02-05T14:03:00", "months, no zone"),
    ("5 лютого 2024", "uk", "2024-02-05T00:00:00", "months, no zone"),
    ("5 Φεβρουαρίου 2024", "el", "2024-02-05T00:00:00", "months, no zone"),
    # Asia
    ("2024年2月5日 14時3分", "ja", "2024-02-05T14:03:00", "months, no zone"),
    ("2024年2月5日 下午2:03", "zh", "2024-02-05T14:03:00", "months, no zone"),
    ("2024년 2월 5일", "ko", "2024-02-05T00:00:00", "months, no zone"),
    ("5 फ़रवरी 2024", "hi", "2024-02-05T00:00:00", "months, no zone"),
    ("5 กุมภาพันธ์ 2567", "th", "2024-02-05T00:00:00", "months, no zone"),
    ("5 tháng 2, 2024", "vi", "2024-02-05T00:00:00", "months, no zone"),
    # broken
    ("", "", None, ""),
    ("yesterday's news", "", None, ""),
    ("Thu, 32 Jan 2024 00:00:00 GMT", "", None, ""),
    ("2024-02-30", "", None, ""),
    ("2024", "", None, ""),
    ("99999999999999999999", "", None, ""),
    ("05/02/2024 14:03", "", None, ""),  # whose day and month?
    ("Fri, 31 Dec 9999 23:59:59 -1200", "", None, "rfc822"),  # beyond what can be written as a date
    ("0001-01-01T00:00:00+05:00", "", None, "iso8601"),
]


def written(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()[:19]


@pytest.mark.parametrize(("raw", "language", "instant", "how"), TABLE)
def test_dates_are_read(raw: str, language: str, instant: str | None, how: str) -> None:
    """Each way of writing a date gives its instant, says how it was read, and keeps the text."""
    moment = read_date(raw, language=language, now=NOW)
    assert (written(moment.at), moment.raw) == (instant, raw)
    assert moment.how == how


MONTHS = {
    "Egypt and the Gulf": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    "the Levant and Iraq": "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    "Morocco": "يناير فبراير مارس أبريل ماي يونيو يوليوز غشت شتنبر أكتوبر نونبر دجنبر",
    "Algeria and Tunisia": "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
}
DIGITS = {"ASCII": "0123456789", "Arabic-Indic": "٠١٢٣٤٥٦٧٨٩", "Persian": "۰۱۲۳۴۵۶۷۸۹"}


@pytest.mark.parametrize("tradition", MONTHS)
@pytest.mark.parametrize("digits", DIGITS)
def test_every_arabic_month_in_every_digits(tradition: str, digits: str) -> None:
    """The four traditions of Arabic month names, in all three digits, by the tables alone; ص and م tell the half of the day."""
    for number, name in enumerate((name.replace("_", " ") for name in MONTHS[tradition].split()), 1):
        for half, hour in (("", 2), (" ص", 2), (" م", 14)):
            raw = f"3 {name} 2023 02:07{half}".translate(str.maketrans("0123456789", DIGITS[digits]))
            moment = read_date(raw, language="ar", now=NOW)
            assert (written(moment.at), moment.how) == (f"2023-{number:02d}-03T{hour:02d}:07:00", "months, no zone"), raw


@given(st.text(max_size=60), st.sampled_from(["", "ar", "en", "xx", "not a language"]))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_it_raise(raw: str, language: str) -> None:
    """Any text gives a moment, with its raw text, and an instant that can be written as a date."""
    moment = read_date(raw, language=language, now=NOW)
    assert moment.raw == raw
    assert moment.at is None or written(moment.at)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 4, 14 * 4))  # noqa: DTZ001 - clock times
@settings(max_examples=100, deadline=None)
def test_offsets_are_taken_off(local: datetime, quarters: int) -> None:
    """A clock time and an offset give the same instant in RFC 822 and in ISO 8601."""
    local = local.replace(microsecond=0)
    sign, minutes = "-" if quarters < 0 else "+", abs(quarters) * 15
    offset = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
    instant = local.replace(tzinfo=UTC).timestamp() - quarters * 900
    for raw in (f"{local:%d %b %Y %H:%M:%S} {offset}", f"{local.isoformat()}{offset}"):
        assert read_date(raw, language="", now=NOW).at == instant


@pytest.mark.parametrize(
    ("solar", "ours"),
    [
        ((1375, 1, 1), "1996-03-20"),
        ((1396, 1, 1), "2017-03-21"),
        ((1399, 12, 30), "2021-03-20"),
        ((1400, 1, 1), "2021-03-21"),
        ((1403, 1, 1), "2024-03-20"),
        ((1404, 1, 1), "2025-03-21"),
        ((1408, 12, 30), "2030-03-20"),
    ],
)
def test_the_persian_solar_calendar(solar: tuple[int, int, int], ours: str) -> None:
    """New Year's days and leap days of the Persian calendar fall where the published ones fell."""
    assert str(from_solar(*solar)) == ours


@pytest.mark.parametrize(
    ("at", "is_believed"),
    [
        (NOW, True),
        (NOW + 86_399, True),
        (NOW + 86_401, False),
        (253402300799.0, False),
        (631152000.0, True),
        (631151999.0, False),
        (0.0, False),
        (None, False),
    ],
)
def test_which_dates_are_believed(at: float | None, *, is_believed: bool) -> None:
    """Feeds 26: up to a day ahead is kept; what is further, before 1990 or absent is first seen, flagged, raw kept."""
    moment = Moment(at=at, raw="as written", how="rfc822")
    settled = settle(moment, first_seen=NOW - 5, now=NOW)
    believed, note = believe(moment, now=NOW)
    assert settled.raw == believed.raw == "as written"
    assert (settled.at, settled.how) == ((at, "rfc822") if is_believed else (NOW - 5, "first-seen"))
    assert (believed.at is not None) == is_believed == (note == "")


def test_the_tables_answer_quickly() -> None:
    """A date that dateparser need not see takes well under a millisecond."""
    started = time.process_time()
    for raw, *_ in TABLE[:60]:
        read_date(raw, language="", now=NOW)
    assert (time.process_time() - started) / 60 < 0.003
