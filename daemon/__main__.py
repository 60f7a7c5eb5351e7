"""`python -m daemon` and the entry point `rasid`."""

import os
import signal
import sys


def main() -> None:
    """Give the process what it needs before anything is imported: standard streams, and an end when it is asked for."""
    _open_standard_streams()
    service = sys.argv[1:2] == ["run"]
    # Imports take a second, in which people press Ctrl-C; nothing has begun yet that could be left half done.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0 if service else 130))
    if service:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from daemon.cli.main import import_command  # noqa: PLC0415
    from daemon.cli.main import main as run  # noqa: PLC0415

    for name in sys.argv[1:2]:
        import_command(name)
    if service:
        sys.exit(run())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a command at work tidies up
    code = run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending already
    sys.exit(code)


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
