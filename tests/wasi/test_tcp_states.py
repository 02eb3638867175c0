"""What a TCP socket does in which state, which addresses and which rules it goes by."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.wasi.network import (
    IPV4,
    IPV6,
    accepted,
    address,
    bound,
    close_all,
    connected,
    everything,
    fails,
    is_ready,
    listening,
    needs_ipv6,
    peer,
    port_of,
    wait_for,
)
from witgen import wasi
from witgen.wasi.bindings import host

BOTH = host.ShutdownType.BOTH


# States


def test_an_operation_that_was_not_started_can_not_be_finished() -> None:
    made: Any = everything().create_tcp_socket(IPV4)
    for finish in (made.finish_bind, made.finish_connect, made.finish_listen):
        with fails("not-in-progress"):
            finish()


def test_one_operation_at_a_time() -> None:
    sockets = everything()
    made: Any = sockets.create_tcp_socket(IPV4)
    made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    assert is_ready(made)
    with fails("concurrency-conflict"):
        made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    with fails("concurrency-conflict"):
        made.start_connect(sockets.instance_network(), address("127.0.0.1", 1))
    with fails("concurrency-conflict"):
        made.start_listen()
    with fails("invalid-state"):
        made.local_address()
    made.finish_bind()
    with fails("not-in-progress"):
        made.finish_bind()
    assert port_of(made.local_address())


def test_what_an_unbound_socket_can_not_do() -> None:
    made: Any = everything().create_tcp_socket(IPV4)
    calls = [made.start_listen, made.accept, made.local_address, made.remote_address, lambda: made.shutdown(BOTH)]
    for call in calls:
        with fails("invalid-state"):
            call()
    assert not made.is_listening()
    assert is_ready(made)


def test_what_a_listening_socket_can_not_do() -> None:
    sockets = everything()
    listener = listening(sockets)
    network, target = sockets.instance_network(), address("127.0.0.1", 1)
    calls = [lambda: listener.start_bind(network, target), lambda: listener.start_connect(network, target)]
    for call in [*calls, listener.start_listen, listener.remote_address, lambda: listener.shutdown(BOTH)]:
        with fails("invalid-state"):
            call()
    assert listener.is_listening()
    assert not is_ready(listener)
    with fails("would-block"):
        listener.accept()


def test_what_a_connected_socket_can_not_do() -> None:
    sockets = everything()
    with peer(sockets) as (_, (ours, _, _)):
        network, target = sockets.instance_network(), address("127.0.0.1", 1)
        calls = [lambda: ours.start_bind(network, target), lambda: ours.start_connect(network, target)]
        for call in [*calls, ours.start_listen, ours.accept, lambda: ours.set_listen_backlog_size(5)]:
            with fails("invalid-state"):
                call()


def test_a_failed_bind_may_be_tried_again() -> None:
    sockets = everything()
    listener = listening(sockets)
    made: Any = sockets.create_tcp_socket(IPV4)
    with fails("address-in-use"):
        made.start_bind(sockets.instance_network(), listener.local_address())
    with fails("address-not-bindable"):
        made.start_bind(sockets.instance_network(), address("192.0.2.200", 0))
    made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    made.finish_bind()


def test_a_bound_socket_connects_from_its_address() -> None:
    sockets = everything()
    listener = listening(sockets)
    made = bound(sockets)
    here = made.local_address()
    made.start_connect(sockets.instance_network(), listener.local_address())
    wait_for(made)
    made.finish_connect()
    assert accepted(listener)[0].remote_address() == made.local_address() == here


def test_a_port_can_be_bound_again_at_once() -> None:
    sockets = everything()
    listener = listening(sockets)
    port = port_of(listener.local_address())
    client = connected(sockets, "127.0.0.1", port)
    server = accepted(listener)
    close_all(*reversed(server), *reversed(client), listener)
    listening(sockets, port=port).close()


def test_a_refused_connection_closes_the_socket() -> None:
    sockets = everything()
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = address(*server.getsockname())
    made: Any = sockets.create_tcp_socket(IPV4)
    made.start_connect(sockets.instance_network(), target)
    wait_for(made)
    with fails("connection-refused"):
        made.finish_connect()
    for call in (made.local_address, made.hop_limit, made.keep_alive_enabled, made.start_listen):
        with fails("invalid-state"):
            call()
    assert is_ready(made)


def test_a_connection_in_progress_is_not_finished_early() -> None:
    sockets = everything()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # The queue of the listener is full: further connections have to wait.
        full = [socket.socket() for _ in range(4)]
        for waiting in full:
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        made: Any = sockets.create_tcp_socket(IPV4)
        made.start_connect(sockets.instance_network(), address(*server.getsockname()))
        if is_ready(made):
            pytest.skip("the system queues more connections than it was told to")
        with fails("would-block"):
            made.finish_connect()
        with fails("invalid-state"):
            made.set_listen_backlog_size(3)
        made.close()
        for waiting in full:
            waiting.close()


# Addresses


@pytest.mark.parametrize(
    "text, port",
    [("0.0.0.0", 80), ("127.0.0.1", 0), ("224.0.0.1", 80), ("255.255.255.255", 80), ("::1", 80)],
)
def test_what_is_no_remote_address(text: str, port: int) -> None:
    sockets = everything()
    made: Any = sockets.create_tcp_socket(IPV4)
    with fails("invalid-argument"):
        made.start_connect(sockets.instance_network(), address(text, port))
    # The socket is as it was.
    made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))


@needs_ipv6
@pytest.mark.parametrize("text", ["::", "ff02::1", "::ffff:127.0.0.1", "127.0.0.1"])
def test_what_is_no_remote_address_of_ipv6(text: str) -> None:
    sockets = everything()
    made: Any = sockets.create_tcp_socket(IPV6)
    with fails("invalid-argument"):
        made.start_connect(sockets.instance_network(), address(text, 80))


@needs_ipv6
def test_what_is_no_local_address() -> None:
    sockets = everything()
    for family, text in ((IPV4, "224.0.0.1"), (IPV4, "::1"), (IPV6, "::ffff:127.0.0.1"), (IPV6, "ff02::1")):
        made: Any = sockets.create_tcp_socket(family)
        with fails("invalid-argument"):
            made.start_bind(sockets.instance_network(), address(text, 0))


@needs_ipv6
def test_flow_information_that_does_not_fit_is_refused() -> None:
    sockets = everything()
    made: Any = sockets.create_tcp_socket(IPV6)
    odd = host.IpSocketAddress_Ipv6(host.Ipv6SocketAddress(80, 0xFFFFFFFF, (0, 0, 0, 0, 0, 0, 0, 1), 0))
    with fails("invalid-argument"):
        made.start_connect(sockets.instance_network(), odd)


@needs_ipv6
def test_a_socket_of_ipv6_leaves_ipv4_alone() -> None:
    sockets = everything()
    listener = listening(sockets, "::")
    listening(sockets, "0.0.0.0", port_of(listener.local_address()))


# Rules


def test_what_no_rule_allows_is_denied() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    sockets = wasi.Sockets(connect=[f"127.0.0.2:{port}", "[::/0]:*"], bind=["127.0.0.1:1-65535"])
    made: Any = sockets.create_tcp_socket(IPV4)
    network = sockets.instance_network()
    with fails("access-denied"):
        made.start_connect(network, address("127.0.0.1", port))
    with fails("access-denied"):
        made.start_bind(network, address("127.0.0.1", 0))
    with fails("access-denied"):
        made.start_bind(network, address("0.0.0.0", 8080))
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


def test_to_connect_from_any_port_needs_no_rule_to_bind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        close_all(*reversed(connected(wasi.Sockets(connect=[f"127.0.0.1:{port}"]), "127.0.0.1", port)))


def test_a_socket_stays_with_the_network_that_it_was_bound_to() -> None:
    one, other = everything(), everything()
    made = bound(one)
    with fails("invalid-argument"):
        made.start_connect(other.instance_network(), address("127.0.0.1", 80))


def test_there_are_no_more_sockets_than_are_granted() -> None:
    sockets = everything(max_sockets=3)
    listener = listening(sockets)
    client, *streams = connected(sockets, "127.0.0.1", port_of(listener.local_address()))
    third: Any = sockets.create_udp_socket(IPV4)
    with fails("new-socket-limit"):
        sockets.create_tcp_socket(IPV4)
    wait_for(listener)
    with fails("new-socket-limit"):
        listener.accept()
    third.close()
    server = accepted(listener)
    client.close()
    with fails("new-socket-limit"):
        sockets.create_tcp_socket(IPV4)
    close_all(*streams)
    sockets.create_tcp_socket(IPV4)
    close_all(*server)
