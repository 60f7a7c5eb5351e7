"""How far a long command has come: one line on stderr, on a terminal only."""

import sys
from typing import Final, TextIO

_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Called with what is being done, how much is done, and of how much. `close` leaves no trace of it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        line = f"{what} {100 * done // max(1, total)} %"
        if line != self._shown and self._stream.isatty():
            self._stream.write(f"{_CLEAR}{line}")
            self._stream.flush()
            self._shown = line

    def close(self) -> None:
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._shown = ""
