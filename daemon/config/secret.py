"""Values that nobody may see: as they stand, or `file:PATH`, read from that file."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr, ValidationInfo

from daemon.config.files import SECRET, read_plain

_UNREAD: Final = "unread"


def _from_file(value: object, info: ValidationInfo) -> object:
    """`file:PATH` is read from the file, without the line end that editors add; for those who look on it stays unread."""
    if info.context and info.context.get("unread"):
        return _UNREAD
    if not isinstance(value, str) or not value.startswith("file:"):
        return value
    path = Path(info.context["folder"] if info.context else "", value.removeprefix("file:"))
    try:
        secret = read_plain(path, SECRET).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"the secret's file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"the secret's file {path} is not UTF-8 text") from None
    if not secret:
        raise ValueError(f"the secret's file {path} is empty")
    return secret


Secret = Annotated[SecretStr, BeforeValidator(_from_file)]
