"""UDP sockets of WASI, without a guest, against sockets of the operating system."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.wasi.network import (
    IPV4,
    IPV6,
    address,
    bound,
    close_all,
    descriptors,
    everything,
    fails,
    families,
    is_ready,
    needs_ipv6,
    needs_proc,
    port_of,
    wait_for,
)
from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.bindings import host


def datagram(data: bytes, to: host.IpSocketAddress | None = None) -> host.OutgoingDatagram:
    return host.OutgoingDatagram(data, to)


def send(outgoing: Any, *datagrams: host.OutgoingDatagram) -> int:
    assert outgoing.check_send() >= len(datagrams)
    sent: int = outgoing.send(list(datagrams))
    return sent


def receive(incoming: Any, most: int = 16) -> list[bytes]:
    wait_for(incoming)
    return [found.data for found in incoming.receive(most)]


def udp(sockets: wasi.Sockets, text: str = "127.0.0.1", port: int = 0) -> Any:
    return bound(sockets, text, port, protocol="udp")


@pytest.fixture
def theirs() -> Any:
    """An ordinary socket of Python."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(30)
        yield made


@families
def test_two_sockets_talk(text: str) -> None:
    sockets = everything()
    one, other = udp(sockets, text), udp(sockets, text)
    (one_in, one_out), (other_in, other_out) = one.stream(None), other.stream(None)
    assert send(one_out, datagram(b"a", other.local_address()), datagram(b"", other.local_address())) == 2
    wait_for(other_in)
    first, second = other_in.receive(10)
    assert (first.data, second.data) == (b"a", b"")
    assert first.remote_address == one.local_address()
    assert send(other_out, datagram(b"b", first.remote_address)) == 1
    assert receive(one_in) == [b"b"]
    assert one.address_family() is (IPV6 if ":" in text else IPV4)


def test_nothing_is_received_where_nothing_is_there() -> None:
    incoming, _ = udp(everything()).stream(None)
    assert incoming.receive(10) == []
    assert not is_ready(incoming)


def test_no_more_is_received_than_was_asked_for(theirs: socket.socket) -> None:
    ours = udp(everything())
    incoming, _ = ours.stream(None)
    for number in range(40):
        theirs.sendto(bytes([number]), ("127.0.0.1", port_of(ours.local_address())))
    assert receive(incoming, 0) == []
    assert receive(incoming, 3) == [b"\0", b"\1", b"\2"]
    found: list[bytes] = []
    while len(found) < 37:
        found += receive(incoming, 2**64 - 1)
    assert found == [bytes([number]) for number in range(3, 40)]


