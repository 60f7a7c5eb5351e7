"""The bounds of all intervals as the configuration gives them: everywhere, and for the sites that have their own."""

from collections.abc import Mapping
from dataclasses import replace

from daemon.config.models import Polling, Site
from daemon.feeds.pace.schedule import Pace


def pace_of(polling: Polling) -> Pace:
    """For the poller. A site's `min_interval` also is the least for those of its feeds that give no validators (feeds 11)."""
    everywhere = Pace(
        shortest=polling.min_interval,
        longest=polling.max_interval,
        usual=polling.default_interval,
        max_hint=polling.max_hint,
    )
    return replace(everywhere, sites={site.site: _of_site(site, everywhere) for site in polling.sites})


def gaps_of(polling: Polling) -> Mapping[str, float]:
    """For the politeness: the gaps (seconds) of sites that have their own."""
    return {site.site: site.gap for site in polling.sites if site.gap is not None}


def _of_site(site: Site, everywhere: Pace) -> Pace:
    least = everywhere.shortest if site.min_interval is None else site.min_interval
    return replace(
        everywhere,
        shortest=least,
        plain=everywhere.plain if site.min_interval is None else least,
        max_hint=everywhere.max_hint if site.max_hint is None else site.max_hint,
        gap=site.gap,
        alone=site.pause == "feed",
    )
