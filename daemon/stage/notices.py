"""What a hop notices is logged here, since a hop does no I/O: each thing once, however many records bring it up."""

import structlog

from daemon.stage.hop import Notice

log = structlog.get_logger()


class Notices:
    """Of one hop in one process. Remembers what was logged: as many things as the configuration has, at most."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, frozenset[tuple[str, str]]]] = set()

    def tell(self, notice: Notice) -> None:
        """Log it, if nothing was logged about the same before."""
        subject = (notice.event, frozenset(notice.about.items()))
        if subject not in self._logged:
            self._logged.add(subject)
            log.error(notice.event, **notice.about, **notice.details)
