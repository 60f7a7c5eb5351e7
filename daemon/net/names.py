"""Names to addresses (feeds 32): asked by c-ares, which takes no thread, and remembered, so that dead domains stall nobody."""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

FOUND_FOR: Final = 300.0
MISSED_FOR: Final = 60.0
_PATIENCE: Final = 5.0
"""Seconds that the name servers have for an answer."""

_MOST: Final = 20_000

_Key: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """Addresses, or why there are none; `until` by the timer."""

    until: float
    found: Sequence[ResolveResult] = ()
    trouble: str = ""


class Names(AbstractResolver):
    """Asks for each name once at a time, whoever wants it, and gives all of them the answer."""

    def __init__(self, asked: AbstractResolver, *, timer: Callable[[], float]) -> None:
        """`asked` is closed with this one."""
        self._asked = asked
        self._timer = timer
        self._known: OrderedDict[_Key, _Known] = OrderedDict()
        self._asking: dict[_Key, asyncio.Task[_Known]] = {}

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses. Raises `OSError` when there are none."""
        key = (host.lower(), int(family))
        known = self._known.get(key)
        if known is None or known.until <= self._timer():
            if key not in self._asking:
                self._asking[key] = asyncio.create_task(self._ask(key, family))
            known = await asyncio.shield(self._asking[key])  # one who gives up leaves the answer to the others
        if known.trouble:
            raise OSError(None, known.trouble)
        return [{**found, "port": port} for found in known.found]

    async def _ask(self, key: _Key, family: socket.AddressFamily) -> _Known:
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._asked.resolve(key[0], 0, family)
            known = _Known(self._timer() + FOUND_FOR, found)
        except TimeoutError:
            known = _Known(self._timer() + MISSED_FOR, trouble=f"no answer from the name servers within {_PATIENCE:g} s")
        except (OSError, UnicodeError) as error:
            known = _Known(self._timer() + MISSED_FOR, trouble=str(error.args[-1] if error.args else "") or "no such name")
        finally:
            del self._asking[key]
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known

    async def close(self) -> None:
        for asking in list(self._asking.values()):
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._asked.close()
