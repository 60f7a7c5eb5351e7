"""The ladder of date readers: each takes a folded text and answers with an instant or passes it on. Never raises.

A date without a zone is taken as UTC, and `how` says so: "rfc822, no zone".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, TypeAlias

from daemon.dates.guess import guess
from daemon.dates.solar import from_solar
from daemon.dates.words import AFTERNOON, ENGLISH, MONTHS, MORNING, SOLAR, folded
from daemon.dates.zones import read_zone
from daemon.messages.article import Moment

_LONGEST: Final = 200
_WORD: Final = r"[^\W\d_]+"
_CLOCK: Final = r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9})\d*)?)?"
_RFC822: Final = re.compile(
    rf"(?:{_WORD}\.?,? ?)?(\d{{1,2}})[ -]({_WORD})\.?,?[ -](\d{{4}}|\d{{2}})"
    r"(?:[ ,t]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?( ?[ap]m)?"
)
_ISO: Final = re.compile(
    rf"(\d{{4}})([-/.]?)(\d{{1,2}})(?:\2(\d{{1,2}}))?(?:(?:t| ?t?)(?<!^\d{{6}}){_CLOCK}( ?[ap]m)?)?(?![\d/:]| ?t? ?\d)"
)
_EPOCH: Final = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})|(\d{15,16})")
_DAY_FIRST: Final = re.compile(r"(?<!\d)(\d{1,2})(?!\d)(?:st|nd|rd|th|er)?([^\d]{2,45}?)(?<!\d)(\d{4})(?!\d)")
_MONTH_FIRST: Final = re.compile(rf"({_WORD})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})(?!\d)")
_ASCTIME: Final = re.compile(rf"({_WORD}) (\d{{1,2}}) (\d{{1,2}}:\d{{2}}(?::\d{{2}})?)(.{{0,12}}?) (\d{{4}})$")
_SIGNS: Final = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]?")
_NUMBERS: Final = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_SLASHES: Final = re.compile(r"(?<![\d/])(\d{1,2})([/-])(\d{1,2})\2(\d{4})(?![\d/])")
_VIETNAMESE: Final = re.compile(r"(\d{1,2}) thang (\d{1,2})(?:,| nam)? (\d{4})")
_HALVES: Final = "|".join(sorted(map(re.escape, MORNING | AFTERNOON), key=len, reverse=True))
_TIME: Final = re.compile(
    rf"(?:({_HALVES}) ?)?(?<![\d:])(\d{{1,2}})(?: ?[:h時时시٫] ?|\.(?=\d\d uhr|\d\d wi))(\d{{1,2}})"
    rf"(?::(\d{{2}}))?(?!\d)(?:[分분]| uhr)?(?: ?({_HALVES})(?![^\W_]))?"
)
_DIGIT: Final = re.compile(r"\d")
_SOLAR_YEARS: Final = range(1300, 1500)
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""What lies beyond cannot be written as a date again."""
_MONTHS_A_YEAR: Final = 12
_BUDDHIST_YEARS: Final = range(2500, 2700)
_BUDDHIST: Final = 543
"""Years that the Thai calendar is ahead of ours."""


@dataclass(frozen=True, slots=True)
class _Time:
    """A clock time and the zone said with it."""

    hour: int = 0
    minute: int = 0
    second: float = 0.0
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    at: float
    zoned: bool


_Reader: TypeAlias = Callable[[str, str], _Read | None]


@dataclass(slots=True)
class Guesses:
    """How many dates of one document may still be guessed: each costs a millisecond, and a document may hold thousands."""

    left: int = 500


def read_date(raw: str, *, language: str, now: float, guesses: Guesses | None = None) -> Moment:
    """The instant `raw` names, how it was read, and `raw` itself; `at` is None when it cannot be read.

    `language` is a BCP 47 tag or empty; `now` is what relative dates («منذ 3 ساعات») count from.
    """
    text = folded(raw[:_LONGEST])
    if not text:
        return Moment(raw=raw)
    for how, reader in _LADDER:
        try:
            read = reader(text, language)
        except (ValueError, OverflowError):
            continue
        if read is not None:
            at = read.at if _FIRST <= read.at <= _LAST else None
            return Moment(at=at, raw=raw, how=how if read.zoned else f"{how}, no zone")
    if guesses is not None:
        if guesses.left <= 0:
            return Moment(raw=raw)
        guesses.left -= 1
    guessed = guess(raw, language=language, now=now)
    return Moment(at=guessed, raw=raw, how="" if guessed is None else "dateparser")


