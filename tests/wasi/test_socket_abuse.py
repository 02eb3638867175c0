"""Sockets in the hands of a guest that calls anything at any time: it is told what is wrong, and harms nobody."""

from __future__ import annotations

import contextlib
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wasi.network import (
    IPV4,
    accepted,
    address,
    bound,
    close_all,
    connected,
    everything,
    listening,
    needs_proc,
    open_descriptors,
    port_of,
)
from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.bindings import host

#: The methods of resources, and `close`.
METHODS = {
    "tcp-socket": [
        "start_bind", "finish_bind", "start_connect", "finish_connect", "start_listen", "finish_listen", "accept",
        "local_address", "remote_address", "is_listening", "shutdown", "set_listen_backlog_size", "set_hop_limit",
        "keep_alive_idle_time", "set_send_buffer_size", "subscribe", "close",
    ],
    "udp-socket": [
        "start_bind", "finish_bind", "stream", "local_address", "remote_address", "set_unicast_hop_limit", "subscribe",
        "close",
    ],
    "input-stream": ["read", "skip", "subscribe", "close"],
    "output-stream": ["check_write", "write", "write_zeroes", "flush", "splice", "subscribe", "close"],
    "incoming-datagram-stream": ["receive", "subscribe", "close"],
    "outgoing-datagram-stream": ["check_send", "send", "subscribe", "close"],
    "pollable": ["ready", "close"],
}  # fmt: skip
CALLS = sorted({name for names in METHODS.values() for name in names})
steps = st.tuples(st.sampled_from(CALLS), st.integers(0, 2**64 - 1))


class Guest:
    """What a guest holds handles to, by kind, and how it calls methods with arguments of the right types."""

    def __init__(self, sockets: wasi.Sockets, done: set[str] | None = None) -> None:
        self.network = sockets.instance_network()
        self.held: list[Any] = [sockets.create_tcp_socket(IPV4) for _ in range(3)]
        listener = listening(sockets)
        client = connected(sockets, "127.0.0.1", port_of(listener.local_address()))
        self.held += [bound(sockets), listener, *client, *accepted(listener)]
        datagrams = bound(sockets, protocol="udp")
        self.held += [sockets.create_udp_socket(IPV4), datagrams, *datagrams.stream(None)]
        #: The calls that have succeeded.
        self.done: set[str] = set() if done is None else done

    def call(self, name: str, number: int) -> None:
        """Calls a method of one of those that have it. It may fail with an error code, or trap; with nothing else."""
        if name == "splice" and not self.inputs():
            return
        fitting = [one for one in self.held if name in METHODS[one.kind]]
        if not fitting:
            return
        one = fitting[number % len(fitting)]
        with contextlib.suppress(rt.Err, rt.Trap):
            result = getattr(one, name)(*self.arguments(name, number))
            self.done.add(name)
            if name == "close":
                self.held.remove(one)
            if name in ("finish_connect", "accept", "stream"):
                self.held += result
            if name == "subscribe":
                self.held.append(result)

    def arguments(self, name: str, number: int) -> list[Any]:
        match name:
            case "start_bind" | "start_connect":
                return [self.network, self.address(number)]
            case "stream":
                return [self.address(number) if number % 3 else None]
            case "send":
                return [[host.OutgoingDatagram(b"x", self.address(number)), host.OutgoingDatagram(b"y", None)]]
            case "write":
                return [bytes(number % 100_000)]
            case "write_zeroes":
                return [number % 100_000]
            case "shutdown":
                return [list(host.ShutdownType)[number % 3]]
            case "splice":
                return [self.inputs()[number % len(self.inputs())], number]
            case "set_hop_limit" | "set_unicast_hop_limit":
                return [number & 255]
            case "read" | "skip" | "receive" | "set_listen_backlog_size" | "set_send_buffer_size":
                return [number]
            case _:
                return []

    def inputs(self) -> list[Any]:
        return [one for one in self.held if one.kind == "input-stream"]

    def address(self, number: int) -> host.IpSocketAddress:
        """An address: that of a socket of the guest, any free one, or one that is good for nothing."""
        sockets = [one for one in self.held if one.kind in ("tcp-socket", "udp-socket")]
        if sockets and number % 4:
            with contextlib.suppress(rt.Err):
                return address("127.0.0.1", port_of(sockets[number // 4 % len(sockets)].local_address()))
        return address(["127.0.0.1", "0.0.0.0", "224.0.0.1"][number // 4 % 3], 0)


@needs_proc
@settings(deadline=None, max_examples=100)
@given(st.lists(steps, max_size=60))
def test_whatever_a_guest_calls_it_gets_an_error_code_or_a_trap(calls: list[tuple[str, int]]) -> None:
    before = open_descriptors()
    guest = Guest(everything(max_sockets=20))
    for name, number in calls:
        guest.call(name, number)
    # Children first, as the handles of an instance would have to be dropped.
    close_all(*[one for one in guest.held if one.kind == "pollable"])
    close_all(*[one for one in guest.held if one.kind != "pollable"])
    assert open_descriptors() <= before


def test_the_calls_that_are_tried_are_calls_that_can_succeed() -> None:
    done: set[str] = set()
    chosen = random.Random(1)
    for _ in range(600):
        guest = Guest(everything(max_sockets=20), done)
        for _ in range(60):
            guest.call(chosen.choice(CALLS), chosen.getrandbits(64))
    assert done == set(CALLS)
