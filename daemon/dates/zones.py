"""Time zones as feeds and pages name them: offsets, letters, places, cities. Extend it by adding a line.

A zone is said by its offset, by letters, by its IANA name, or by a city; a city counts only when it is announced
(«بتوقيت بغداد») or ends the text, because news texts themselves begin with a city («بغداد/ …»).
"""

import re
from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from daemon.dates.words import folded

_HOURS: Final[Mapping[str, float]] = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "zulu": 0,
    "bst": 1, "west": 1, "cet": 1, "mez": 1, "met": 1, "wat": 1,
    "cest": 2, "mesz": 2, "mest": 2, "eet": 2, "cat": 2, "sast": 2,
    "eest": 3, "msk": 3, "мск": 3, "trt": 3, "tsi": 3, "idt": 3, "eat": 3, "ksa": 3, "mecca": 3,
    "irst": 3.5, "gst": 4, "msd": 4, "samt": 4, "amt": -4, "azt": 4, "irdt": 4.5, "aft": 4.5,
    "pkt": 5, "uzt": 5, "yekt": 5, "ist": 5.5, "npt": 5.75, "omst": 6, "bdt": 6, "mmt": 6.5,
    "wib": 7, "ict": 7, "novt": 7, "krat": 7, "hkt": 8, "sgt": 8, "pht": 8, "myt": 8, "wita": 8, "awst": 8, "irkt": 8,
    "jst": 9, "kst": 9, "wit": 9, "yakt": 9, "acst": 9.5, "aest": 10, "vlat": 10, "acdt": 10.5, "aedt": 11,
    "nzst": 12, "nzdt": 13,
    "nst": -3.5, "ndt": -2.5,
    "adt": -3, "brt": -3, "art": -3, "clst": -3, "uyt": -3, "ast": -4, "edt": -4, "clt": -4, "bot": -4,
    "est": -5, "cdt": -5, "pet": -5, "cot": -5, "ect": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8, "akdt": -8,
    "akst": -9, "hst": -10,
}  # fmt: skip
_BY_LANGUAGE: Final[Mapping[tuple[str, str], float]] = {
    ("ast", "ar"): 3,  # Arabia, not the Atlantic
    ("ist", "he"): 2,  # Israel, not India
    ("ist", "ga"): 1,
    ("cst", "zh"): 8,  # China, not Chicago
    ("amt", "hy"): 4,
    ("est", "ar"): 2,
}
_CITIES: Final = """
Asia/Baghdad = بغداد|العراق|baghdad
Asia/Riyadh = الرياض|مكة|مكة المكرمة|السعودية|riyadh|mecca
Asia/Kuwait = الكويت|kuwait
Asia/Qatar = الدوحة|قطر|doha
Asia/Bahrain = المنامة
Asia/Dubai = دبي|أبوظبي|أبو ظبي|الإمارات|dubai|abu dhabi
Asia/Muscat = مسقط
Asia/Aden = صنعاء|عدن
Asia/Beirut = بيروت|لبنان|beirut
Asia/Damascus = دمشق|سوريا
Asia/Amman = عمان|الأردن|amman
Asia/Jerusalem = القدس|القدس المحتلة|فلسطين|jerusalem|ירושלים|ישראל
Asia/Gaza = غزة
Africa/Cairo = القاهرة|مصر|cairo
Africa/Khartoum = الخرطوم
Africa/Tripoli = طرابلس|ليبيا
Africa/Tunis = تونس|tunis
Africa/Algiers = الجزائر|alger
Africa/Casablanca = الرباط|الدار البيضاء|المغرب|casablanca|rabat
Africa/Nouakchott = نواكشوط
Europe/Istanbul = إسطنبول|أنقرة|تركيا|istanbul|ankara
Asia/Tehran = طهران|تهران|إيران|tehran
Asia/Kabul = کابل|كابول|kabul
Europe/Moscow = موسكو|москва|москве|московскому времени|moscow
Europe/Kyiv = київ|kyiv|kiev
Europe/London = لندن|london
Europe/Paris = باريس|paris
Europe/Berlin = برلين|berlin
America/New_York = نيويورك|واشنطن|new york|washington
Asia/Tokyo = tokyo|日本時間
Asia/Shanghai = beijing|北京|北京时间
Etc/UTC = غرينتش|جرينتش|غرينيتش|greenwich
"""
_OFFSET: Final = re.compile(r"(?:gmt|utc|z)?\s*([+-]|\u2212)(\d{1,2}):?(\d{2})?(?!\d)")
_LEAD: Final = re.compile(r"(?:[ ,|(\[]|[-\u2013](?!\d))+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_IANA: Final = re.compile(r"[a-z]+/[a-z_]+(?:/[a-z_]+)?")
_ANNOUNCED: Final = re.compile(r"(?:ب?توقيت|به وقت|по|heure de|hora de)\s+(?:مدينه |محلي )?")
_ENDING: Final = re.compile(r"(?: time)?[\s().\]]*$")
_DAY: Final = 24


def _city_zones() -> Mapping[str, str]:
    entries = (line.split(" = ") for line in _CITIES.strip().splitlines())
    return {folded(name): zone for zone, names in entries for name in names.split("|")}


_CITY: Final = _city_zones()
_LONGEST: Final = 3  # words a city's name may have


def read_zone(text: str, language: str) -> tzinfo | None:
    """The zone said at the start of a folded text, None when none is said there."""
    text = text[lead.end() :] if (lead := _LEAD.match(text)) else text
    offset = _OFFSET.match(text)
    if offset:
        return _fixed(offset)
    iana = _IANA.match(text)
    if iana:
        return _named(iana[0].title())
    letters = _LETTERS.match(text)
    if letters is None:
        return None
    hours = _BY_LANGUAGE.get((letters[0], language[:2]), _HOURS.get(letters[0]))
    return _place(text) if hours is None else timezone(timedelta(hours=hours))


def _fixed(offset: re.Match[str]) -> tzinfo | None:
    hours, minutes = int(offset[2]), int(offset[3] or 0)
    if hours >= _DAY or minutes >= 60:
        return None
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(delta if offset[1] == "+" else -delta)


def _place(text: str) -> tzinfo | None:
    announced = _ANNOUNCED.match(text)
    text = text[announced.end() :] if announced else text
    words = list(_LETTERS.finditer(text, 0, 60))[:_LONGEST]
    for word in reversed(words):
        name = _CITY.get(text[: word.end()])
        if name and (announced or _ENDING.match(text, word.end())):
            return _named(name)
    return None


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
