"""How long the engine waits for what. Every await on a broker is bounded by one of these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds; the defaults were found on real brokers (delivery.md, “The Kafka loop”)."""

    request: float = 5.0
    transaction: float = 30.0
    step: float = 12.0
    """A whole commit, or a whole publish."""
    opening: float = 120.0
    """Fencing, finding the position and restoring the rows of one lease."""
    session: float = 20.0
    """A process that is not heard of for so long loses its partitions."""
    heartbeat: float = 2.0
    rebalance: float = 30.0
    leave: float = 8.0
    """What a holder gets to finish what is in hand when its partition is taken back; less than `rebalance`."""
    start: float = 5.0
    """How long entering the bus waits for a broker before it goes on without one."""
    look: float = 5.0
    """Between two looks whether any broker answers."""
    pause: float = 0.1
    longest_pause: float = 5.0
    """Before a lease that was left by an error is offered again: doubling from the first to the second."""


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
