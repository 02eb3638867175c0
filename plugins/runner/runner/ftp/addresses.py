"""Addresses of the system as the contract has them."""

from __future__ import annotations

import ipaddress

import runner.bindings.ftp_component as wit

__all__ = ["wasi_address"]


def wasi_address(address: tuple[str, int]) -> wit.IpSocketAddress:
    """An address and a port."""
    host = ipaddress.ip_address(address[0])
    packed, port = host.packed, address[1]
    if isinstance(host, ipaddress.IPv4Address):
        return wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(port, (packed[0], packed[1], packed[2], packed[3])))
    a, b, c, d, e, f, g, h = (int.from_bytes(packed[at : at + 2]) for at in range(0, 16, 2))
    return wit.IpSocketAddress_Ipv6(wit.Ipv6SocketAddress(port, 0, (a, b, c, d, e, f, g, h), 0))
