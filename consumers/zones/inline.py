"""Other stories announced within the article's own line: text without its line breaks. Strict: a cut in vain loses alerts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from consumers.zones.headings import Headings
from consumers.zones.lines import Line
from consumers.zones.reasons import BlockReason

_ENDS: Final = (". ", "! ", "? ", "؟ ", "۔ ", "。", "！", "？", ".” ", '." ', ".» ")
_COLONS: Final = (":", "：")
_LONGEST: Final = 360
_PHRASE: Final = 60


def parted(lines: Iterable[Line], headings: Headings) -> Iterator[Line]:
    """The lines; one that ends in “… a sentence. Read also: headlines without a full stop” as two.

    All of it must be so: the sentence's end, the phrase as a whole, its colon, and no sentence from there to the line's end.
    """
    for line in lines:
        at = _last_start(line) if line.is_prose and not line.is_sentence else 0
        if at and _announces(line.text[at:], headings):
            yield replace(line, text=line.text[:at].rstrip())
            yield replace(line, text=line.text[at:], gap=True, marked=False)
        else:
            yield line


def _last_start(line: Line) -> int:
    """Where what stands behind the line's last sentence begins; 0 if that is too long to be headlines."""
    text = line.text
    far = max(0, len(text) - _LONGEST)
    return max((at + len(end) for end in _ENDS if (at := text.rfind(end, far)) > 0), default=0)


def _announces(text: str, headings: Headings) -> bool:
    if not any(colon in text[:_PHRASE] for colon in _COLONS):
        return False
    (heading,) = headings.find([text])
    if heading is None or heading.reason is not BlockReason.RELATED or not heading.tail:
        return False
    before = text[: text.rindex(heading.tail)].rstrip()
    return before.endswith(_COLONS)
