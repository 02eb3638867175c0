"""What the FTP component reaches of the network: those who have come to it, for as long as they are there."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from runner.ftp.sockets import FtpSockets
from runner.host.sockets import secure

from witgen.wasi.bindings import host
from witgen.wasi.network import to_wasi
from witgen.wasi.resource import Resource

DENIED = host.NetworkErrorCode.ACCESS_DENIED


class Served:
    """A client that has connected, and what the component has of it."""

    def __init__(self, sockets: FtpSockets, listening: socket.socket) -> None:
        self.sockets = sockets
        self.network = sockets.instance_network()
        own = sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
        own.start_bind(self.network, to_wasi(listening.getsockname()))
        own.finish_bind()
        own.start_listen()
        own.finish_listen()
        self.client = socket.create_connection(listening.getsockname(), 30)
        own.subscribe().block()
        self.accepted = own.accept()

    def leave(self) -> None:
        """Both sides let go of the connection."""
        self.client.close()
        for item in reversed(self.accepted):
            assert isinstance(item, Resource)
            item.close()

    def bind(self, address: str, port: int) -> host.NetworkErrorCode | None:
        """What the component is told when it binds a data socket."""
        return self._try(lambda own: own.start_bind(self.network, to_wasi((address, port))))

    def connect(self, address: str, port: int) -> host.NetworkErrorCode | None:
        """What it is told when it connects."""
        return self._try(lambda own: own.start_connect(self.network, to_wasi((address, port))))

    def _try(self, act: object) -> host.NetworkErrorCode | None:
        own = self.sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
        try:
            act(own)  # type: ignore[operator]
        except host.NetworkErrorCodeException as error:
            return error.value
        finally:
            assert isinstance(own, Resource)
            own.close()
        return None


@contextlib.contextmanager
def served(passive: tuple[int, int] | None, *, active: bool = True) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Served(FtpSockets([listening], passive, active=active, max_sockets=100), listening)
        yield found
        found.client.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_data_sockets_are_bound_in_the_range_and_where_the_client_has_come_to() -> None:
    port = free_port()
    with served((port, port)) as found:
        assert found.bind("127.0.0.1", port) is None
        assert found.bind("127.0.0.1", port + 1) == DENIED
        assert found.bind("127.0.0.1", 0) == DENIED
        assert found.bind("127.0.0.2", port) == DENIED
        assert found.bind("0.0.0.0", port) == DENIED


def test_without_a_range_nothing_is_bound() -> None:
    with served(None) as found:
        assert found.bind("127.0.0.1", free_port()) == DENIED


def test_only_clients_are_connected_to_and_no_services() -> None:
    with served(None) as found, socket.create_server(("127.0.0.1", 0)) as waiting:
        assert found.connect("127.0.0.1", waiting.getsockname()[1]) is None
        assert found.connect("127.0.0.1", 80) == DENIED
        assert found.connect("127.0.0.3", waiting.getsockname()[1]) == DENIED


def test_where_active_mode_is_off_nobody_is_connected_to() -> None:
    with served(None, active=False) as found, socket.create_server(("127.0.0.1", 0)) as waiting:
        assert found.connect("127.0.0.1", waiting.getsockname()[1]) == DENIED


def test_who_has_left_can_not_be_reached_any_more() -> None:
    port = free_port()
    with served((port, port)) as found, socket.create_server(("127.0.0.1", 0)) as waiting:
        found.leave()
        assert found.connect("127.0.0.1", waiting.getsockname()[1]) == DENIED
        assert found.bind("127.0.0.1", port) == DENIED


def test_all_who_understand_it_are_told() -> None:
    with served(None) as found:
        assert found.sockets.tell_all(b"421 Bye.\r\n") == 1
        assert found.client.recv(100) == b"421 Bye.\r\n"
        assert found.client.recv(100) == b""


def test_a_connection_with_tls_is_not_told_in_plain_text() -> None:
    with served(None) as found:
        secure(found.accepted[1])
        assert found.sockets.tell_all(b"421 Bye.\r\n") == 0


@pytest.mark.parametrize("count", [1, 3])
def test_a_peer_is_there_until_its_last_connection_ends(count: int) -> None:
    with served(None) as found, socket.create_server(("127.0.0.1", 0)) as waiting:
        clients = found.sockets._clients
        for _ in range(count):
            clients.come(b"\x7f\0\0\1", b"\x7f\0\0\1")
        found.leave()
        assert found.connect("127.0.0.1", waiting.getsockname()[1]) is None
        for _ in range(count):
            clients.go(b"\x7f\0\0\1", b"\x7f\0\0\1")
        assert found.connect("127.0.0.1", waiting.getsockname()[1]) == DENIED
