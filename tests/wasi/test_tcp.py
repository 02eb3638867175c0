"""TCP sockets of WASI, without a guest, against sockets of the operating system."""

from __future__ import annotations

import os
import socket
import struct
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
    descriptors,
    everything,
    fails,
    families,
    in_thread,
    is_ready,
    listening,
    needs_ipv6,
    needs_proc,
    peer,
    port_of,
    wait_for,
)
from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.bindings import host
from witgen.wasi.clocks import Clocks
from witgen.wasi.io import IoError
from witgen.wasi.poll import Poll

SEND, RECEIVE, BOTH = host.ShutdownType.SEND, host.ShutdownType.RECEIVE, host.ShutdownType.BOTH


def is_closed(call: Any, *arguments: Any) -> bool:
    try:
        call(*arguments)
    except host.StreamErrorException as error:
        return isinstance(error.value, host.StreamError_Closed)
    return False


def receive_all(theirs: socket.socket) -> bytes:
    found = bytearray()
    while data := theirs.recv(1 << 16):
        found += data
    return bytes(found)


def send_back(theirs: socket.socket) -> None:
    while data := theirs.recv(10_000):
        theirs.sendall(data)


# Connections


@families
def test_two_sockets_talk(text: str) -> None:
    sockets = everything()
    listener = listening(sockets, text)
    client, client_in, client_out = connected(sockets, text, port_of(listener.local_address()))
    server, server_in, server_out = accepted(listener)
    client_out.blocking_write_and_flush(b"ping")
    assert server_in.blocking_read(10) == b"ping"
    server_out.blocking_write_and_flush(b"pong")
    assert client_in.blocking_read(10) == b"pong"
    assert client.remote_address() == listener.local_address() == server.local_address()
    assert client.local_address() == server.remote_address()
    assert server.address_family() is client.address_family() is (IPV6 if ":" in text else IPV4)
    close_all(client_in, client_out, client, server_in, server_out, server, listener)


def test_a_read_gives_what_is_there_and_does_not_wait() -> None:
    with peer(everything()) as (theirs, (_, incoming, _)):
        assert incoming.read(10) == b""
        assert not is_ready(incoming)
        theirs.sendall(b"abcdef")
        wait_for(incoming)
        assert incoming.read(4) == b"abcd"
        assert incoming.skip(10) == 2
        assert incoming.read(10) == b""
        assert incoming.read(0) == b""


def test_the_end_of_one_direction_leaves_the_other_open() -> None:
    with peer(everything()) as (theirs, (_, incoming, outgoing)):
        theirs.shutdown(socket.SHUT_WR)
        assert is_closed(incoming.blocking_read, 1)
        outgoing.blocking_write_and_flush(b"still here")
        assert theirs.recv(100) == b"still here"


def test_to_shut_down_sending_tells_the_peer_after_all_that_was_written() -> None:
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        outgoing.blocking_write_and_flush(b"last words")
        ours.shutdown(SEND)
        ours.shutdown(SEND)
        assert is_closed(outgoing.check_write)
        assert is_closed(outgoing.blocking_write_and_flush, b"x")
        assert theirs.recv(100) == b"last words"
        assert theirs.recv(100) == b""
        theirs.sendall(b"answer")
        assert incoming.blocking_read(100) == b"answer"


def test_to_shut_down_receiving_throws_away_what_is_there() -> None:
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        theirs.sendall(b"unread")
        wait_for(incoming)
        ours.shutdown(RECEIVE)
        assert is_closed(incoming.read, 10)
        assert is_ready(incoming)
        outgoing.blocking_write_and_flush(b"x")
        assert theirs.recv(1) == b"x"


def test_to_shut_down_both_closes_both_streams() -> None:
    with peer(everything()) as (_, (ours, incoming, outgoing)):
        ours.shutdown(BOTH)
        assert is_closed(incoming.read, 1)
        assert is_closed(outgoing.check_write)


def test_to_drop_the_output_tells_the_peer() -> None:
    with peer(everything()) as (theirs, (_, incoming, outgoing)):
        outgoing.blocking_write_and_flush(b"x")
        outgoing.close()
        assert theirs.recv(10) == b"x"
        assert theirs.recv(10) == b""
        theirs.sendall(b"y")
        assert incoming.blocking_read(10) == b"y"


