"""What is read again, and what is not."""

from pathlib import Path

import pytest

from daemon.app.setup import load_setup
from daemon.errors import ConfigError

DESK = "desk: coast\nactors:\n  - {{id: ada, names: [{name}]}}\n  - {{file: names.csv}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "coast.yaml").write_text(DESK.format(name="Ada Verne"))
    (tmp_path / "names.csv").write_text("id,kind,lang,name\nben,person,en,Ben Okoro\n")
    (tmp_path / "token").write_text("t0ken")
    (tmp_path / "feeds.yaml").write_text("- {id: a, url: 'https://e.com/a', auth: {bearer: file:token}}\n")
    (tmp_path / "config.yaml").write_text("watchlists: [coast.yaml]\nfeeds: [{file: feeds.yaml}]\n")
    return tmp_path / "config.yaml"


def test_all_files_are_known(config: Path) -> None:
    """Those of feeds, watchlists, their lists and secrets: what is to be watched."""
    setup = load_setup(config, {})
    assert {path.name for path in setup.files} == {"config.yaml", "feeds.yaml", "token", "coast.yaml", "names.csv"}
    assert {path.name for path in setup.lists} == {"coast.yaml", "names.csv"}
    assert "t0ken" in setup.secrets()


def test_watchlists_that_nobody_touched(config: Path, tmp_path: Path) -> None:
    """They are not read again for a change of feeds, unless the configuration names others; everything else is."""
    before = load_setup(config, {})
    (tmp_path / "coast.yaml").write_text(DESK.format(name="Another"))
    (tmp_path / "feeds.yaml").write_text("- {id: b, url: 'https://e.com/b'}\n")
    after = load_setup(config, {}, before)
    assert after.desks is before.desks
    assert (after.lists, [source.id for source in after.sources]) == (before.lists, ["b"])
    assert load_setup(config, {}).desks != before.desks
    config.write_text("watchlists: [coast.yaml, other.yaml]\n")
    with pytest.raises(ConfigError, match="no watchlist file is there"):
        load_setup(config, {}, before)
