"""Addresses and errors on their way between WASI and the operating system."""

from __future__ import annotations

import errno
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wasi.network import IPV4, IPV6, address, everything, fails
from witgen import wasi
from witgen.wasi.bindings import host
from witgen.wasi.network import Code, address_of, code_of, is_unicast, pack, to_remote, to_system, to_wasi

ports = st.integers(0, 65535)


@given(st.ip_addresses(v=4), ports)
def test_an_ipv4_address_is_the_same_on_both_sides(one: ipaddress.IPv4Address, port: int) -> None:
    made = address(str(one), port)
    assert pack(made) == (one.packed, port)
    assert to_system(made, IPV4) == (str(one), port)
    assert address_of(one.packed) == host.IpAddress_Ipv4((one.packed[0], one.packed[1], one.packed[2], one.packed[3]))
    with fails("invalid-argument"):
        to_system(made, IPV6)


@given(st.ip_addresses(v=6), ports, st.integers(0, 0xFFFFF), st.integers(0, 2**32 - 1))
def test_an_ipv6_address_is_the_same_on_both_sides(
    one: ipaddress.IPv6Address, port: int, flow: int, scope: int
) -> None:
    made = to_wasi((str(one), port, flow, scope))
    assert pack(made) == (one.packed, port)
    if one.ipv4_mapped is None:
        assert to_wasi(to_system(made, IPV6)) == made
        assert isinstance(address_of(one.packed), host.IpAddress_Ipv6)
    with fails("invalid-argument"):
        to_system(made, IPV4)


@given(st.ip_addresses(v=4), ports)
def test_an_ipv4_address_in_the_clothes_of_ipv6_is_not_taken_for_one(one: ipaddress.IPv4Address, port: int) -> None:
    mapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + one.packed)
    with fails("invalid-argument"):
        to_system(to_wasi((str(mapped), port, 0, 0)), IPV6)
    assert address_of(mapped.packed) == address_of(one.packed)


@given(st.ip_addresses(), ports)
def test_a_remote_address_has_a_host_and_a_port(one: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    family = IPV4 if one.version == 4 else IPV6
    usable = bool(port) and not one.is_unspecified and (one.version == 4 or one.ipv4_mapped is None)
    try:
        to_remote(address(str(one), port), family)
    except host.NetworkErrorCodeException as error:
        assert error.value is Code.INVALID_ARGUMENT and not usable
    else:
        assert usable


@given(st.ip_addresses())
def test_unicast_is_neither_multicast_nor_broadcast(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert is_unicast(one.packed) is not (one.is_multicast or str(one) == "255.255.255.255")


@pytest.mark.parametrize(
    "name, code",
    [
        ("EACCES", Code.ACCESS_DENIED),
        ("ECONNREFUSED", Code.CONNECTION_REFUSED),
        ("ENETUNREACH", Code.REMOTE_UNREACHABLE),
        ("EMFILE", Code.NEW_SOCKET_LIMIT),
        ("EAGAIN", Code.WOULD_BLOCK),
        ("EMSGSIZE", Code.DATAGRAM_TOO_LARGE),
        ("EILSEQ", Code.UNKNOWN),
    ],
)
def test_errors_of_the_system_have_names_in_wasi(name: str, code: Code) -> None:
    number = getattr(errno, name)
    assert code_of(OSError(number, "")) is code
    assert code_of(OSError(number, ""), {number: Code.TIMEOUT}) is Code.TIMEOUT
    assert code_of(OSError("without a number")) is Code.UNKNOWN


def test_a_network_of_another_host_is_refused() -> None:
    class Foreign:
        pass

    sockets = everything()
    made = sockets.create_tcp_socket(IPV4)
    with fails("invalid-argument"):
        made.start_connect(Foreign(), address("127.0.0.1", 80))
    with fails("invalid-argument"):
        sockets.resolve_addresses(Foreign(), "localhost")


def test_a_grant_is_all_that_sockets_need() -> None:
    granted = wasi.provider(sockets=everything())
    assert not granted.withheld & {"wasi:sockets", "wasi:io"}
    assert "wasi:filesystem" in granted.withheld
