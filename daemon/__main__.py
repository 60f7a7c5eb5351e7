"""`python -m daemon` and the entry point `rasid`."""

import os
import signal
import sys


def main() -> None:
    """Give the process what it needs before anything is imported: standard streams, and an end when it is asked for."""
    _open_standard_streams()
    if sys.argv[1:2] == ["run"]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))  # nothing has begun yet that could be left half done
    # Imports take a second, in which people press Ctrl-C.
    from daemon.cli.main import main as run  # noqa: PLC0415

    sys.exit(run())


def _open_standard_streams() -> None:
    """A closed stream becomes an empty one: else the next file that is opened takes its number, and its output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


if __name__ == "__main__":
    main()
