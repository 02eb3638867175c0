"""Exceptions of host code on their way through a guest: the same object comes out, whatever it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt

WIT = """
package a:b;
interface host {
  resource thing { constructor(n: u32); }
  act: func(n: u32) -> u32;
}
interface api {
  resource item { constructor(n: u32); }
  act: func(n: u32) -> u32;
  until-zero: func() -> u32;
  drop-thing: func(n: u32);
  add: func(a: u32, b: u32) -> u32;
}
world w { import host; export api; }
"""

COMPONENT = """
  (import "a:b/host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "act" (func (param "n" u32) (result u32)))))
  (alias export $host "thing" (type $thing))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $act (canon lower (func $host "act")))
  (core func $drop (canon resource.drop $thing))
  (core module $dtor
    (import "host" "act" (func $act (param i32) (result i32)))
    (func (export "dtor") (param i32) (drop (call $act (local.get 0)))))
  (core instance $dtor (instantiate $dtor (with "host" (instance (export "act" (func $act))))))
  (alias core export $dtor "dtor" (core func $dtor'))
  (type $item (resource (rep i32) (dtor (core func $dtor'))))
  (core func $item-new (canon resource.new $item))
  (core module $main
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "act" (func $act (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "host" "item-new" (func $item-new (param i32) (result i32)))
    (func $inner (param i32) (result i32) (call $act (local.get 0)))
    (func (export "act") (param i32) (result i32) (call $inner (local.get 0)))
    (func (export "until-zero") (result i32) (local $n i32)
      (loop $again
        (local.set $n (i32.const 200000))
        (loop $spin (br_if $spin (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (br_if $again (call $act (i32.const 1))))
      (i32.const 7))
    (func (export "drop-thing") (param i32) (call $drop (call $new (local.get 0))))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "item") (param i32) (result i32) (call $item-new (local.get 0)))
    START)
  (core instance $main (instantiate $main (with "host" (instance
    (export "new" (func $new)) (export "act" (func $act)) (export "drop" (func $drop))
    (export "item-new" (func $item-new))))))
  (func $act' (param "n" u32) (result u32) (canon lift (core func $main "act")))
  (func $until-zero (result u32) (canon lift (core func $main "until-zero")))
  (func $drop-thing (param "n" u32) (canon lift (core func $main "drop-thing")))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
  (func $item' (param "n" u32) (result (own $item)) (canon lift (core func $main "item")))
  (component $shim
    (import "item" (type $item (sub resource)))
    (import "new" (func $new (param "n" u32) (result (own $item))))
    (import "act" (func $act (param "n" u32) (result u32)))
    (import "until-zero" (func $until-zero (result u32)))
    (import "drop-thing" (func $drop-thing (param "n" u32)))
    (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
    (export $out "item" (type $item))
    (export "[constructor]item" (func $new) (func (param "n" u32) (result (own $out))))
    (export "act" (func $act)) (export "until-zero" (func $until-zero))
    (export "drop-thing" (func $drop-thing)) (export "add" (func $add)))
  (instance $api (instantiate $shim
    (with "item" (type $item)) (with "new" (func $item')) (with "act" (func $act'))
    (with "until-zero" (func $until-zero)) (with "drop-thing" (func $drop-thing)) (with "add" (func $add))))
  (export "a:b/api" (instance $api))
"""


class Thing:
    """A resource of the host, which may fail when it is closed."""

    def __init__(self, host: Host, n: int) -> None:
        self.host, self.n = host, n

    def close(self) -> None:
        self.host.act(self.n)


class Host:
    """A host that does what it is told."""

    def __init__(self, does: Callable[[int], int]) -> None:
        self.act = does

    def thing(self, n: int) -> Thing:
        return Thing(self, n)


class Slotted(BaseException):
    """An exception with neither arguments nor a dictionary of its own."""

    __slots__ = ("detail",)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Unnotable(Exception):
    def __init__(self) -> None:
        self.__notes__ = "not a list"  # type: ignore[assignment]


def running(folder: Path, does: Callable[[int], int], start: str = "") -> Any:
    wit = adapter(folder, WIT)
    return wit.W(component(COMPONENT.replace("START", start)), wit.WImports(host=Host(does))).api


def raising(error: BaseException) -> Callable[[int], int]:
    def act(n: int) -> int:
        raise error

    return act


@pytest.mark.parametrize(
    "error",
    [
        *(KeyError("mine"), KeyboardInterrupt(), SystemExit(3), GeneratorExit(), StopIteration(1), Slotted()),
        *(Unprintable(), Unnotable(), ExceptionGroup("two", [ValueError(1), OSError(2)]), MemoryError()),
        *(IndexError("of the host"), AttributeError("of the host"), TypeError(), AssertionError(), rt.Err("value")),
        *(rt.Trap("of another component", "f", ["g"]), rt.InstanceUnavailable("another"), RecursionError()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_host_code_raises_comes_out_as_it_is(tmp_path: Path, error: BaseException) -> None:
    api = running(tmp_path, raising(error))
    with pytest.raises(type(error)) as caught:
        api.act(1)
    assert caught.value is error
    with pytest.raises(rt.InstanceUnavailable, match="trapped before"):
        api.add(1, 2)


def test_an_exception_keeps_its_traceback_and_cause_and_has_the_guests_frames_in_a_note(tmp_path: Path) -> None:
    def act(n: int) -> int:
        try:
            raise OSError("below")
        except OSError as error:
            raise ValueError("above") from error

    with pytest.raises(ValueError, match="above") as caught:
        running(tmp_path, act).act(1)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__notes__ == ["raised in host code called by a:b/api#act (main!inner, main!5)"]
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    # Where it was raised, where generated code met it, where it was raised again.
    assert names[-2:] == ["call", "act"] and names.count("act") == 2


def test_an_exception_that_is_met_while_another_is_handled_gets_no_other_context(tmp_path: Path) -> None:
    def act(n: int) -> int:
        try:
            raise OSError("below")
        except OSError:
            raise ValueError("above")  # noqa: B904

    with pytest.raises(ValueError, match="above") as caught:
        running(tmp_path, act).act(1)
    assert isinstance(caught.value.__context__, OSError) and caught.value.__cause__ is None


def test_an_exception_comes_out_of_a_host_resource_that_is_closed(tmp_path: Path) -> None:
    error = LookupError("on closing")
    with pytest.raises(LookupError) as caught:
        running(tmp_path, raising(error)).drop_thing(1)
    assert caught.value is error


def test_an_exception_comes_out_of_a_destructor_of_the_guest(tmp_path: Path) -> None:
    error = LookupError("in the destructor")
    api = running(tmp_path, raising(error))
    item = api.item(1)
    with pytest.raises(LookupError) as caught:
        item.close()
    assert caught.value is error
    with pytest.raises(rt.InstanceUnavailable, match="in a destructor: host code raised LookupError"):
        api.add(1, 2)


def test_an_exception_comes_out_of_the_start(tmp_path: Path) -> None:
    start = "(func $start (drop (call $act (i32.const 1)))) (start $start)"
    error = LookupError("at the start")
    with pytest.raises(LookupError) as caught:
        running(tmp_path, raising(error), start)
    assert caught.value is error
    with pytest.raises(rt.Trap, match=r"start: .*unreachable"):
        running(tmp_path, raising(error), "(func $start unreachable) (start $start)")


def test_the_guest_can_be_stopped_by_a_signal(tmp_path: Path) -> None:
    """The handler runs in the next host function, whatever the guest was at when the signal came."""
    deadline = time.monotonic() + 30
    api = running(tmp_path, lambda n: int(time.monotonic() < deadline))
    for _ in range(5):
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            api.until_zero()
        with pytest.raises(rt.InstanceUnavailable, match="host code raised KeyboardInterrupt"):
            api.add(1, 2)
        api = running(tmp_path, lambda n: int(time.monotonic() < deadline))


def test_a_program_that_is_interrupted_in_a_guest_ends_like_any_other(tmp_path: Path) -> None:
    program = f"""
        import sys
        from pathlib import Path
        from tests.runtime.test_exceptions import running
        api = running(Path({str(tmp_path)!r}), lambda n: 1)
        print("running", flush=True)
        api.until_zero()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors and "ignored" not in errors


@pytest.mark.parametrize("call", ["w.api.tick(20)", "w.api.take('text')", "w.api.thing().close()", "w.api.spin()"])
def test_an_interrupt_is_never_lost_wherever_it_comes(call: str, tmp_path: Path) -> None:
    """A timer raises in host functions, before and behind them, and where a limit of time is looked after.

    Whether the process lives is what is asked, so that it is one of its own.
    """
    program = f"""
        import signal, sys, time
        from pathlib import Path
        from tests.runtime.unruly import Unruly
        from witgen import runtime as rt

        class Alarm(BaseException): pass
        def handler(number, frame): raise Alarm
        unruly = Unruly(Path({str(tmp_path)!r}))
        component = unruly.component(dropping="(call $tick)")
        lost = []
        sys.unraisablehook = lambda found: lost.append(repr(found.object))
        signal.signal(signal.SIGALRM, handler)
        raised, end = 0, time.monotonic() + 1.5
        while time.monotonic() < end:
            w = unruly.world(component, limits=rt.Limits(seconds=0.02 if "spin" in {call!r} else 60))
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0011 + raised % 50 * 1e-5)
                # Python drops what is raised in a finalizer, so that no alarm is sure to end a loop without end.
                for _ in range(2000):
                    {call}
            except Alarm:
                raised += 1
            except rt.InstanceUnavailable:
                # It came where an adapter could not give the instance back.
                raised += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(raised > 20 and not [name for name in lost if "ctypes" in name or "host_function" in name])
    """
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout) == (0, "True\n"), found.stderr


@pytest.mark.parametrize(
    "call",
    [
        *("w.api.tick(1)", "w.api.take('text')", "w.api.give()", "w.api.thing().close()", "w.api.thing()"),
        "unruly.world(component)",
    ],
)
def test_the_host_may_be_at_its_recursion_limit(call: str, tmp_path: Path) -> None:
    """A host function that can't be entered any more would leave the engine with an address that nobody has set."""
    program = f"""
        import sys
        from pathlib import Path
        from tests.runtime.unruly import Unruly

        unruly = Unruly(Path({str(tmp_path)!r}))
        component = unruly.component(beginning="(call $tick)", dropping="(call $tick)", returning="(call $tick)")
        refusing = unruly.component(allocating="(call $tick)")
        lost = []
        sys.unraisablehook = lambda found: lost.append(repr(found.object))

        def at(depth):
            if depth:
                return at(depth - 1)
            {call}

        outcomes = set()
        for depth in range(sys.getrecursionlimit()):
            w = unruly.world(refusing if "take" in {call!r} else component)
            try:
                at(depth)
                outcomes.add("returned")
            except BaseException as error:
                # ctypes makes an ArgumentError of it.
                outcomes.add("recursion limit" if "Recursion" in repr(error) else type(error).__name__)
        print(sorted(outcomes), [name for name in lost if "host_function" in name])
    """
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    normally = "Trap" if "take" in call or "give" in call else "returned"
    assert found.stdout == f"{sorted(['recursion limit', normally])} []\n", found.stderr