def _instant(day: date, time: _Time) -> _Read:
    second = time.second if time.second < 60 else 59.0  # a leap second
    naive = datetime(day.year, day.month, day.day, tzinfo=time.zone or UTC)
    moment = naive.replace(hour=time.hour % 24, minute=time.minute) + timedelta(days=time.hour // 24)
    if time.hour > 24:
        raise ValueError(time.hour)
    return _Read(moment.timestamp() + second, time.zone is not None)


def _hour(hour: int, half: str) -> int:
    """Of 24; `half` is a word for morning or afternoon, or empty."""
    if half in AFTERNOON and hour < 12:
        return hour + 12
    return 0 if half in MORNING and hour == 12 else hour


def _time(parts: Sequence[str | None], half: str, zone: tzinfo | None) -> _Time:
    """Of the groups hour, minute, second, fraction; missing ones are zero."""
    hour, minute, second, fraction = [*parts, None][:4]
    return _Time(_hour(int(hour or 0), half.strip()), int(minute or 0), float(f"{int(second or 0)}.{fraction or 0}"), zone)


def _rfc822(text: str, language: str) -> _Read | None:
    found = _RFC822.match(text)
    if found is None or found[2] not in ENGLISH or (found[4] is None and _DIGIT.search(text, found.end())):
        return None
    year = int(found[3])
    year += 0 if len(found[3]) == 4 else 2000 if year < 50 else 1900
    zone = read_zone(text[found.end() :], language)
    return _instant(date(year, ENGLISH[found[2]], int(found[1])), _time(found.groups()[3:7], found[8] or "", zone))


def _iso8601(text: str, language: str) -> _Read | None:
    found = _ISO.match(text)
    if found is None:
        return None
    year = int(found[1])
    if year in _SOLAR_YEARS and found[4]:
        day = from_solar(year, int(found[3]), int(found[4]))
    else:
        day = date(year, int(found[3]), int(found[4] or 1))
    zone = read_zone(text[found.end() :], language)
    return _instant(day, _time(found.groups()[4:8], found[9] or "", zone))


def _epoch(text: str, _: str) -> _Read | None:
    found = _EPOCH.fullmatch(text)
    if found is None:
        return None
    seconds, millis, micros = found.groups()
    return _Read(float(text) if seconds else int(millis) / 1e3 if millis else int(micros) / 1e6, zoned=True)


def _months(text: str, language: str) -> _Read | None:
    for pattern, reader in _DAYS:
        for found in pattern.finditer(text):
            day = reader(found)
            if day is not None:
                return _instant(day, _clock(text, found, language))
    return None


def _clock(text: str, day: re.Match[str], language: str) -> _Time:
    """The time that stands soonest after the day, or just before it."""
    found = _TIME.search(text, day.end(), day.end() + 40) or _TIME.search(text, max(0, day.start() - 30), day.start())
    if found is None and day.re is _ASCTIME:
        found = _TIME.search(text, day.start(), day.end())
    if found is None:
        return _Time()
    zone = read_zone(day[4] if day.re is _ASCTIME else text[found.end() :], language)
    return _time(found.groups()[1:4], found[1] or found[5] or "", zone)


def _day_first(found: re.Match[str]) -> date | None:
    year, number = int(found[3]), int(found[1])
    words = re.findall(_WORD, found[2])[:7]
    names = [*(" ".join(pair) for pair in pairwise(words)), *words]
    if year in _SOLAR_YEARS:
        solar = next((SOLAR[name] for name in names if name in SOLAR), None)
        return None if solar is None else from_solar(year, solar, number)
    month = next((MONTHS[name] for name in names if name in MONTHS), None) or next(
        (MONTHS[word[1:]] for word in words if word[1:] in MONTHS and word[0] == "ב"), None
    )
    return None if month is None else date(year - _BUDDHIST if year in _BUDDHIST_YEARS else year, month, number)


def _month_first(found: re.Match[str]) -> date | None:
    month = MONTHS.get(found[1])
    return None if month is None else date(int(found[3]), month, int(found[2]))


def _asctime(found: re.Match[str]) -> date | None:
    month = MONTHS.get(found[1])
    return None if month is None else date(int(found[5]), month, int(found[2]))


def _year_first(found: re.Match[str]) -> date:
    return date(int(found[1]), int(found[2]), int(found[3]))


def _year_last(found: re.Match[str]) -> date:
    return date(int(found[3]), int(found[2]), int(found[1]))


def _slashed(found: re.Match[str]) -> date | None:
    """25/11/2026 and 11/25/2026, where one of the two can be no month; of others it is not known which is meant."""
    day, month = int(found[1]), int(found[3])
    if (day > _MONTHS_A_YEAR) == (month > _MONTHS_A_YEAR):
        return None
    return date(int(found[4]), month, day) if day > month else date(int(found[4]), day, month)


_DAYS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date | None]], ...]] = (
    (_DAY_FIRST, _day_first),
    (_MONTH_FIRST, _month_first),
    (_ASCTIME, _asctime),
    (_SIGNS, _year_first),
    (_VIETNAMESE, _year_last),
    (_NUMBERS, _year_last),
    (_SLASHES, _slashed),
)
_LADDER: Final[tuple[tuple[str, _Reader], ...]] = (
    ("rfc822", _rfc822),
    ("iso8601", _iso8601),
    ("epoch", _epoch),
    ("months", _months),
)
