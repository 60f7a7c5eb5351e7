"""The five roles a process can have, in the order of the flow."""

from enum import StrEnum


class Role(StrEnum):
    """A hop, as a process's job."""

    POLLER = "poller"
    ENRICHER = "enricher"
    MATCHER = "matcher"
    ALERTER = "alerter"
    SENDER = "sender"
