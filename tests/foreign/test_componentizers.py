"""Components that other tools make of Python and JavaScript: many core modules and memories, and WASI by grant."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

import pytest

from witgen import runtime as rt
from witgen import wasi


class Counter:
    """A host resource."""

    def __init__(self, start: int) -> None:
        self.value = start

    def next(self) -> int:
        self.value += 1
        return self.value


class Host:
    """What the guests import."""

    counter = Counter

    def __init__(self, wit: ModuleType) -> None:
        self.wit = wit
        self.messages: list[str] = []
        self.raises: BaseException | None = None

    def log(self, message: str) -> None:
        self.messages.append(message)
        if self.raises is not None:
            raise self.raises

    def look_up(self, name: str) -> Any:
        if name == "gone":
            raise self.wit.ProblemException(self.wit.Problem.UNKNOWN)
        return self.wit.Point(1, 2.5, name)


class Running:
    """A guest with its host and what it prints."""

    def __init__(self, wit: ModuleType, guest: rt.Component) -> None:
        self.host, self.out, self.err = Host(wit), io.BytesIO(), io.BytesIO()
        provider = wasi.provider(
            clocks=wasi.Clocks(),
            random=wasi.Random(),
            cli=wasi.Cli(stdout=self.out, stderr=self.err),
            filesystem=wasi.Filesystem([]),
            sockets=wasi.Sockets(),
        )
        self.world = wit.Foreign(guest, wit.ForeignImports(host=self.host), providers=[provider])
        self.guest = self.world.guest


@pytest.fixture(scope="module")
def shared(wit: ModuleType, guest: rt.Component) -> Running:
    """An instance for tests that leave it as it was: interpreters take their time to start."""
    return Running(wit, guest)


@pytest.fixture
def running(wit: ModuleType, guest: rt.Component) -> Running:
    """An instance for tests that break it."""
    return Running(wit, guest)


def test_numbers_strings_and_bytes(wit: ModuleType, shared: Running) -> None:
    guest = shared.guest
    assert guest.add(2**32 - 1, 2) == 1
    assert shared.host.messages[-1] == "add 4294967295 2"
    assert guest.reverse(bytes(range(256)) * 100) == bytes(range(255, -1, -1)) * 100
    assert guest.reverse(bytearray(b"")) == b""
    values = (-128, 65535, -(2**63), 2**64 - 1, 1.5, True, "\U0001f600")
    assert guest.scalars(*values) == values


def test_records_variants_and_options(wit: ModuleType, shared: Running) -> None:
    guest = shared.guest
    assert guest.shift(wit.Point(-5, 0.5, "süß"), (3, 1.0)) == wit.Point(-2, 1.5, "SÜSS")
    assert guest.area(wit.Shape_Dot()) is None
    assert guest.area(wit.Shape_Circle(2.0)) == 12.0
    assert guest.area(wit.Shape_Path([wit.Point(0, 0.0, str(n)) for n in range(1000)])) == 1000.0
    for value in (None, rt.Some(None), rt.Some("x" * 10_000)):
        assert guest.nested(value) == value
    assert guest.toggle(wit.Access.READ, wit.Access.WRITE) == wit.Access.READ | wit.Access.WRITE | wit.Access.ADMIN


def test_errors_are_exceptions_on_both_sides(wit: ModuleType, shared: Running) -> None:
    assert shared.guest.find("here") == wit.Point(1, 2.5, "here")
    for name, problem in ("locked", wit.Problem.LOCKED), ("gone", wit.Problem.UNKNOWN):
        with pytest.raises(wit.ProblemException) as caught:
            shared.guest.find(name)
        assert caught.value.value is problem


def test_resources_of_both_sides(wit: ModuleType, shared: Running) -> None:
    guest = shared.guest
    counter = Counter(5)
    assert guest.count(counter, 3) == [6, 7, 8]
    assert guest.keep(counter) is counter and counter.value == 9
    one, two = guest.pile("a"), guest.pile("b")
    one.push(wit.Shape_Dot())
    two.push(wit.Shape_Circle(1.0))
    with guest.pile.merge(one, two) as merged:
        assert merged.shapes() == [wit.Shape_Dot(), wit.Shape_Circle(1.0)]
    with pytest.raises(rt.ResourceDropped):
        one.shapes()


def test_what_a_guest_prints_arrives(running: Running) -> None:
    running.guest.print("héllo")
    assert running.out.getvalue().decode() == "héllo\n"


def test_an_exception_of_the_guest_is_a_trap_with_its_words_on_stderr(running: Running) -> None:
    with pytest.raises(rt.Trap, match=r"demo:foreign/guest@0\.1\.0#fail: "):
        running.guest.fail()
    assert b"on purpose" in running.err.getvalue()
    with pytest.raises(rt.InstanceUnavailable, match="has trapped before"):
        running.guest.add(1, 2)


def test_an_exception_of_the_host_passes_through_the_interpreter_unchanged(running: Running) -> None:
    class Unusual(Exception):
        pass

    running.host.raises = Unusual("from the host")
    with pytest.raises(Unusual) as caught:
        running.guest.add(1, 2)
    assert caught.value is running.host.raises


@pytest.mark.parametrize("capability", ["clocks", "random", "cli", "filesystem"])
def test_a_capability_that_is_not_granted_keeps_the_guest_from_linking(
    wit: ModuleType, guest: rt.Component, capability: str
) -> None:
    given: dict[str, Any] = {
        "clocks": wasi.Clocks(),
        "random": wasi.Random(),
        "cli": wasi.Cli(),
        "filesystem": wasi.Filesystem([]),
        "sockets": wasi.Sockets(),
    }
    given[capability] = None
    with pytest.raises(rt.LinkError, match=f"wasi:{capability}/.*: not granted"):
        wit.Foreign(guest, wit.ForeignImports(host=Host(wit)), providers=[wasi.provider(**given)])
