"""The command line: finds the command's file, runs it, turns errors into one sentence and an exit code.

Exit codes: 0 done, 1 failed at run time, 2 bad input or configuration, 130 broken off by Ctrl-C.
"""

import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from daemon.errors import ConfigError, RasidError
from daemon.log import configure_logging

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""

TABLE: Final = {
    "run": "Run the service.",
    "check": "Check config, feeds, watchlists and the rules' own tests.",
    "parse": "Feeds' bytes to items, one a line.",
    "extract": "Article pages or plain texts to zones, language and dates.",
    "match": "Articles to matches with their evidence.",
    "feeds": "What is polled, when next, how it has been doing; poll now, import, export.",
    "alerts": "What was told, joined, held, suppressed, delivered, and why.",
    "deadletter": "Records no hop could handle: list, show, put back.",
    "backup": "Copy the embedded bus, while the service runs.",
    "restore": "Put a backup in the place of the embedded bus.",
    "move": "Move everything to Kafka, back, or to another partition count.",
    "send-test": "Send a real sample to a receiver and say what came back.",
}
"""Each command's name and one line; its file is named alike, `-` as `_`, and has the click command as `command`."""


class _Commands(click.Group):
    """Imports a command's file only when it is named: `rasid --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        return import_command(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """A reader that goes away (`rasid … | head`) has had enough: no error, where click would make it exit 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _drop_output()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(TABLE.items()))


def import_command(name: str) -> click.Command | None:
    """The command of that name, whose file is imported now; None when there is none."""
    if name not in TABLE:
        return None
    command: click.Command = import_module(f"daemon.cli.{name.replace('-', '_')}").command
    return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rasid", prog_name="rasid")
def rasid() -> None:
    """Rasid keeps watch on news feeds and tells people what they asked to hear, once per story, with the evidence.

    On a terminal commands print for people; piped, or with --json, JSON lines. Each has its own --help.

    Exit codes: 0 done, 1 failed at run time, 2 bad input or configuration, 130 broken off by Ctrl-C.
    """


def _drop_output() -> None:
    """What is still buffered would be flushed at the end, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Logs go to stderr: stdout is for what was asked for."""
    try:
        configure_logging(sys.stderr, level=logging.WARNING)
        code = _run(argv)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EIO, errno.EFBIG}:
            raise
        _drop_output()
        click.echo(f"rasid: the output cannot be written: {error.strerror}", err=True)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        code = rasid.main(args=None if argv is None else list(argv), prog_name="rasid", standalone_mode=False)
    except click.exceptions.Abort as error:  # click's word for Ctrl-C, and for input that ends
        return INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else 1
    except click.ClickException as error:
        error.show()
        return 2
    except ConfigError as error:
        click.echo(str(error), err=True)
        return 2
    except RasidError as error:
        click.echo(f"rasid: {error}", err=True)
        return 1
    return code if isinstance(code, int) else 0
