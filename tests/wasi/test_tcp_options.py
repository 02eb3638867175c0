"""Options of TCP sockets: what is set is there, clamped as the system does it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wasi.network import (
    IPV4,
    accepted,
    bound,
    connected,
    everything,
    fails,
    families,
    port_of,
)

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
