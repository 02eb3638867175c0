"""Streams between a component and the host's own code."""

from __future__ import annotations

import pytest
from runner.host import Inlet, Outlet

from witgen import runtime as rt
from witgen.wasi.bindings import host


def is_closed(caught: pytest.ExceptionInfo[host.StreamErrorException]) -> bool:
    return isinstance(caught.value.value, host.StreamError_Closed)


def test_an_inlet_takes_no_more_than_its_capacity_until_the_host_reads() -> None:
    inlet = Inlet(10)
    assert inlet.check_write() == 10
    inlet.write(b"0123456")
    assert inlet.check_write() == 3
    inlet.write(b"789")
    assert inlet.check_write() == 0
    assert not inlet.subscribe().ready()
    with pytest.raises(rt.Trap):
        inlet.write(b"x")
    assert inlet.read() == b"0123456789"
    assert inlet.subscribe().ready()
    assert inlet.check_write() == 10


def test_an_inlet_tells_of_bytes_and_of_its_end() -> None:
    told: list[tuple[bytes, bool]] = []
    inlet = Inlet()
    inlet.heard = lambda: told.append((inlet.read(), inlet.ended))
    inlet.check_write()
    inlet.write(b"hello")
    inlet.flush()
    inlet.close()
    assert told == [(b"hello", False), (b"", True)]


def test_an_inlet_that_is_shut_takes_nothing_more() -> None:
    inlet = Inlet()
    inlet.check_write()
    inlet.write(b"hello")
    inlet.shut()
    assert inlet.read() == b""
    assert inlet.subscribe().ready()
    with pytest.raises(host.StreamErrorException) as caught:
        inlet.check_write()
    assert is_closed(caught)


def test_an_outlet_gives_what_it_was_fed_and_then_its_end() -> None:
    outlet = Outlet()
    assert outlet.read(10) == b""
    assert not outlet.subscribe().ready()
    outlet.feed(b"hello")
    outlet.feed(b"world")
    assert outlet.held == 10
    assert outlet.read(3) == b"hel"
    assert outlet.read(9) == b"lo"
    outlet.finish()
    assert outlet.read(9) == b"world"
    assert outlet.subscribe().ready()
    with pytest.raises(host.StreamErrorException) as caught:
        outlet.read(1)
    assert is_closed(caught)


def test_an_outlet_that_is_aborted_fails_after_what_it_was_fed() -> None:
    outlet = Outlet()
    outlet.feed(b"hello")
    outlet.abort("the disk is gone")
    assert outlet.read(9) == b"hello"
    with pytest.raises(host.StreamErrorException) as caught:
        outlet.read(1)
    assert not is_closed(caught)


def test_an_outlet_tells_when_bytes_were_taken_and_when_nobody_wants_more() -> None:
    told: list[tuple[int, bool]] = []
    outlet = Outlet()
    outlet.heard = lambda: told.append((outlet.held, outlet.ended))
    outlet.feed(b"hello")
    outlet.read(2)
    outlet.close()
    outlet.feed(b"more")
    assert told == [(3, False), (0, True)]
    assert outlet.held == 0


def test_a_listener_that_raises_does_not_reach_the_component() -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    inlet = Inlet(heard=broken)
    inlet.check_write()
    inlet.write(b"hello")
    assert inlet.read() == b"hello"
