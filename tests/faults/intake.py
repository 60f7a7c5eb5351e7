"""What a sink has taken, and how it answers. The accounts outlive the harness: they stand in a file before the answer goes.

rasid ─ post ─▶ Intake.decide: manner() says the answer ─▶ taken? ─▶ a line in the file ─▶ the answer
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from time import time

import orjson

from tests.servers.hooks import Posted, Say


class Intake:
    """Of every message that was taken its link and its id. `manner` gives the next answer; faults replace it for a while.

    Taken is what is answered 2xx, and what is answered not at all: whoever drops an answer has the message.
    `delays`: seconds from the article's fetch until its message was taken, as far as by this process.
    """

    def __init__(self, file: Path) -> None:
        self.links: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.order: list[str] = []
        self.delays: list[float] = []
        self.manner: Callable[[], Say] = Say
        self.asked = 0
        for line in file.read_text("ascii").splitlines() if file.exists() else ():
            self._keep(*line.split())
        self._file = file.open("a", encoding="ascii", buffering=1)

    @property
    def count(self) -> int:
        """Messages taken, repeats included."""
        return len(self.order)

    @property
    def repeats(self) -> int:
        """Messages taken beyond the first of each id."""
        return self.count - len(self.messages)

    def arrived(self) -> Iterable[str]:
        """The messages, without versions, in the order in which each was first taken."""
        return [message.rpartition(".")[0] for message in self.messages]

    def decide(self, posted: Posted) -> Say:
        say = self.manner()
        self.asked += 1
        if 200 <= say.status < 300:
            event = orjson.loads(posted.body)
            message, link = posted.headers["webhook-id"], event["data"]["url"]
            self.delays.append(time() - datetime.fromisoformat(event["time"]).timestamp())
            self._file.write(f"{message} {link}\n")
            self._keep(message, link)
        return say

    def close(self) -> None:
        self._file.close()

    def _keep(self, message: str, link: str) -> None:
        self.messages[message] += 1
        self.links[link] += 1
        self.order.append(link)
