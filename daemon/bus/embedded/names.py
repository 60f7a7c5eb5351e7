"""The numbers that topics and groups have in the file, made when first named."""

import apsw

from daemon.bus.embedded.reader import Reader
from daemon.bus.embedded.writer import Writer


class Names:
    """Remembers what it has asked; numbers never change."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._topics: dict[str, int] = {}
        self._groups: dict[str, int] = {}

    async def topic(self, name: str) -> int:
        if name not in self._topics:
            known = self._reader.topic(name)
            self._topics[name] = await self._writer.submit(lambda made: topic_number(made.db, name)) if known is None else known
        return self._topics[name]

    async def group(self, name: str, topic: str) -> int:
        if name not in self._groups:
            number, known = await self.topic(topic), self._reader.group(name)
            self._groups[name] = (
                await self._writer.submit(lambda made: group_number(made.db, name, number)) if known is None else known
            )
        return self._groups[name]


def topic_number(db: apsw.Connection, name: str) -> int:
    """Within a transaction."""
    db.execute("INSERT INTO topic(name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    number: int = db.execute("SELECT id FROM topic WHERE name = ?", (name,)).get
    return number


def group_number(db: apsw.Connection, name: str, topic: int) -> int:
    """Within a transaction."""
    db.execute("INSERT INTO grp(name, topic) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, topic))
    number: int = db.execute("SELECT id FROM grp WHERE name = ?", (name,)).get
    return number
