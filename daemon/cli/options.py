"""Options that commands share."""

from pathlib import Path
from typing import Final

import click

CONFIG_FILE: Final = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True
)
