"""What people ask of a hop: commands travel on the hop's own input topic, in order with the records they concern."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PollNow:
    """Poll this feed as soon as politeness allows. `id`: by which whoever asked finds what became of it."""

    feed: str
    id: str
