"""The words dates are written in: month names of many languages, morning and afternoon. Extend it by adding an entry.

Tables and their folding only. An entry is a name, `=`, twelve months parted by commas; other spellings stand behind a bar.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_LETTERS: Final = str.maketrans({"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ـ": None, "،": ",", "’": "'"})
_SPACES: Final = re.compile(r"\s+")

_MONTHS: Final = """
English = january|jan, february|feb, march|mar, april|apr, may, june|jun,
    july|jul, august|aug, september|sep|sept, october|oct, november|nov, december|dec
Arabic: Egypt and the Gulf = يناير, فبراير, مارس, أبريل, مايو, يونيو|يونيه,
    يوليو|يوليه, أغسطس, سبتمبر, أكتوبر, نوفمبر, ديسمبر
Arabic: the Levant and Iraq = كانون الثاني, شباط, آذار, نيسان, أيار|نوار, حزيران,
    تموز, آب, أيلول, تشرين الأول, تشرين الثاني, كانون الأول
Arabic: Morocco = يناير, فبراير, مارس, أبريل, ماي, يونيو,
    يوليوز, غشت, شتنبر, أكتوبر, نونبر, دجنبر
Arabic: Algeria and Tunisia = جانفي, فيفري, مارس, أفريل, ماي, جوان,
    جويلية, أوت, سبتمبر, أكتوبر, نوفمبر, ديسمبر
Persian and Dari = ژانویه, فوریه, مارس|مارچ, آوریل|آپریل, مه|می, ژوئن|جون,
    ژوئیه|جولای, اوت|آگوست|آگست, سپتامبر, اکتبر|اکتوبر, نوامبر, دسامبر|دیسامبر
Urdu = جنوری, فروری, مارچ, اپریل, مئی, جون,
    جولائی, اگست, ستمبر, اکتوبر, نومبر, دسمبر
Kurdish in Arabic script = کانوونی دووەم, شوبات, ئازار, نیسان, ئایار, حوزەیران,
    تەممووز, ئاب, ئەیلوول, تشرینی یەکەم, تشرینی دووەم, کانوونی یەکەم
Hebrew = ינואר, פברואר, מרץ|מרס, אפריל, מאי, יוני,
    יולי, אוגוסט, ספטמבר, אוקטובר, נובמבר, דצמבר
Turkish = ocak|oca, şubat|şub, mart, nisan|nis, mayıs, haziran|haz,
    temmuz|tem, ağustos|ağu, eylül|eyl, ekim|eki, kasım|kas, aralık|ara
Greek = ιανουαρίου|ιανουάριος|ιαν, φεβρουαρίου|φεβρουάριος|φεβ, μαρτίου|μάρτιος|μαρ,
    απριλίου|απρίλιος|απρ, μαΐου|μάιος|μαΐ, ιουνίου|ιούνιος|ιουν,
    ιουλίου|ιούλιος|ιουλ, αυγούστου|αύγουστος|αυγ, σεπτεμβρίου|σεπτέμβριος|σεπ,
    οκτωβρίου|οκτώβριος|οκτ, νοεμβρίου|νοέμβριος|νοε, δεκεμβρίου|δεκέμβριος|δεκ
Hindi = जनवरी, फरवरी|फ़रवरी, मार्च, अप्रैल, मई, जून,
    जुलाई, अगस्त, सितंबर|सितम्बर, अक्टूबर|अक्तूबर, नवंबर|नवम्बर, दिसंबर|दिसम्बर
Thai = มกราคม, กุมภาพันธ์, มีนาคม, เมษายน, พฤษภาคม, มิถุนายน,
    กรกฎาคม, สิงหาคม, กันยายน, ตุลาคม, พฤศจิกายน, ธันวาคม
Russian = января|январь|янв, февраля|февраль|фев|февр, марта|март|мар, апреля|апрель|апр, мая|май, июня|июнь|июн,
    июля|июль|июл, августа|август|авг, сентября|сентябрь|сен|сент,
    октября|октябрь|окт, ноября|ноябрь|ноя|нояб, декабря|декабрь|дек
