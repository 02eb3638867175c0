"""Where a listener listens, and how it fails to."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest
import runner.bindings.http_component as wit

from tests.runner.http.driver import LIMITS, SECOND, TIMEOUTS, imports, provider
from witgen import runtime as rt

Kind = wit.TypesErrorKind
LOOPBACK = (127, 0, 0, 1)


def config(port: int = 0, address: tuple[int, int, int, int] = LOOPBACK) -> wit.ListenConfig:
    where = wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(port, address))
    return wit.ListenConfig(where, 16, wit.Scheme.HTTP, LIMITS, TIMEOUTS)


@pytest.fixture
def guest(component: rt.Component) -> wit.HttpComponent:
    return wit.HttpComponent(component, imports(), providers=[provider(bind=["127.0.0.1:*", "[::1]:*", "192.0.2.1:*"])])


def failure(guest: wit.HttpComponent, config: wit.ListenConfig) -> wit.TypesError:
    with pytest.raises(wit.TypesErrorException) as caught:
        guest.server.start_listen(config)
    return caught.value.value


def test_port_0_is_any_free_port_that_the_listener_names(guest: wit.HttpComponent) -> None:
    with guest.server.start_listen(config()) as listener:
        address = listener.local_address()
        assert isinstance(address, wit.IpSocketAddress_Ipv4)
        assert address.value.address == LOOPBACK
        socket.create_connection(("127.0.0.1", address.value.port)).close()


def test_an_address_of_ipv6_is_listened_on(guest: wit.HttpComponent) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    where = wit.IpSocketAddress_Ipv6(wit.Ipv6SocketAddress(0, 0, (0, 0, 0, 0, 0, 0, 0, 1), 0))
    with guest.server.start_listen(replace(config(), address=where)) as listener:
        address = listener.local_address()
        assert isinstance(address, wit.IpSocketAddress_Ipv6)
        with socket.create_connection(("::1", address.value.port)):
            pollable: Any = listener.subscribe()
            pollable.block()
            (opened,) = guest.server.accept(listener, 8).opened
            assert isinstance(opened.peer, wit.IpSocketAddress_Ipv6)
            assert opened.local == address


def test_an_address_that_the_policy_forbids_is_denied(guest: wit.HttpComponent) -> None:
    assert failure(guest, config(address=(127, 0, 0, 2))).kind is Kind.DENIED


def test_an_address_in_use_is_transient(guest: wit.HttpComponent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert failure(guest, config(other.getsockname()[1])).kind is Kind.TRANSIENT


def test_an_address_that_the_host_does_not_have_is_permanent(guest: wit.HttpComponent) -> None:
    assert failure(guest, config(address=(192, 0, 2, 1))).kind is Kind.PERMANENT


@pytest.mark.parametrize("name", ["header", "content", "send", "idle"])
def test_a_time_out_of_0_is_refused(guest: wit.HttpComponent, name: str) -> None:
    wrong = replace(config(), timeouts=replace(TIMEOUTS, **{name: 0}))
    assert failure(guest, wrong).kind is Kind.INVALID_ARGUMENT


def test_a_batch_of_0_is_refused(guest: wit.HttpComponent) -> None:
    with guest.server.start_listen(config()) as listener:
        with pytest.raises(wit.TypesErrorException) as caught:
            guest.server.accept(listener, 0)
        assert caught.value.value.kind is Kind.INVALID_ARGUMENT


def test_one_instance_has_several_listeners(guest: wit.HttpComponent) -> None:
    with guest.server.start_listen(config()) as one, guest.server.start_listen(config()) as two:
        assert one.local_address() != two.local_address()
        guest.server.stop_listen(one, SECOND)
        assert [listener.status().stopping for listener in (one, two)] == [True, False]
