"""Sentences of a text: for snippets around hits, and for `SAME`. A rough rule for all scripts, not a parser."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

_END: Final = re.compile(
    r"[\n.!?؟…۔。！？]"  # one set of characters to begin with: the others are passed over fast
    r"(?:(?<=\n)\s*"
    r"|(?<=[.!?؟…۔])(?<!\b[A-ZА-Я].)[.!?؟…۔]*[\"'”’»)\]]*(?:\s+|(?=[“«]?[\u0620-\u06ff]))"  # Arabic: no space
    r"|(?<=[。！？])[。！？]*[」』”]*\s*)"
)
_LIMIT: Final = 300


@dataclass(frozen=True, slots=True)
class Sentences:
    """Where the sentences of `text` begin; the first begins at 0."""

    text: str
    starts: tuple[int, ...]

    def number(self, offset: int) -> int:
        """Which sentence, from 0, the character at `offset` stands in."""
        return bisect_right(self.starts, offset) - 1

    def snippet(self, start: int, end: int, limit: int = _LIMIT) -> tuple[str, int]:
        """The sentence (or sentences) of `start` to `end`, cut to about `limit` characters, and where `start` is in it."""
        after = self.number(max(end - 1, start)) + 1
        low = self.starts[self.number(start)]
        high = self.starts[after] if after < len(self.starts) else len(self.text)
        spare = max(limit - (end - start), 0) // 2
        left, right = max(low, start - spare), min(high, end + spare)
        if high - low <= limit:
            left, right = low, high
        if left > low:
            left = self.text.find(" ", left, start) + 1 or left
        if right < high:
            right = self.text.rfind(" ", end, right) if " " in self.text[end:right] else right
        before, rest = self.text[left:start].lstrip(), self.text[end:right].rstrip()
        head, tail = ("…" if left > low else ""), ("…" if right < high else "")
        return head + before + self.text[start:end] + rest + tail, len(head) + len(before)


def sentences(text: str) -> Sentences:
    starts = [0, *(found.end() for found in _END.finditer(text) if found.end() < len(text))]
    return Sentences(text, tuple(dict.fromkeys(starts)))
