"""How deep YAML nests and how large its aliases make it, told from its events: before anything is built of it.

Building a few lines of aliases of aliases, or reading brackets within brackets to their end, takes many seconds.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 60
_MAX_ALIASED: Final = 500_000
"""Parts that aliases may stand for, all together."""


class BeyondBounds(Exception):
    """The document is not to be built: `reason`, and where that was seen (from 1)."""

    def __init__(self, reason: str, mark: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = mark.line + 1, mark.column + 1


def check_bounds(text: str) -> None:
    """Raises `BeyondBounds`, and `yaml.YAMLError` for what is no YAML."""
    sizes = _Sizes()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        sizes.count(event)


@dataclass(slots=True)
class _Sizes:
    """What each anchor stands for, in parts; `open`: the anchors and sizes of what has begun."""

    of: dict[str | None, int] = field(default_factory=dict)
    open: list[tuple[str | None, int]] = field(default_factory=list)
    aliased: int = 0

    def count(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append((event.anchor, 1))
            if len(self.open) > MAX_DEPTH:
                raise BeyondBounds(f"nested more than {MAX_DEPTH} deep", event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._ended(*self.open.pop())
        elif isinstance(event, yaml.AliasEvent):
            self._ended(None, self._of_alias(event))
        elif isinstance(event, yaml.ScalarEvent):
            self._ended(event.anchor, 1)

    def _of_alias(self, event: yaml.AliasEvent) -> int:
        if any(anchor == event.anchor for anchor, _ in self.open):
            raise BeyondBounds(f"nested more than {MAX_DEPTH} deep: an alias that contains itself", event.start_mark)
        size = self.of.get(event.anchor, 1)
        self.aliased += size
        if self.aliased > _MAX_ALIASED:
            raise BeyondBounds(f"more than {_MAX_ALIASED} parts once its aliases are filled in", event.start_mark)
        return size

    def _ended(self, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self.of[anchor] = size
        if self.open:
            holder, so_far = self.open[-1]
            self.open[-1] = holder, so_far + size
