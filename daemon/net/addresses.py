"""Which addresses may be connected to (feeds 31): public ones, and networks the operator allowed.

Asked at every connect, by the socket's factory: a name that resolves inside, an IP literal and a redirect's target all
pass here, whereas a check in the resolver would miss literals. Ports: the web's own, and those from 1024 on that no
browser refuses; whoever may choose an address must not make us speak to mail servers.
"""

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address
AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""What `getaddrinfo` gives; the last part is what to connect to."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_UNICAST: Final = IPv6Network("2000::/3")
"""All that is assigned as global unicast (RFC 4291, 2.4); what lies outside stands for something else."""

_WEB: Final = frozenset({80, 443})
_UNRESERVED: Final = 1024
_REFUSED_PORTS: Final = frozenset({1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080})
_REFUSED_IRC: Final = range(6665, 6670)
"""Both as browsers refuse them (WHATWG Fetch, “port blocking”)."""


class RefusedAddress(OSError):
    """The address is neither public nor allowed. One sentence for all, so that several refusals of a name stay one error."""

    def __init__(self, address: str, reason: str = "the address is not public; polling.allow_addresses can allow it") -> None:
        super().__init__(reason)
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
    return _is_public(address) or any(address in network for network in allowed)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def may_use(port: int, allowed: Collection[int]) -> bool:
    """Whether the web is spoken at the port, or may be by the operator's leave."""
    if port in _WEB or port in allowed:
        return True
    return port >= _UNRESERVED and port not in _REFUSED_PORTS and port not in _REFUSED_IRC


def guarded_sockets(allowed: Sequence[Network], ports: Collection[int] = ()) -> Callable[[AddressInfo], socket.socket]:
    """A factory for aiohttp's `socket_factory`: makes no socket for an address or a port that may not be connected to.

    The factory raises `RefusedAddress`.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, place = info
        if not may_connect(str(place[0]), allowed):
            raise RefusedAddress(str(place[0]))
        if not may_use(int(place[1]), ports):
            raise RefusedAddress(f"port {place[1]}", "the web is not spoken there; polling.allow_ports can allow it")
        return socket.socket(family, kind, protocol)

    return make