Ukrainian = січня|січень|січ, лютого|лютий|лют, березня|березень|бер,
    квітня|квітень|квіт, травня|травень|трав, червня|червень|черв,
    липня|липень|лип, серпня|серпень|серп, вересня|вересень|вер,
    жовтня|жовтень|жовт, листопада|листопад|лист, грудня|грудень|груд
Polish = stycznia|sty, lutego|lut, marca, kwietnia|kwi, maja|maj, czerwca|cze,
    lipca|lip, sierpnia|sie, września|wrz, października|paź, listopada|lis, grudnia|gru
Romanian = ianuarie|ian, februarie, martie, aprilie, mai, iunie|iun,
    iulie|iul, august, septembrie, octombrie, noiembrie|noi, decembrie
French = janvier|janv, février|févr|fév, mars, avril|avr, mai, juin,
    juillet|juil, août|aoû, septembre, octobre, novembre, décembre|déc
German = januar|jänner|jän, februar, märz|mär, april, mai, juni,
    juli, august, september, oktober|okt, november, dezember|dez
Spanish = enero|ene, febrero, marzo, abril|abr, mayo, junio,
    julio, agosto|ago, septiembre|setiembre, octubre, noviembre, diciembre|dic
Portuguese = janeiro, fevereiro|fev, março, abril, maio|mai, junho,
    julho, agosto, setembro|set, outubro|out, novembro, dezembro
Italian = gennaio|gen, febbraio, marzo, aprile, maggio|mag, giugno|giu,
    luglio|lug, agosto, settembre, ottobre|ott, novembre, dicembre
Dutch = januari, februari, maart|mrt, april, mei, juni,
    juli, augustus, september, oktober, november, december
Scandinavian = januari, februari, mars, april, maj|mai, juni,
    juli, augusti, september, oktober, november, december|desember|des
Indonesian = januari, februari, maret, april, mei, juni,
    juli, agustus|agu, september, oktober, november, desember
"""
_PERSIAN_SOLAR: Final = "فروردین, اردیبهشت, خرداد, تیر, مرداد, شهریور, مهر, آبان, آذر, دی, بهمن, اسفند"
_MORNING: Final = "am|a.m.|a.m|ص|صباحا|ق.ظ|ق.م|قبل از ظهر|صبح|上午|午前|오전|π.μ.|πμ|öö"
_AFTERNOON: Final = "pm|p.m.|p.m|م|مساء|مساءا|ظهرا|عصرا|ب.ظ|بعد از ظهر|بعدازظهر|下午|午後|오후|μ.μ.|μμ|ös"


def folded(text: str) -> str:
    """The text in the one form these tables are looked up in: no case, marks or hamzas, digits 0 to 9, single spaces.

    Arabic-Indic, Persian, Devanagari and all other decimal digits become ASCII.
    """
    if text.isascii():
        return _SPACES.sub(" ", text).strip().lower()
    kept = []
    for char in unicodedata.normalize("NFKD", text):
        if char.isascii():
            kept.append(char)
            continue
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))
        elif category not in {"Mn", "Mc", "Cf"}:
            kept.append(char)
    whole = unicodedata.normalize("NFC", "".join(kept))  # Hangul came apart above
    return _SPACES.sub(" ", whole.translate(_LETTERS).casefold()).strip()


def _table(months: str) -> Mapping[str, int]:
    names = enumerate(months.split(","), 1)
    return MappingProxyType({folded(name): number for number, spellings in names for name in spellings.split("|")})


def _calendars() -> Mapping[str, Mapping[str, int]]:
    return {head[0].strip(): _table(head[1]) for head in re.findall(r"^(\w[^=\n]*)=([^=]*)$", _MONTHS, re.MULTILINE)}


_CALENDARS: Final = _calendars()
MONTHS: Final = MappingProxyType({name: number for table in _CALENDARS.values() for name, number in table.items()})
"""Folded month name → 1 to 12."""
ENGLISH: Final = _CALENDARS["English"]
SOLAR: Final = _table(_PERSIAN_SOLAR)
"""Months of the Persian solar calendar, from Farvardin."""
MORNING: Final = frozenset(folded(word) for word in _MORNING.split("|"))
AFTERNOON: Final = frozenset(folded(word) for word in _AFTERNOON.split("|"))
