"""Texts and pages for the tests of zones, and what the zoner makes of them."""

from pathlib import Path

from consumers.zones.headings import load_headings
from consumers.zones.zoner import Passage, Zoned, Zoner

ROOT = Path(__file__).parents[3]
ZONER = Zoner(load_headings())
PROSE = (
    "The ministry said on Monday that talks on the new road would go on for another week, and that both sides had agreed on "
    "most of what they had come for. A spokesman added that a date for the next meeting had not been set."
)

HEADINGS = {
    "ar": "اقرا ايضا",
    "fa": "بيشتر بخوانيد:",
    "he": "קראו גם",
    "tr": "İLGİLİ HABERLER",
    "ur": "یہ بھی پڑھیں:",
    "ku": "هەروەها بخوێنەوە",
    "ru": "Читайте также:",
    "uk": "ЧИТАЙТЕ ТАКОЖ",
    "en": "* Read also *",
    "fr": "A lire aussi :",
    "de": "Lesen Sie auch",
    "es": "Lea tambien:",
    "pt": "Leia também",
    "it": "Leggi anche:",
    "zh": "相关阅读：",
    "ja": "【関連記事】",
    "ko": "관련기사",
}


def divide(text: str, title: str = "", summary: str = "") -> Zoned:
    return ZONER.divide(title, Passage(summary), Passage(text))


def html(text: str) -> Zoned:
    return ZONER.divide("", Passage(), Passage(text, text))


def reasons(zoned: Zoned) -> list[tuple[str, str]]:
    return [(block.zone.value, block.reason) for block in zoned.blocks]
