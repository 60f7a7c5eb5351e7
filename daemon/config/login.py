"""How a feed behind a login is asked: one of a bearer token, a name and password, or headers of its own (feeds 34)."""

import base64
import re
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator

from daemon.config.model import Model
from daemon.config.secret import Secret

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")
_OURS: Final = frozenset({
    "host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "expect", "accept-encoding", "a-im",
    "if-none-match", "if-modified-since", "user-agent",
})  # fmt: skip
"""What a request says of itself, and what only the poller knows."""


def basic(username: str, password: str) -> str:
    """The value of `Authorization` for a name and a password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


class Basic(Model):
    """A name and a password."""

    username: str
    password: Secret


class FeedAuth(Model):
    """What is sent with each request for a feed, to its own origin only."""

    bearer: Secret | None = None
    basic: Basic | None = None
    headers: dict[str, Secret] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if (self.bearer is not None) + (self.basic is not None) + bool(self.headers) != 1:
            raise ValueError("needs one of bearer, basic and headers")
        if self.basic and ":" in self.basic.username:
            raise ValueError("a username with a colon in it cannot be sent")
        for name, value in self.sent().items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a header")
            if name.lower() in _OURS:
                raise ValueError(f"the header {name} is not to be set here")
            if not value or not value.isprintable() or not value.isascii():
                raise ValueError("a secret is empty, or holds what a header may not: it must be one line of plain ASCII")
        return self

    def sent(self) -> dict[str, str]:
        """The headers, secrets in the clear."""
        if self.bearer is not None:
            token = self.bearer.get_secret_value()
            return {"Authorization": f"Bearer {token}" if token else ""}
        if self.basic is not None:
            return {"Authorization": basic(self.basic.username, self.basic.password.get_secret_value())}
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    def secrets(self) -> tuple[str, ...]:
        """What may stand nowhere else: the values as given and as sent."""
        given: list[SecretStr] = [self.bearer] if self.bearer is not None else []
        given += [self.basic.password] if self.basic is not None else []
        given += self.headers.values()
        return (*(secret.get_secret_value() for secret in given), *(value.rpartition(" ")[2] for value in self.sent().values()))
