"""Addresses of sockets as Python has them, and as contracts do. Each adapter has classes of its own for these."""

from __future__ import annotations

import ipaddress
from typing import Any

__all__ = ["host_and_port", "wasi_address"]


def wasi_address(wit: Any, address: tuple[str, int]) -> Any:
    """An address of the system in the classes of an adapter, the module `wit`."""
    host = ipaddress.ip_address(address[0])
    packed, port = host.packed, address[1]
    if isinstance(host, ipaddress.IPv4Address):
        return wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(port, tuple(packed)))
    groups = tuple(int.from_bytes(packed[at : at + 2]) for at in range(0, 16, 2))
    return wit.IpSocketAddress_Ipv6(wit.Ipv6SocketAddress(port, 0, groups, 0))


def host_and_port(address: Any) -> tuple[str, int]:
    """An address of any adapter as Python has it."""
    value = address.value
    if len(value.address) == 4:
        return ".".join(map(str, value.address)), value.port
    packed = b"".join(group.to_bytes(2) for group in value.address)
    return str(ipaddress.IPv6Address(packed)), value.port
