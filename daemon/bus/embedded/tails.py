"""How far each part is known to reach, and who waits for it to grow."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping


class Tails:
    """Fed by the writer's commits and by looking at the file for what other processes appended."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}
        self._grown: dict[int, asyncio.Event] = defaultdict(asyncio.Event)

    def end(self, part: int) -> int:
        """The next offset of a part."""
        return self._ends.get(part, 0)

    def advance(self, ends: Mapping[int, int]) -> None:
        for part, end in ends.items():
            if end > self.end(part):
                self._ends[part] = end
                self._grown[part].set()

    async def beyond(self, part: int, offset: int) -> None:
        """Until the part reaches beyond an offset."""
        grown = self._grown[part]
        while self.end(part) <= offset:
            grown.clear()
            await grown.wait()
