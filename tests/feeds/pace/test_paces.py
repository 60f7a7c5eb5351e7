"""From the configuration to the bounds of intervals."""

from pathlib import Path

import pytest

from daemon.config.document import parse_document
from daemon.config.load import validate
from daemon.config.models import Config, Polling
from daemon.errors import ConfigError
from daemon.feeds.pace.paces import gaps_of, pace_of


def polling(text: str) -> Polling:
    return validate(Config, parse_document(f"polling: {text}", "config.yaml"), {}, Path()).polling


def test_everywhere() -> None:
    """Feeds 8 to 11: the bounds are those of `polling`, and hold for sites that are not named."""
    pace = pace_of(polling("{default_interval: 4m, min_interval: 2m, max_interval: 1h, max_hint: 0s}")).of("example.org")
    assert (pace.usual, pace.shortest, pace.longest, pace.plain, pace.max_hint) == (240, 120, 3600, 900, 0)
    assert (pace.gap, pace.alone) == (None, False)


def test_a_site_of_its_own() -> None:
    """Feeds 11, 14: a site takes over what it does not say; its shortest interval is also for feeds without validators."""
    settings = polling(
        "{sites: [{site: reddit.com, gap: 60s, min_interval: 3m}, {site: Hub.Example, max_hint: 0s, pause: feed}]}"
    )
    reddit, hub = pace_of(settings).of("reddit.com"), pace_of(settings).of("hub.example")
    assert (reddit.shortest, reddit.plain, reddit.longest, reddit.max_hint, reddit.gap) == (180, 180, 21600, 21600, 60)
    assert (hub.shortest, hub.plain, hub.max_hint, hub.alone, hub.gap) == (60, 900, 0, True, None)
    assert gaps_of(settings) == {"reddit.com": 60}


@pytest.mark.parametrize(
    ("sites", "reason"),
    [
        ("[{site: www.reddit.com}]", "not a site, which is a registrable domain such as reddit.com"),
        ("[{site: ''}]", "not a site"),
        ("[{site: https://reddit.com/}]", "not a site"),
        ("[{site: a.com}, {site: A.com}]", "a.com stands here twice"),
        ("[{site: a.com, min_interval: 7h}]", "min_interval of the site a.com is longer than max_interval"),
        ("[{site: a.com, pause: host}]", "must be 'site' or 'feed'"),
    ],
)
def test_mistakes(sites: str, reason: str) -> None:
    """A site that would never be met, or that contradicts what holds everywhere, is refused with the reason."""
    with pytest.raises(ConfigError) as caught:
        polling(f"{{sites: {sites}}}")
    assert reason in str(caught.value)


def test_sites_as_addresses_and_in_other_scripts() -> None:
    """An address counts as a site, and a name in another script is known by its ASCII form, as feeds' sites are."""
    assert set(gaps_of(polling("{sites: [{site: 192.0.2.7, gap: 2s}, {site: bücher.example, gap: 3s}]}"))) == {
        "192.0.2.7",
        "xn--bcher-kva.example",
    }
