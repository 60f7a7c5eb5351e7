"""`rasid backup`: a copy of the embedded bus, made while the service runs or while it does not."""

import os
from contextlib import closing
from pathlib import Path

import click

from daemon.app.buses import BUS_FILE, embedded_file
from daemon.bus.embedded.backup import back_up
from daemon.cli.options import CONFIG_FILE
from daemon.cli.progress import Progress
from daemon.config.load import load_bus_config


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@CONFIG_FILE
def command(folder: Path, config_file: Path) -> None:
    """Copy the embedded bus into DIR (made when missing), as it stands now, while the service goes on.

    Everything is in the copy that had been written when it was begun: records, positions, feeds, stories, queues. Every
    page of it is checked before it gets its name. Configuration, feeds and watchlists are your own files: keep them
    beside it. Nothing is overwritten: give each backup a folder of its own.

    Exit codes: 0 the copy is whole, 1 it could not be made, 2 for a bad configuration.
    """
    path = embedded_file(load_bus_config(config_file, os.environ), config_file)
    with closing(Progress()) as progress:
        size = back_up(path, folder / BUS_FILE, progress)
    click.echo(f"{folder / BUS_FILE}: {size} bytes, checked")
