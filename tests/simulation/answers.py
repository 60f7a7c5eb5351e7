"""What receivers answered, and what of it stands.

    an attempt is begun ─▶ answered ─▶ known to the step that begins next ─▶ heard, if that step stands

An answer belongs to the lease whose work got it: what no step has taken up when the lease ends was said in vain.
"""

from collections import Counter
from contextvars import ContextVar
from typing import TypeAlias

from alerts.channels.base import SendReason

Key: TypeAlias = tuple[str, str, str]
"""A receiver, its channel, and a version of a message (the idempotency key)."""
Said: TypeAlias = tuple[Key, str]
"""An answer is told by its reason."""

_SAID: ContextVar[list[Said]] = ContextVar("_SAID")


class Answers:
    """`begun` are attempts that reached the outside. `unsure` counts steps that stand and whose work may not have begun."""

    def __init__(self) -> None:
        self.begun = Counter[Key]()
        self.heard = Counter[Said]()
        self.unsure = 0

    def open(self) -> None:
        """A lease begins in this context; its steps and its work are in it, too."""
        _SAID.set([])

    def say(self, key: Key, reason: SendReason) -> None:
        _SAID.get().append((key, reason.value))

    def known(self) -> list[Said]:
        """What the step knows that is about to be committed."""
        said = list(_SAID.get())
        _SAID.get().clear()
        return said