def test_a_socket_with_a_peer_hears_that_one_alone(theirs: socket.socket) -> None:
    ours = udp(everything())
    here = ("127.0.0.1", port_of(ours.local_address()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"before", here)
        incoming, outgoing = ours.stream(address(*theirs.getsockname()))
        stranger.sendto(b"after", here)
        theirs.sendto(b"peer", here)
        assert receive(incoming) == [b"peer"]
    assert ours.remote_address() == address(*theirs.getsockname())
    assert send(outgoing, datagram(b"one"), datagram(b"two", ours.remote_address())) == 2
    assert [theirs.recv(10), theirs.recv(10)] == [b"one", b"two"]
    with fails("invalid-argument"):
        send(outgoing, datagram(b"x", address("127.0.0.1", 1)))


def test_the_peer_may_change_and_go(theirs: socket.socket) -> None:
    sockets = everything()
    ours, other = udp(sockets), udp(sockets)
    here = ours.local_address()
    ours.set_unicast_hop_limit(9)
    old = ours.stream(address(*theirs.getsockname()))
    newer = ours.stream(other.local_address())
    other_in, other_out = other.stream(None)
    assert send(newer[1], datagram(b"to other")) == 1
    assert receive(other_in) == [b"to other"]
    incoming, outgoing = ours.stream(None)
    with fails("invalid-state"):
        ours.remote_address()
    assert ours.local_address() == here
    assert ours.unicast_hop_limit() == 9
    theirs.sendto(b"again", ("127.0.0.1", port_of(here)))
    send(other_out, datagram(b"both", here))
    assert sorted(receive(incoming, 1) + receive(incoming, 1)) == [b"again", b"both"]
    for old_in, old_out in (old, newer):
        with fails("invalid-state"):
            old_in.receive(1)
        with fails("invalid-state"):
            old_out.check_send()
        assert is_ready(old_in) and is_ready(old_out)
    assert send(outgoing, datagram(b"x", address(*theirs.getsockname()))) == 1


def test_a_port_that_was_freed_of_its_peer_is_not_shared_with_others(theirs: socket.socket) -> None:
    ours = udp(everything())
    ours.stream(address(*theirs.getsockname()))
    ours.stream(None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError):
            thief.bind(("127.0.0.1", port_of(ours.local_address())))


def test_a_peer_that_does_not_listen_is_reported() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        target = address(*gone.getsockname())
    incoming, outgoing = udp(everything()).stream(target)
    send(outgoing, datagram(b"x"))
    wait_for(incoming)
    with fails("connection-refused"):
        incoming.receive(1)
    assert incoming.receive(1) == []


def test_a_datagram_that_is_too_large_is_refused(theirs: socket.socket) -> None:
    target = address(*theirs.getsockname())
    _, outgoing = udp(everything()).stream(None)
    with fails("datagram-too-large"):
        send(outgoing, datagram(bytes(70_000), target))
    assert send(outgoing, datagram(b"first", target), datagram(bytes(70_000), target), datagram(b"x", target)) == 1
    assert send(outgoing, datagram(bytes(60_000), target)) == 1
    assert theirs.recv(100) == b"first"
    assert len(theirs.recv(1 << 16)) == 60_000


def test_to_send_more_than_was_permitted_traps(theirs: socket.socket) -> None:
    target = address(*theirs.getsockname())
    _, outgoing = udp(everything()).stream(None)
    assert outgoing.send([]) == 0
    with pytest.raises(rt.Trap, match="1 datagrams are more than the 0"):
        outgoing.send([datagram(b"x", target)])
    permit = outgoing.check_send()
    with pytest.raises(rt.Trap):
        outgoing.send([datagram(b"x", target)] * (permit + 1))
    assert outgoing.send([datagram(b"x", target)] * permit) == permit
    with pytest.raises(rt.Trap):
        outgoing.send([datagram(b"x", target)])


@pytest.mark.parametrize("text, port", [("0.0.0.0", 80), ("127.0.0.1", 0), ("::1", 80)])
def test_what_is_no_destination(text: str, port: int) -> None:
    ours = udp(everything())
    with fails("invalid-argument"):
        ours.stream(address(text, port))
    _, outgoing = ours.stream(None)
    with fails("invalid-argument"):
        send(outgoing, datagram(b"x", address(text, port)))
    with fails("invalid-argument"):
        send(outgoing, datagram(b"x"))


@needs_ipv6
def test_ipv4_is_not_reached_through_ipv6() -> None:
    _, outgoing = udp(everything(), "::").stream(None)
    with fails("invalid-argument"):
        send(outgoing, datagram(b"x", address("::ffff:127.0.0.1", 80)))


def test_where_no_rule_allows_to_send_nothing_is_sent(theirs: socket.socket) -> None:
    port = theirs.getsockname()[1]
    sockets = wasi.Sockets(connect=[f"tcp://127.0.0.1:{port}", f"udp://127.0.0.2:{port}"], bind=["127.0.0.1:0"])
    ours = udp(sockets)
    with fails("access-denied"):
        ours.stream(address("127.0.0.1", port))
    incoming, outgoing = ours.stream(None)
    with fails("access-denied"):
        send(outgoing, datagram(b"x", address("127.0.0.1", port)))
    # Who may bind may listen, to anybody.
    theirs.sendto(b"hello", ("127.0.0.1", port_of(ours.local_address())))
    assert receive(incoming) == [b"hello"]


def test_to_bind_needs_a_rule() -> None:
    sockets = wasi.Sockets(connect=["*:*"], bind=["tcp://*:*", "udp://127.0.0.1:0"])
    made: Any = sockets.create_udp_socket(IPV4)
    with fails("access-denied"):
        made.start_bind(sockets.instance_network(), address("0.0.0.0", 0))
    made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))


def test_the_states_of_a_socket() -> None:
    sockets = everything()
    made: Any = sockets.create_udp_socket(IPV4)
    with fails("invalid-state"):
        made.stream(None)
    with fails("invalid-state"):
        made.local_address()
    with fails("not-in-progress"):
        made.finish_bind()
    made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    with fails("concurrency-conflict"):
        made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    with fails("invalid-state"):
        made.stream(None)
    assert is_ready(made)
    made.finish_bind()
    with fails("invalid-state"):
        made.start_bind(sockets.instance_network(), address("127.0.0.1", 0))
    other: Any = sockets.create_udp_socket(IPV4)
    with fails("address-in-use"):
        other.start_bind(sockets.instance_network(), made.local_address())
    with fails("address-not-bindable"):
        other.start_bind(sockets.instance_network(), address("192.0.2.200", 0))


@families
def test_an_option_is_what_it_was_set_to(text: str) -> None:
    made = udp(everything(), text)
    for name, value in (("unicast_hop_limit", 3), ("receive_buffer_size", 30000), ("send_buffer_size", 30000)):
        getattr(made, f"set_{name}")(value)
        assert getattr(made, name)() == value
        with fails("invalid-argument"):
            getattr(made, f"set_{name}")(0)


def test_streams_go_on_when_their_socket_is_dropped(theirs: socket.socket) -> None:
    ours = udp(everything())
    _, outgoing = ours.stream(None)
    ours.close()
    assert send(outgoing, datagram(b"x", address(*theirs.getsockname()))) == 1
    assert theirs.recv(10) == b"x"


@needs_proc
def test_descriptors_are_closed_when_handles_are_dropped(theirs: socket.socket) -> None:
    sockets = everything(max_sockets=1)
    before = descriptors()
    for _ in range(3):
        ours = udp(sockets)
        pairs = [ours.stream(None), ours.stream(address(*theirs.getsockname())), ours.stream(None)]
        close_all(*pairs[0], ours, *pairs[1], *pairs[2])
    assert descriptors() == before
