"""Small honest hops for the runner's tests: texts in, texts out, and rows that can be looked at."""

from collections.abc import Sequence

import orjson

from daemon.bus.base import Record, Row
from daemon.errors import DecodeError
from daemon.stage.hop import NOTHING, Effects, Fact, Hop, Table, Time, Work


def decode(value: bytes | None) -> str:
    """Test messages are UTF-8 text."""
    try:
        return (value or b"").decode()
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-8") from error


def record(text: str, at: float, *, topic: str = "in", lane: str = "lane", offset: int = -1) -> Record:
    return Record(topic, lane, text.encode(), text.encode(), at, offset)


class Echo(Hop[str, str]):
    """Publishes each text in capitals and counts them in the row `count`.

    `boom` raises, `unready` raises in prepare; `timer N` puts a row that wakes at N and then publishes the time it was
    given; `work X` asks for work whose answer is published.
    """

    def __init__(self, name: str = "echo", time: Time = Time.WALL) -> None:
        self.name = name
        self.time = time

    def prepare(self, batch: Sequence[str]) -> Sequence[str]:
        if "unready" in batch:
            raise ValueError("cannot be prepared")
        return [text.upper() for text in batch]

    def decide(self, item: str, table: Table, now: float) -> Effects:
        seen = _number(table.get(b"count")) + 1
        table.put(b"count", Row("lane", b"count", orjson.dumps(seen)))
        word, _, rest = item.partition(" ")
        if word == "BOOM":
            raise RuntimeError("went off")
        if word == "TIMER":
            key = f"timer/{rest}".encode()
            table.put(key, Row("lane", key, b"1", float(rest)))
            return NOTHING
        if word == "WORK":
            key = f"work/{rest}".encode()
            table.put(key, Row("lane", key, rest.encode(), 0.0))
            return NOTHING
        return Effects(out=[_out(item, now)], facts=[Fact("rasid_articles_total", {"hop": self.name, "outcome": "echoed"})])

    def wake(self, row: Row, table: Table, now: float) -> Effects:
        if row.key.startswith(b"stuck"):
            return NOTHING
        if row.key.startswith(b"work"):
            return Effects(work=[Work(row.key, (row.value or b"").decode())])
        table.put(row.key, None)
        return Effects(out=[_out(f"{row.key.decode()} at {now:g}", now)])

    def done(self, key: bytes, result: object, table: Table, now: float) -> Effects:
        table.put(key, None)
        return Effects(out=[_out(f"{key.decode()} gave {result}", now)])


def _out(text: str, now: float) -> Record:
    return Record("out", "lane", text.encode(), text.encode(), now)


def _number(row: Row | None) -> int:
    return int(orjson.loads(row.value)) if row is not None and row.value is not None else 0
