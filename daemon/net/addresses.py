"""Which addresses may be connected to (feeds 31): public ones, and networks the operator allowed.

Asked at every connect, by the socket's factory: a name that resolves inside, an IP literal and a redirect's target all
pass here, whereas a check in the resolver would miss literals.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address
AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""What `getaddrinfo` gives; the last part is what to connect to."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


class RefusedAddress(OSError):
    """The address is neither public nor allowed. One sentence for all, so that several refusals of a name stay one error."""

    def __init__(self, address: str) -> None:
        super().__init__("the address is not public; polling.allow_addresses can allow its network")
        self.address = address


def unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (`::ffff:0:0/96`, `2002::/16`, `64:ff9b::/96`), else the address."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if embedded is not None:
            return embedded
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def may_connect(text: str, allowed: Sequence[Network]) -> bool:
    """Whether the address, as text with or without a zone, is public unicast or within one of the networks."""
    try:
        address = unmapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    return (address.is_global and not address.is_multicast) or any(address in network for network in allowed)


def guarded_sockets(allowed: Sequence[Network]) -> Callable[[AddressInfo], socket.socket]:
    """A factory for aiohttp's `socket_factory`: makes no socket for an address that may not be connected to.

    The factory raises `RefusedAddress`.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, place = info
        if not may_connect(str(place[0]), allowed):
            raise RefusedAddress(str(place[0]))
        return socket.socket(family, kind, protocol)

    return make
