"""What `rasid check` warns of beyond single files: the service runs with it, and does less than somebody may think."""

from collections.abc import Iterator, Mapping

from alerts.route import idle_branches
from daemon.app.setup import Setup
from daemon.config.document import read_document
from daemon.config.literals import literal_secrets
from daemon.errors import Problem
from daemon.feeds.sources.doubts import doubtful_feeds


def doubts(setup: Setup, environ: Mapping[str, str]) -> list[Problem]:
    """The watchlists' warnings, secrets in the file, then the feeds', then what is missing or fits nothing."""
    document = read_document(setup.file)
    found = [warning for desk in setup.desks for warning in desk.warnings]
    found += literal_secrets(document)
    found += doubtful_feeds(setup.config, setup.file, environ)
    found += _missing(setup)
    if setup.desks:
        found += idle_branches(setup.config, document, [desk.name for desk in setup.desks])
    return found


def _missing(setup: Setup) -> Iterator[Problem]:
    if not setup.sources:
        yield Problem(file=str(setup.file), key="feeds", reason="there is no feed: nothing is polled")
    if not setup.desks:
        yield Problem(file=str(setup.file), key="watchlists", reason="there is no watchlist: nothing is told")
