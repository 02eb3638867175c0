"""The Runner's sockets: what a component is told of a peer that takes nothing."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from runner.host import Outlet, PollSet
from runner.host.sockets import RunnerSockets

from witgen.wasi.bindings import host

V4 = host.IpAddressFamily.IPV4
SIZE = 64 << 20


@contextlib.contextmanager
def connection() -> Iterator[tuple[host.OutputStream, socket.socket]]:
    """What goes out of a connection that a component has accepted, and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        sockets = RunnerSockets([listening])
        listener = sockets.create_tcp_socket(V4)
        address = host.IpSocketAddress_Ipv4(host.Ipv4SocketAddress(port, (127, 0, 0, 1)))
        listener.start_bind(sockets.instance_network(), address)
        listener.finish_bind()
        listener.start_listen()
        listener.finish_listen()
        with socket.create_connection(("127.0.0.1", port), 10) as peer:
            listener.subscribe().block()
            accepted, read, write = listener.accept()
            yield write, peer
            del read, write, accepted


def fill(write: host.OutputStream, source: Outlet) -> None:
    """Moves bytes until there is no room for more."""
    for _ in range(1000):
        if not write.check_write():
            return
        write.splice(source, SIZE)
    pytest.fail("there is room without end")


@pytest.fixture
def poll_set() -> Iterator[PollSet]:
    made = PollSet()
    yield made
    made.close()


def test_a_component_waits_for_a_peer_that_takes_nothing_and_goes_on_when_it_does(poll_set: PollSet) -> None:
    source = Outlet()
    source.feed(bytes(SIZE))
    source.finish()
    with connection() as (write, peer):
        fill(write, source)
        assert 0 < source.held < SIZE
        poll_set.add(1, write.subscribe())
        assert not poll_set.wait(0.05)
        received = 0
        buffer = bytearray(1 << 20)
        peer.settimeout(10)
        while received < SIZE:
            if source.held and poll_set.woken() and list(poll_set.take([], 1)) == [1]:
                assert write.check_write()
                write.splice(source, SIZE)
                poll_set.take([1], 0)
            received += peer.recv_into(buffer)
        assert received == SIZE


def test_who_does_not_wait_but_asks_again_hears_of_room_too() -> None:
    source = Outlet()
    source.feed(bytes(SIZE))
    with connection() as (write, peer):
        fill(write, source)
        assert not write.check_write()
        while not write.check_write():
            peer.recv(1 << 20)
            time.sleep(0.001)
        assert write.splice(source, SIZE)
