"""`rasid restore`: what `rasid backup` made, put in the place of the embedded bus."""

import os
from contextlib import closing
from pathlib import Path

import click

from daemon.app.buses import BUS_FILE, embedded_file
from daemon.bus.embedded.backup import aside_of, restore
from daemon.cli.options import CONFIG_FILE
from daemon.cli.progress import Progress
from daemon.clock import WallClock
from daemon.config.load import load_bus_config


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@CONFIG_FILE
@click.option("--force", is_flag=True, help="Also when there is a bus; it is kept beside, under another name.")
def command(folder: Path, config_file: Path, *, force: bool) -> None:
    """Put the backup in DIR in the place of the embedded bus. Stop the service first.

    The copy is checked before it replaces anything. A bus that is there stays unless --force is given, and is then kept
    as bus.sqlite.replaced-TIME in the same folder. What happened after the backup is unknown to it: feeds are read again
    from where it stood, and what was told since then is told again.

    Exit codes: 0 done, 1 nothing was changed, 2 for a bad configuration.
    """
    path = embedded_file(load_bus_config(config_file, os.environ), config_file)
    aside = aside_of(path, WallClock().now())
    with closing(Progress()) as progress:
        kept = restore(folder / BUS_FILE, path, aside, progress, replace=force)
    told = f"; what was there is {kept.name} now" if kept else ""
    click.echo(f"{path}: restored{told}")
