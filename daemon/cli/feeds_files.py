"""`rasid feeds import`, `export`: lists of other programs, taken over and given away."""

import os
import sys
from pathlib import Path

import click

from daemon.cli.options import CONFIG_FILE
from daemon.config.load import AsWritten, load_feeds_config, validate, variables
from daemon.config.models import Feed
from daemon.errors import ConfigError, Problem
from daemon.feeds.parse.parsed import counted
from daemon.feeds.sources.feedfile import acceptable, has_secret, portable, yaml_text
from daemon.feeds.sources.load import entries, load_sources, read_outlines
from daemon.feeds.sources.opml import write_opml


@click.command("import")
@click.argument("opml", metavar="FILE.opml", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Write this file instead of standard output.")
@click.option("--force", is_flag=True, help="Also over a file that is there.")
def import_feeds(opml: Path, output: Path | None, *, force: bool) -> int:
    """Make a YAML file of feeds of an OPML list, as other readers export it.

    Names of folders and categories become tags. Ids are made of host and address, so that the same list gives the same
    ids, here and when config.yaml names the OPML file itself. What cannot be taken over is told, with its line.

    Exit codes: 0 done, 1 the file is there already, 2 it holds no feeds.
    """
    outlines = read_outlines(opml)
    warnings = list(outlines.warnings)
    feeds = list(acceptable(outlines.document, warnings))
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if not feeds:
        raise ConfigError([Problem(file=str(opml), reason="none of its feeds can be taken over")])
    validate(list[Feed], outlines.document, None, opml.parent)
    text = yaml_text(feeds, f"Imported from {opml.name}.")
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.echo(f"rasid: {output} is there already; take another name, or --force", err=True)
        return 1
    except OSError as error:
        click.echo(f"rasid: {output} cannot be written: {error.strerror}", err=True)
        return 1
    click.echo(
        f"{counted(len(feeds), 'feed')} in {output}. To poll them, add to `feeds:` in config.yaml:\n  - {{file: {output}}}",
        err=True,
    )
    return 0


@click.command("export")
@CONFIG_FILE
def export_feeds(config_file: Path) -> None:
    """Print the feeds that are polled as OPML, which other readers take, and `rasid feeds import` as well.

    Without logins and other secrets: what then cannot be asked is told. Ids and settings that OPML has no word for stand
    in attributes of the namespace urn:rasid:opml.

    Exit codes: 0 done, 2 for a bad configuration or feed list.
    """
    config, environ = load_feeds_config(config_file, os.environ), AsWritten(os.environ)
    load_sources(config, config_file, environ)
    found = list(entries(config, config_file, environ, []))
    feeds = [portable(entry, environ) for entry in found]
    for entry, feed in zip(found, feeds, strict=True):
        if has_secret(entry.feed, feed["url"]) or variables(feed["url"]):
            click.echo(f"warning: {entry.problem('id', f'{entry.feed.id} is exported without its secret')}", err=True)
    sys.stdout.buffer.write(write_opml(feeds, "Feeds of Rasid"))
    sys.stdout.buffer.flush()
