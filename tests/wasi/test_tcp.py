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
    close_all,
    connected,
    descriptors,
    everything,
    fails,
    families,
    in_thread,
    is_ready,
    listening,
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
from witgen.wasi.system_socket import Slots

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


def test_garbage_that_is_collected_while_a_place_is_taken_gives_its_own_back() -> None:
    slots = Slots(1)

    def collect() -> None:
        with slots._lock:
            # As from the destructor of a socket, on the same thread.
            slots.give_back()

    in_thread(collect).join(30)
    slots.take()
    slots.take()
    with fails("new-socket-limit"):
        slots.take()
