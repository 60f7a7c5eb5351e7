"""`rasid run`: the service."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from daemon.app.end import leave
from daemon.app.roles import Role
from daemon.app.service import serve
from daemon.app.setup import Setup, load_setup
from daemon.cli.options import CONFIG_FILE
from daemon.log import configure_logging

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    from uvloop import new_event_loop
except ImportError:  # not on every platform; the standard loop serves as well, slower
    new_event_loop = asyncio.new_event_loop


def _roles(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[Role, ...]:
    names = [name.strip() for name in (value or ",".join(Role)).split(",")]
    unknown = sorted(set(names) - set(Role))
    if unknown:
        raise click.BadParameter(f"there is no role {', '.join(unknown)}; there are: {', '.join(Role)}")
    return tuple(Role(name) for name in names)


@click.command()
@CONFIG_FILE
@click.option("--role", "roles", callback=_roles, metavar="ROLE[,ROLE…]", help="Only these hops; all of them by default.")
@click.option("--debug", is_flag=True, help="Log more.")
def command(config_file: Path, roles: tuple[Role, ...], *, debug: bool) -> int:
    """Run the service: poll feeds, enrich, match, decide and send, until Ctrl-C or SIGTERM.

    Alerts of the console channel go to stdout, logs to stderr: for people on a terminal, as JSON lines otherwise.
    ROLE is one of poller, enricher, matcher, alerter, sender. With `bus.kind: embedded` one service process runs all of
    them; with `kafka` they may be spread over any number of processes. Changed feeds, watchlists and secrets of feeds are
    taken over while it runs, also on SIGHUP.

    Exit codes: 0 after an orderly end (within 10 s of the signal), 1 when it could not run, 2 for a bad configuration.
    """
    setup = load_setup(config_file, os.environ, store=True)
    if setup.config.bus.kind == "embedded" and set(roles) != set(Role):
        raise click.UsageError(
            "the embedded bus has one service process, which needs all roles; for several use bus.kind: kafka"
        )
    redactor = configure_logging(sys.stderr, secrets=setup.secrets(), level=logging.DEBUG if debug else logging.INFO)

    def again(before: Setup | None) -> Setup:
        fresh = load_setup(config_file, os.environ, before, store=True)
        redactor.learn(fresh.secrets())
        return fresh

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        # All is closed. To close the loop and the interpreter as well would be to wait for every thread, without bound.
        leave(runner.run(serve(setup, roles, sys.stdout, again)))
