"""What stands in a receiver's keys, read strictly: addresses of mail and hooks, webhook secrets. Errors never show secrets."""

import base64
import binascii
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

_MARK: Final = "whsec_"
_MAKE: Final = f'echo "{_MARK}$(openssl rand -base64 24)"'


def read_address(text: str) -> Address:
    """`desk@example.org` or `The desk <desk@example.org>`. Raises `ValueError`."""
    name, spec = parseaddr(text)
    local, _, domain = spec.rpartition("@")
    if not local or not domain or not spec.isascii() or " " in spec or not text.isprintable():
        raise ValueError(f"{text!r} is not a mail address like desk@example.org")
    try:
        return Address(name, addr_spec=spec)
    except (MessageError, ValueError, IndexError) as error:
        raise ValueError(f"{text!r} is not a mail address like desk@example.org") from error


def read_keys(secret: str) -> tuple[bytes, ...]:
    """The keys of one or, separated by a space, two `whsec_` secrets (Standard Webhooks). Raises `ValueError`."""
    keys = [_key(word) for word in secret.split()]
    if not 1 <= len(keys) <= 2:
        raise ValueError("a webhook has one secret, or two while they rotate")
    return tuple(keys)


def _key(word: str) -> bytes:
    try:
        key = base64.b64decode(word.removeprefix(_MARK), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key or not word.startswith(_MARK):
        raise ValueError(f"a webhook's secret is {_MARK} and base64, as made by: {_MAKE}") from None
    return key


def _mail_address(text: str) -> str:
    read_address(text)
    return text


def _hook_address(secret: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(secret.get_secret_value())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("not an address that starts with https://")
    return secret


def _hook_secret(secret: SecretStr) -> SecretStr:
    read_keys(secret.get_secret_value())
    return secret


MailAddress = Annotated[str, AfterValidator(_mail_address)]
HookAddress = AfterValidator(_hook_address)
HookSecret = AfterValidator(_hook_secret)
