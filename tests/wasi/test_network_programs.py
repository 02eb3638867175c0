"""Programs of Rust's standard library on the network that they are granted, and on wasmtime's own."""

from __future__ import annotations

import functools
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasmtime import component as wasm

from tests.wasi.network import descriptors, everything, has_ipv6, in_thread, needs_proc
from tests.wasi.network_program import NetworkProgram, NoFiles
from witgen import runtime as rt
from witgen import wasi
from witgen.binary import model


def receive_all(connection: socket.socket) -> bytes:
    found = bytearray()
    while data := connection.recv(1 << 16):
        found += data
    return bytes(found)


def send_all(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def serve_once(handle: Callable[[socket.socket], Any]) -> tuple[str, Any]:
    """A server of Python for one connection: its address, and the thread that ends when it has been handled."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                handle(connection)

    host, port = server.getsockname()
    return f"{host}:{port}", in_thread(run)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(1 << 16):
        connection.sendall(data)


# Servers and clients


@pytest.mark.parametrize("text", ["127.0.0.1", *(["[::1]"] if has_ipv6() else [])])
def test_a_server_of_a_guest_serves_clients_of_python(network_program: NetworkProgram, text: str) -> None:
    guest = network_program.start(wasi.Sockets(bind=[f"{text}:0"]), "serve", f"{text}:0", "3")
    port = guest.port()
    for size in (0, 5, 3_000_000):
        with socket.create_connection((text.strip("[]"), port)) as client:
            data = bytes(number % 251 for number in range(size))
            sender = in_thread(functools.partial(send_all, client, data))
            assert receive_all(client) == data
            sender.join(30)
    assert guest.end() == ["0", "5", "3000000"]


def test_a_client_of_a_guest_is_served_by_python(network_program: NetworkProgram) -> None:
    address, server = serve_once(echo)
    assert network_program.run(wasi.Sockets(connect=[address]), "talk", address, "how are you") == ["how are you"]
    server.join(30)


def test_two_guests_in_two_threads_talk(network_program: NetworkProgram) -> None:
    server = network_program.start(wasi.Sockets(bind=["127.0.0.1:0"]), "serve", "127.0.0.1:0", "4")
    address = f"127.0.0.1:{server.port()}"
    granted = wasi.Sockets(connect=[address])
    assert network_program.run(granted, "talk", address, "hello") == ["hello"]
    assert network_program.run(granted, "talk", address, "") == [""]
    client = network_program.start(granted, "exchange", address, "20")
    assert client.end() == ["true"]
    assert network_program.run(granted, "exchange", address, "3") == ["true"]
    assert server.end() == ["5", "0", "2000000", "300000"]


def test_all_that_a_guest_wrote_arrives_though_it_is_gone(network_program: NetworkProgram) -> None:
    found: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        written.wait(30)
        found.append(receive_all(connection))

    written = threading.Event()
    address, server = serve_once(handle)
    assert network_program.run(everything(), "push", address, "5") == ["all written"]
    written.set()
    server.join(30)
    assert found == [b"".join(bytes([number]) * 100_000 for number in range(5))]


def test_a_guest_waits_for_a_peer_that_does_not_read(network_program: NetworkProgram) -> None:
    written: list[int] = []

    def handle(connection: socket.socket) -> None:
        # What both ends hold is less than what the guest has to write.
        time.sleep(0.3)
        assert guest.is_running()
        written.append(len(receive_all(connection)))

    address, server = serve_once(handle)
    guest = network_program.start(everything(), "push", address, "300")
    assert guest.end() == ["all written"]
    server.join(60)
    assert written == [30_000_000]


# What goes wrong


def test_a_guest_is_told_that_nobody_listens(network_program: NetworkProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert network_program.run(everything(), "talk", f"127.0.0.1:{port}", "x") == ["ConnectionRefused"]


def test_a_guest_is_told_of_a_reset(network_program: NetworkProgram) -> None:
    connected = threading.Event()

    def handle(connection: socket.socket) -> None:
        connected.wait(30)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    address, server = serve_once(handle)
    guest = network_program.start(everything(), "pull", address)
    assert guest.line() == "connected"
    connected.set()
    server.join(30)
    # Which kind of error it makes of the code is up to the library of the programs.
    [kind] = guest.end()
    assert not kind.isdigit()


def test_a_guest_is_told_what_it_may_not_do(network_program: NetworkProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        granted = wasi.Sockets(connect=["127.0.0.1:1"], bind=["127.0.0.1:0"])
        assert network_program.run(granted, "talk", address, "x") == ["PermissionDenied"]
        assert network_program.run(granted, "bind", "0.0.0.0:0") == ["PermissionDenied"]
        assert network_program.run(granted, "ask", "127.0.0.1:0", address, "x") == ["PermissionDenied"]
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_guest_is_told_that_a_port_is_taken(network_program: NetworkProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert network_program.run(everything(), "bind", address) == ["AddrInUse"]


def test_a_guest_may_lose_patience(network_program: NetworkProgram) -> None:
    address, server = serve_once(lambda connection: connection.recv(1))
    assert network_program.run(everything(), "patience", address) == ["WouldBlock"]
    server.join(30)


def test_without_the_grant_a_program_does_not_link(network_program: NetworkProgram) -> None:
    granted = wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), cli=wasi.Cli(), filesystem=NoFiles())
    with pytest.raises(rt.LinkError, match=r"wasi:sockets/tcp@.*\n.*not granted|not granted"):
        wasi.Command(network_program.component, providers=[granted])


# Datagrams, names, options


def test_datagrams_go_both_ways(network_program: NetworkProgram) -> None:
    answering = network_program.start(everything(), "answer", "127.0.0.1:0", "3")
    address = f"127.0.0.1:{answering.port()}"
    granted = wasi.Sockets(connect=[f"udp://{address}"], bind=["udp://127.0.0.1:0"])
    assert network_program.run(granted, "ask", "127.0.0.1:0", address, "one", "", "three") == ["one", "", "three"]
    assert answering.end() == []


def test_names_are_resolved_as_far_as_they_are_granted(network_program: NetworkProgram) -> None:
    found = network_program.run(wasi.Sockets(lookup=["localhost"]), "resolve", "localhost:80")
    all_addresses = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    names = {str(address[0]) for *_, address in all_addresses}
    shown = sorted(f"[{name}]:80" if ":" in name else f"{name}:80" for name in names)
    assert found == [f"[{', '.join(shown)}]"]
    assert network_program.run(wasi.Sockets(), "resolve", "localhost:80") != found
    assert network_program.run(wasi.Sockets(), "resolve", "127.0.0.1:80") == ["[127.0.0.1:80]"]


def test_a_rule_by_name_is_all_that_a_client_needs(network_program: NetworkProgram) -> None:
    address, server = serve_once(echo)
    port = address.rpartition(":")[2]
    granted = wasi.Sockets(connect=[f"localhost:{port}"])
    assert network_program.run(granted, "talk", f"localhost:{port}", "hello") == ["hello"]
    server.join(30)


def test_options_of_the_library_are_served(network_program: NetworkProgram) -> None:
    address, server = serve_once(receive_all)
    assert network_program.run(everything(), "options", address) == ["77", "true", "None", "true", "true"]
    server.join(30)


@needs_proc
def test_programs_leave_no_descriptors_behind(network_program: NetworkProgram) -> None:
    before = descriptors()
    for _ in range(3):
        address, server = serve_once(echo)
        network_program.run(everything(), "talk", address, "x")
        server.join(30)
        network_program.run(everything(), "resolve", "localhost:1")
    assert descriptors() == before


# The second opinion


@pytest.mark.parametrize(
    "arguments",
    [
        ("talk", "127.0.0.1:9", "x"),
        ("bind", "127.0.0.1:0"),
        ("ask", "127.0.0.1:0", "127.0.0.1:9", "x"),
        ("resolve", "127.0.0.1:80"),
    ],
)
def test_what_is_not_granted_ends_as_on_the_wasi_of_wasmtime(
    network_program: NetworkProgram, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    # wasmtime-py has no word to grant a network, so the opinion is about refusals alone; it refuses sockets as such.
    assert network_program.run(wasi.Sockets(), *arguments) == _oracle(network_program, arguments, tmp_path)


def _oracle(program: NetworkProgram, arguments: tuple[str, ...], folder: Path) -> list[str]:
    """The lines that it prints on wasmtime's own WASI."""
    config = wasmtime.WasiConfig()
    config.argv = ["network", *arguments]
    config.stdout_file = folder / "out"
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    linker = wasm.Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, wasm.Component.from_file(engine, str(program.path)))
    [name] = [item.name for item in program.component.definition.definitions if isinstance(item, model.Export)]
    inner = instance.get_export_index(store, "run", instance.get_export_index(store, name))
    assert inner is not None
    run = instance.get_func(store, inner)
    assert run is not None
    run(store)
    return (folder / "out").read_text().splitlines()
