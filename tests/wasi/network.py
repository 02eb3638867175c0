"""What tests of sockets share: addresses, networks, the codes of errors, and sockets in the states that they need."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from witgen import wasi
from witgen.wasi.bindings import host
from witgen.wasi.network import to_wasi
from witgen.wasi.poll import Pollable

IPV4 = host.IpAddressFamily.IPV4
IPV6 = host.IpAddressFamily.IPV6


def address(text: str, port: int, scope: int = 0) -> host.IpSocketAddress:
    """An address of either family."""
    return to_wasi((text, port, 0, scope) if ":" in text else (text, port))


def port_of(found: host.IpSocketAddress) -> int:
    return found.value.port


def everything(**limits: Any) -> wasi.Sockets:
    """A grant of all there is."""
    return wasi.Sockets(connect=["*:*"], bind=["*:*"], lookup=True, **limits)


@contextlib.contextmanager
def fails(code: str) -> Iterator[None]:
    """Expects the error code of this name, as WIT spells it."""
    with pytest.raises(host.NetworkErrorCodeException) as caught:
        yield
    assert caught.value.value.name.lower().replace("_", "-") == code


def wait_for(resource: Any) -> None:
    """Blocks on the pollable of a resource, as a guest would, and drops it."""
    pollable = resource.subscribe()
    pollable.block()
    pollable.close()


def is_ready(resource: Any) -> bool:
    pollable: Pollable = resource.subscribe()
    try:
        return pollable.ready()
    finally:
        pollable.close()


def bound(sockets: wasi.Sockets, text: str = "127.0.0.1", port: int = 0, protocol: str = "tcp") -> Any:
    """A socket that is bound to an address."""
    create = sockets.create_tcp_socket if protocol == "tcp" else sockets.create_udp_socket
    made: Any = create(IPV6 if ":" in text else IPV4)
    made.start_bind(sockets.instance_network(), address(text, port))
    made.finish_bind()
    return made


def listening(sockets: wasi.Sockets, text: str = "127.0.0.1", port: int = 0) -> Any:
    """A socket that listens, at any free port if none is given."""
    made = bound(sockets, text, port)
    made.start_listen()
    made.finish_listen()
    return made


def connected(sockets: wasi.Sockets, text: str, port: int) -> tuple[Any, Any, Any]:
    """A socket that is connected, and its streams."""
    made: Any = sockets.create_tcp_socket(IPV6 if ":" in text else IPV4)
    made.start_connect(sockets.instance_network(), address(text, port))
    wait_for(made)
    return made, *made.finish_connect()


def accepted(listener: Any) -> tuple[Any, Any, Any]:
    """The next connection of a listener, and its streams."""
    wait_for(listener)
    found: tuple[Any, Any, Any] = listener.accept()
    return found


@contextlib.contextmanager
def peer(sockets: wasi.Sockets) -> Iterator[tuple[socket.socket, tuple[Any, Any, Any]]]:
    """An ordinary socket of Python, and the socket and streams of WASI that are connected with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = connected(sockets, *server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            theirs.settimeout(30)
            yield theirs, ours


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc on this machine")
families = pytest.mark.parametrize("text", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])


def close_all(*resources: Any) -> None:
    for resource in resources:
        resource.close()


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def descriptors() -> int:
    """As `open_descriptors`, when the garbage is gone."""
    gc.collect()
    return open_descriptors()


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread
