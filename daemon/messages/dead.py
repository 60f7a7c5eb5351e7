"""`deadletter`: a record no hop could handle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The bytes as they came (`encoding` says how), where they stood, which hop gave up and why.

    Key and lane of the record stay the original's.
    """

    topic: str
    partition: int
    offset: int
    hop: str
    reason: str
    error: str
    value: str
    encoding: str = "base64"
    at: float
