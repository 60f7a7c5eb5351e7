"""`python -m daemon` and the entry point `rasid`."""

import sys

from daemon.cli.main import main as run


def main() -> None:
    sys.exit(run())


if __name__ == "__main__":
    main()