def test_streams_go_on_when_their_socket_is_dropped() -> None:
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        ours.close()
        theirs.sendall(b"x")
        assert incoming.blocking_read(10) == b"x"
        outgoing.blocking_write_and_flush(b"y")
        assert theirs.recv(10) == b"y"
        close_all(incoming, outgoing)
        assert theirs.recv(10) == b""


def test_a_reset_is_an_error_with_its_code_and_then_the_stream_is_closed() -> None:
    with peer(everything()) as (theirs, (_, incoming, _)):
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        with pytest.raises(host.StreamErrorException) as caught:
            incoming.blocking_read(1)
        assert isinstance(caught.value.value, host.StreamError_LastOperationFailed)
        reason = caught.value.value.value
        assert everything().network_error_code(reason) is host.NetworkErrorCode.CONNECTION_RESET
        assert "reset" in reason.to_debug_string()
        assert is_closed(incoming.read, 1)


def test_an_error_of_something_else_has_no_code_of_the_network() -> None:
    assert everything().network_error_code(IoError(ConnectionResetError(104, "no socket's"))) is None


def test_to_write_to_a_peer_that_is_gone_ends_in_an_error() -> None:
    with peer(everything()) as (theirs, (_, _, outgoing)):
        theirs.close()
        with pytest.raises(host.StreamErrorException):
            while True:
                outgoing.blocking_write_and_flush(b"x" * 4096)
        assert is_closed(outgoing.check_write)


# Back-pressure


def fill(outgoing: Any) -> int:
    """Writes until nothing more is permitted; gives how many bytes that were."""
    written = 0
    while permit := outgoing.check_write():
        outgoing.write(bytes([written >> 16 & 255]) * permit)
        written += permit
    return written


def test_a_peer_that_does_not_read_stops_the_writer() -> None:
    with peer(everything()) as (theirs, (_, _, outgoing)):
        written = fill(outgoing)
        assert not is_ready(outgoing)
        assert outgoing.check_write() == 0
        with pytest.raises(rt.Trap, match="1 bytes are more than the 0"):
            outgoing.write(b"x")
        received: list[bytes] = []
        reader = in_thread(lambda: received.append(receive_all(theirs)))
        wait_for(outgoing)
        assert outgoing.check_write() > 0
        outgoing.blocking_flush()
        outgoing.close()
        reader.join(30)
        assert len(received[0]) == written


def test_what_was_accepted_goes_out_while_the_guest_waits_for_the_answer() -> None:
    with peer(everything()) as (theirs, (_, incoming, outgoing)):
        written = fill(outgoing)

        def answer() -> None:
            received = 0
            while received < written:
                received += len(theirs.recv(1 << 16))
            theirs.sendall(b"got all of it")

        peer_thread = in_thread(answer)
        pollable, deadline = incoming.subscribe(), Clocks().monotonic.subscribe_duration(30 * 10**9)
        assert Poll().poll([deadline, pollable]) == [1]
        assert incoming.read(100) == b"got all of it"
        peer_thread.join(30)


def test_what_was_accepted_goes_out_before_the_end() -> None:
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        written = fill(outgoing)
        ours.shutdown(SEND)

        in_thread(lambda: theirs.sendall(str(len(receive_all(theirs))).encode()))
        assert incoming.blocking_read(100) == str(written).encode()


def test_a_part_is_not_taken_for_the_whole_when_the_writer_gives_up() -> None:
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        fill(outgoing)
        close_all(outgoing, incoming, ours)
        with pytest.raises(ConnectionResetError):
            while theirs.recv(1 << 16):
                pass


