"""`rasid move`: everything of one bus to another, while no service runs."""

import asyncio
import os
from contextlib import closing
from pathlib import Path

import click

from daemon.app.moves import Place, move
from daemon.cli.options import CONFIG_FILE
from daemon.cli.progress import Progress
from daemon.clock import WallClock
from daemon.config.load import load_bus_config


@click.command()
@CONFIG_FILE
@click.option("--to", "to_file", type=click.Path(path_type=Path), metavar="FILE", help="The configuration with the new bus.")
@click.option("--partitions", type=click.IntRange(1, 1024), help="How many the new embedded bus has.  [default: 4]")
def command(config_file: Path, to_file: Path | None, partitions: int | None) -> None:
    """Move everything from the bus of --config to that of --to. Stop the service first.

    From embedded to Kafka, from Kafka to embedded, or to another partition count. Records, positions, feeds, stories and
    queues go over: what was consumed is not consumed again, what was not is. The new bus must be empty: another data_dir,
    or topics of another topic_prefix. The old one is left as it is; do not start a service on it again. Without --to the
    embedded bus is made anew with --partitions in its own place, and the old file is kept as bus.sqlite.replaced-TIME.

    Exit codes: 0 done, 1 not done: an embedded new bus is not there then, new topics are to be deleted; 2 for a bad
    configuration.
    """
    config = load_bus_config(config_file, os.environ)
    old = Place(config, config_file.parent)
    new = Place(load_bus_config(to_file, os.environ), to_file.parent) if to_file else old
    _refuse_nothing(old, new, partitions)
    with closing(Progress()) as progress:
        moved, aside = asyncio.run(move(old, new, partitions, WallClock(), progress))
    kept = f"; the old file is {aside.name} now" if aside else ""
    click.echo(f"moved: {moved.records} records, {moved.unconsumed} of them to be consumed, {moved.rows} rows{kept}")


def _refuse_nothing(old: Place, new: Place, partitions: int | None) -> None:
    if new.kafka is not None and partitions is not None:
        raise click.UsageError("--partitions is for the embedded bus; for Kafka, bus.kafka.partitions says it")
    if new.kafka is not None and old.kafka is not None and new.kafka.topic_prefix == old.kafka.topic_prefix:
        if set(new.kafka.bootstrap_servers) & set(old.kafka.bootstrap_servers):
            raise click.UsageError("old and new are the same topics; give the new ones another bus.kafka.topic_prefix")
    elif new.file is not None and new.file == old.file and partitions is None:
        raise click.UsageError("old and new are the same file; name another configuration with --to, or --partitions")
