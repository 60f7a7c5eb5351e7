"""Which addresses may be connected to."""

from ipaddress import ip_network

import pytest

from daemon.net.addresses import may_connect, may_use


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """Feeds 31: public unicast addresses may be connected to, mapped ones too."""
    assert may_connect(address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1", "::7f00:1", "64:ff9b:1::a00:1",
        "not an address", "",
    ],
)  # fmt: skip
def test_other_addresses(address: str) -> None:
    """Feeds 31: private, local, shared, multicast and reserved addresses may not, however they are written."""
    assert not may_connect(address, ())


def test_allowed_networks() -> None:
    """Feeds 31: what the operator allowed may be connected to, also when it comes mapped; its neighbours not."""
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert all(may_connect(address, allowed) for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::1"))
    assert not any(may_connect(address, allowed) for address in ("10.2.0.1", "fe80::1"))


@pytest.mark.parametrize(
    ("port", "may"), [(80, True), (443, True), (8080, True), (40_000, True), (25, False), (6667, False), (22, False)]
)
def test_ports(port: int, *, may: bool) -> None:
    """Feeds 31: the web's ports and those no browser refuses; the operator may allow others."""
    assert may_use(port, ()) is may
    assert may_use(port, {port})
