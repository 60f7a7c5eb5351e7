"""Which keys a reload takes over, and which it says need a restart."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from daemon.app.reload import needing_restart
from daemon.config.load import load_config
from daemon.config.models import Config, Polling
from daemon.feeds.pace.paces import gaps_of, pace_of
from daemon.feeds.sources.load import load_sources

CHANGED = {
    "user_agent": "Other/1",
    "default_interval": "4m",
    "min_interval": "2m",
    "max_interval": "5h",
    "max_hint": "1h",
    "concurrency": "7",
    "per_site": "{gap: 3s}",
    "sites": "[{site: example.org, gap: 9s}]",
    "allow_addresses": "[10.0.0.0/8]",
    "allow_ports": "[22]",
    "max_wire": "1MB",
    "max_decoded": "2MB",
    "max_age": "1h",
    "first_fetch": "alert",
}
FEEDS = "feeds: [{id: one, url: 'https://example.org/feed'}]\n"


def read(folder: Path, polling: str) -> Config:
    file = folder / "config.yaml"
    file.write_text(f"{FEEDS}polling: {{{polling}}}\n")
    return load_config(file, {})


def swapped(config: Config, file: Path) -> Any:
    """What a reload puts into the place of what runs."""
    polling = config.polling
    return pace_of(polling), polling.per_site.gap, gaps_of(polling), load_sources(config, file, {})


@pytest.mark.parametrize("name", Polling.model_fields)
def test_polling_is_swapped_or_needs_a_restart(tmp_path: Path, certificates: Path, name: str) -> None:
    """Each key of `polling` is either taken over by a reload or named as one that needs a restart; a new key is either, too."""
    value = str(certificates) if name == "ca_file" else CHANGED[name]
    before, after = read(tmp_path, ""), read(tmp_path, f"{name}: {value}")
    file = tmp_path / "config.yaml"
    taken_over = swapped(before, file) != swapped(after, file)
    assert needing_restart(before, after) == ([] if taken_over else [f"polling.{name}"])


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file
