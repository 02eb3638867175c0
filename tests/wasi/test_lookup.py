"""Addresses of names: literals, the system's resolver, what may be asked for, and who waits for whom."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from tests.wasi.network import address, connected, descriptors, everything, fails, is_ready, needs_proc, wait_for
from witgen import wasi
from witgen.wasi import lookup
from witgen.wasi.bindings import host
from witgen.wasi.names import domain_name
from witgen.wasi.system_socket import Slots

LOOPBACK = host.IpAddress_Ipv4((127, 0, 0, 1))


def ask(sockets: wasi.Sockets, name: str) -> Any:
    return sockets.resolve_addresses(sockets.instance_network(), name)


def answers(stream: Any) -> list[host.IpAddress]:
    wait_for(stream)
    found = []
    while (one := stream.resolve_next_address()) is not None:
        found.append(one)
    return found


@pytest.mark.parametrize(
    "text, expected",
    [
        ("192.0.2.1", host.IpAddress_Ipv4((192, 0, 2, 1))),
        ("2001:db8::1", host.IpAddress_Ipv6((0x2001, 0xDB8, 0, 0, 0, 0, 0, 1))),
        ("::ffff:192.0.2.1", host.IpAddress_Ipv4((192, 0, 2, 1))),
    ],
)
def test_an_address_stands_for_itself_whatever_may_be_looked_up(text: str, expected: host.IpAddress) -> None:
    stream = ask(wasi.Sockets(), text)
    assert is_ready(stream)
    assert stream.resolve_next_address() == expected
    assert stream.resolve_next_address() is None
    assert stream.resolve_next_address() is None


def test_a_name_is_resolved_by_the_system() -> None:
    found = answers(ask(everything(), "LocalHost."))
    assert LOOPBACK in found
    assert len(found) == len(set(found))


def test_a_name_that_nobody_has_is_unresolvable() -> None:
    try:
        socket.getaddrinfo("nobody.invalid", None)
    except socket.gaierror as error:
        if error.errno != socket.EAI_NONAME:
            pytest.skip("this machine can't ask any resolver")
    stream = ask(everything(), "nobody.invalid")
    wait_for(stream)
    for _ in range(2):
        with fails("name-unresolvable"):
            stream.resolve_next_address()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a b",
        "a..b",
        "-a.b",
        "a-.b",
        "a\0b",
        "x" * 64,
        "1.2.3",
        "127.1",
        "0x7f000001",
        "[::1]",
        "a/b",
        "ا" * 64,
    ],
)
def test_what_is_no_name_is_an_invalid_argument(name: str) -> None:
    with fails("invalid-argument"):
        ask(everything(), name)


@pytest.mark.parametrize(
    "text, name",
    [
        ("EXAMPLE.org", "example.org"),
        ("example.org.", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b", "a_b"),
    ],
)
def test_names_have_one_spelling(text: str, name: str) -> None:
    assert domain_name(text) == name


def test_a_name_that_is_not_listed_is_denied() -> None:
    sockets = wasi.Sockets(lookup=["localhost"])
    with fails("access-denied"):
        ask(sockets, "localhost.example")
    with fails("access-denied"):
        ask(wasi.Sockets(connect=["*:*"]), "localhost")
    assert LOOPBACK in answers(ask(sockets, "localhost"))


def test_a_rule_by_name_opens_the_addresses_that_its_look_up_gave() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sockets = wasi.Sockets(connect=[f"localhost:{port}"])
        made: Any = sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
        with fails("access-denied"):
            made.start_connect(sockets.instance_network(), address("127.0.0.1", port))
        assert LOOPBACK in answers(ask(sockets, "localhost"))
        connected(sockets, "127.0.0.1", port)
        with fails("access-denied"):
            made.start_connect(sockets.instance_network(), address("127.0.0.2", port))


class Slow(lookup.Query):
    """A query that is answered when it is let go."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__("slow.example", Slots(1))
        self.go = go

    def run(self) -> None:
        self.go.wait(30)
        self.finish([b"\x7f\0\0\1"])


def test_a_slow_resolver_stops_nobody_who_does_not_wait_for_it() -> None:
    go = threading.Event()
    query = Slow(go)
    stream: Any = lookup.ResolveAddressStream(everything()._policy, query, [])
    lookup.Resolver(1).ask(query)
    assert not is_ready(stream)
    with fails("would-block"):
        stream.resolve_next_address()
    go.set()
    assert answers(stream) == [LOOPBACK]


def test_questions_beyond_the_number_of_threads_wait_for_their_turn() -> None:
    go = threading.Event()
    resolver = lookup.Resolver(2)
    queries = [Slow(go) for _ in range(5)]
    streams: list[Any] = [lookup.ResolveAddressStream(everything()._policy, query, []) for query in queries]
    for query in queries:
        resolver.ask(query)
    assert resolver._running == 2
    go.set()
    assert [answers(stream) for stream in streams] == [[LOOPBACK]] * 5


def test_there_are_no_more_look_ups_than_are_granted() -> None:
    sockets = everything(max_sockets=1)
    stream = ask(sockets, "localhost")
    wait_for(stream)
    made: Any = sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
    with fails("new-socket-limit"):
        ask(sockets, "localhost")
    made.close()


@needs_proc
def test_a_question_that_is_given_up_leaves_nothing_behind() -> None:
    sockets = everything()
    before = descriptors()
    for _ in range(20):
        ask(sockets, "localhost").close()
    last = [ask(sockets, "localhost") for _ in range(20)]
    for stream in last:
        assert answers(stream)
    del last, stream
    # Those that were given up may still be with the resolver, which can't be interrupted.
    end = time.monotonic() + 30
    while descriptors() != before and time.monotonic() < end:
        time.sleep(0.01)
    assert descriptors() == before
