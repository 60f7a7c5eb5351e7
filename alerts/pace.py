"""How long the sender waits, and how long it remembers. Pure: jitter is a hash."""

from hashlib import blake2b
from typing import Final

GIVE_UP: Final = 24 * 3600.0
"""Seconds a message may wait in its queue; the first failed attempt after that is its last."""
TRIED: Final = 10
"""Failures in a row before anything is given up: a message may be old because the service was away, or its clock jumped."""
KEPT: Final = 7 * 24 * 3600.0
"""Seconds a message that has left is remembered: longer than a story lives, so that no version leaves twice."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 120.0
LONGEST_WAIT: Final = 3600.0
"""The longest pause a receiver may ask for."""


def pause(failures: int, seed: bytes, asked: float | None = None) -> float:
    """Seconds until the next attempt after so many failures in a row: doubling, less up to a quarter by a hash of `seed`.

    What the receiver asked for holds when it is longer, up to `LONGEST_WAIT`.
    """
    full = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(max(0, failures - 1), 10))
    share = int.from_bytes(blake2b(seed + b"\x1f%d" % failures, digest_size=4).digest(), "big") / 2**32
    return max(full * (1 - share / 4), min(asked or 0.0, LONGEST_WAIT))