def test_a_part_is_not_taken_for_the_whole_when_the_writer_is_thrown_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = connected(everything(), *server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            fill(ours[2])
            del ours
            descriptors()
            with pytest.raises(ConnectionResetError):
                while theirs.recv(1 << 16):
                    pass


def test_bytes_arrive_in_order_whatever_the_pace() -> None:
    data = os.urandom(3_000_000)
    with peer(everything()) as (theirs, (ours, incoming, outgoing)):
        ours.set_send_buffer_size(5000)
        echo = in_thread(lambda: send_back(theirs))
        found, sent = bytearray(), 0
        both = [incoming.subscribe(), outgoing.subscribe()]
        while len(found) < len(data):
            for index in Poll().poll(both if sent < len(data) else both[:1]):
                if index:
                    permit = outgoing.check_write()
                    outgoing.write(data[sent : sent + permit])
                    sent += permit
                else:
                    found += incoming.read(1 << 16)
        assert found == data
        close_all(*both)
        ours.shutdown(SEND)
        echo.join(30)


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


# Options


OPTIONS = [
    ("keep_alive_idle_time", 20_000_000_000, 20_000_000_000),
    ("keep_alive_idle_time", 1, 1_000_000_000),
    ("keep_alive_idle_time", 2**64 - 1, 32767_000_000_000),
    ("keep_alive_interval", 1_500_000_000, 2_000_000_000),
    ("keep_alive_interval", 2**64 - 1, 32767_000_000_000),
    ("keep_alive_count", 7, 7),
    ("keep_alive_count", 2**32 - 1, 127),
    ("hop_limit", 1, 1),
    ("hop_limit", 255, 255),
    ("receive_buffer_size", 65536, 65536),
    ("send_buffer_size", 65536, 65536),
]


@families
@pytest.mark.parametrize("name, value, found", OPTIONS)
def test_an_option_is_what_it_was_set_to(text: str, name: str, value: int, found: int) -> None:
    made = bound(everything(), text)
    getattr(made, f"set_{name}")(value)
    assert getattr(made, name)() == found
    with fails("invalid-argument"):
        getattr(made, f"set_{name}")(0)
    assert getattr(made, name)() == found


def test_a_buffer_of_any_size_may_be_asked_for() -> None:
    made: Any = everything().create_tcp_socket(IPV4)
    for value in (1, 2**31, 2**64 - 1):
        made.set_receive_buffer_size(value)
        made.set_send_buffer_size(value)
        assert 0 < made.receive_buffer_size() < 2**31
    made.set_listen_backlog_size(2**64 - 1)
    with fails("invalid-argument"):
        made.set_listen_backlog_size(0)


def test_keep_alive_is_off_and_can_be_on() -> None:
    made: Any = everything().create_tcp_socket(IPV4)
    assert made.keep_alive_enabled() is False
    made.set_keep_alive_enabled(True)
    assert made.keep_alive_enabled() is True


def test_what_is_accepted_inherits_options() -> None:
    sockets = everything()
    listener = bound(sockets)
    listener.set_keep_alive_enabled(True)
    for name, value in (("keep_alive_count", 5), ("hop_limit", 42), ("receive_buffer_size", 30000)):
        getattr(listener, f"set_{name}")(value)
    listener.start_listen()
    listener.finish_listen()
    listener.set_listen_backlog_size(7)
    connected(sockets, "127.0.0.1", port_of(listener.local_address()))
    server = accepted(listener)[0]
    assert server.keep_alive_enabled()
    assert (server.keep_alive_count(), server.hop_limit(), server.receive_buffer_size()) == (5, 42, 30000)


# Nothing leaks


@needs_proc
def test_descriptors_are_closed_when_handles_are_dropped() -> None:
    sockets = everything()
    before = descriptors()
    listener = listening(sockets)
    for _ in range(3):
        client = connected(sockets, "127.0.0.1", port_of(listener.local_address()))
        server = accepted(listener)
        close_all(*client, *reversed(server))
    made: Any = sockets.create_tcp_socket(IPV4)
    with fails("access-denied"):
        made.start_bind(wasi.Sockets().instance_network(), address("127.0.0.1", 0))
    close_all(listener, made)
    assert descriptors() == before


@needs_proc
def test_descriptors_are_closed_when_an_instance_is_thrown_away() -> None:
    sockets = everything(max_sockets=3)
    before = descriptors()
    for _ in range(3):
        listener = listening(sockets)
        kept = [connected(sockets, "127.0.0.1", port_of(listener.local_address())), accepted(listener)]
        del listener, kept

    assert descriptors() == before
