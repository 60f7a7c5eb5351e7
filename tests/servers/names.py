"""A world whose names all lead here, so that each server of a test may be a site of its own."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult


class Here(AbstractResolver):
    """Knows all names: they are 127.0.0.1."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        del family
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """There is nothing to be closed."""
