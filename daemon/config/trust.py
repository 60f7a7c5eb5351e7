"""Which authorities a client of ours trusts when it speaks TLS."""

import ssl
from pathlib import Path

from daemon.errors import ConfigError, Problem


def trusting(ca_file: Path | None, *, besides: bool = False, key: str = "") -> ssl.SSLContext:
    """TLS that trusts the authorities in `ca_file` instead of the system's, or `besides` them; without one, the system's.

    Raises `ConfigError`, with `key` as the place the file was named at.
    """
    try:
        context = ssl.create_default_context(cafile=None if besides else ca_file)
        if besides and ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = f"the certificates cannot be used: {getattr(error, 'strerror', None) or error}"
        raise ConfigError([Problem(file=str(ca_file), key=key, reason=reason)]) from error
    return context
