"""Charset labels as people and servers write them, to Python's codecs. Tables only; extend them by adding a line."""

import codecs
import re
from typing import Final

_CHARSETS: Final = """
    utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be gb18030 big5hkscs cp932 euc_jp iso2022_jp cp949
    cp874 cp866 cp862 cp864 cp720 koi8-r koi8-u mac-roman mac-cyrillic cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256
    cp1257 cp1258 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14
    iso8859-15 iso8859-16
"""
_ALLOWED: Final = frozenset(_CHARSETS.split())
_WIDER: Final = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-8-sig": "utf-8",
}
"""What pages mean by a label is the wider charset of the same family (WHATWG Encoding, “Names and labels”)."""
_LABELS: Final = {
    "windows-874": "cp874",
    "dos-874": "cp874",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "x-x-big5": "big5hkscs",
    "iso-8859-8-i": "iso8859-8",
    "x-mac-cyrillic": "mac-cyrillic",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode": "utf-16-le",
    "ansi": "cp1252",
}
"""Labels that Python has no codec for; `x-`, `win-` and `cp-` forms of Windows code pages are read by pattern."""
_CODE_PAGE: Final = re.compile(r"(?:x-)?(?:win(?:dows)?|cp|ms)[-_]?(125\d)")


def charset_of(label: str) -> str | None:
    """Python's codec for a label as pages mean it; None for unknown ones and for codecs that are no charsets."""
    label = label.strip().lower()
    page = _CODE_PAGE.fullmatch(label)
    if page:
        return f"cp{page[1]}"
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in _ALLOWED else None
