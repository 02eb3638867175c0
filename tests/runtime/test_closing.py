"""The end of an instance: what it has of the host is dropped, and nothing can be called any more."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt

WIT = """
package a:b;
interface host {
  resource thing { constructor(n: u32); }
  wait: func();
}
interface api {
  resource item { constructor(n: u32); }
  hold: func(n: u32);
  wait: func();
  fail: func();
}
world w { import host; export api; }
"""

COMPONENT = """
  (import "a:b/host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "wait" (func))))
  (alias export $host "thing" (type $thing))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $wait (canon lower (func $host "wait")))
  (type $item (resource (rep i32)))
  (core func $item-new (canon resource.new $item))
  (core module $main
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "wait" (func $wait))
    (import "host" "item-new" (func $item-new (param i32) (result i32)))
    (func (export "hold") (param i32) (drop (call $new (local.get 0))))
    (func (export "wait") (call $wait))
    (func (export "fail") unreachable)
    (func (export "new-item") (param i32) (result i32) (call $item-new (local.get 0))))
  (core instance $main (instantiate $main (with "host" (instance
    (export "new" (func $new)) (export "wait" (func $wait)) (export "item-new" (func $item-new))))))
  (func $hold (param "n" u32) (canon lift (core func $main "hold")))
  (func $wait' (canon lift (core func $main "wait")))
  (func $fail (canon lift (core func $main "fail")))
  (func $make (param "n" u32) (result (own $item)) (canon lift (core func $main "new-item")))
  (component $shim
    (import "item" (type $item (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $item))))
    (import "hold" (func $hold (param "n" u32)))
    (import "wait" (func $wait))
    (import "fail" (func $fail))
    (export $exported "item" (type $item))
    (export "[constructor]item" (func $make) (func (param "n" u32) (result (own $exported))))
    (export "hold" (func $hold))
    (export "wait" (func $wait))
    (export "fail" (func $fail)))
  (instance $api (instantiate $shim (with "item" (type $item)) (with "make" (func $make))
    (with "hold" (func $hold)) (with "wait" (func $wait')) (with "fail" (func $fail))))
  (export "a:b/api" (instance $api))
"""


class Host:
    """Things that count as dropped when they are; one may depend on another, and one may be broken."""

    def __init__(self) -> None:
        self.dropped: list[int] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        host = self

        class Thing:
            def __init__(self, n: int) -> None:
                self.n = n

            def close(self) -> None:
                if self.n == 1 and 2 not in host.dropped:
                    raise rt.Trap("2 depends on 1")
                host.dropped.append(self.n)
                if self.n == 13:
                    raise LookupError("broken")

        self.thing = Thing

    def wait(self) -> None:
        """Stays in the call until it may go on."""
        self.entered.set()
        assert self.go_on.wait(30)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The adapter."""
    return adapter(tmp_path_factory.mktemp("adapter"), WIT)


@pytest.fixture(scope="module")
def guest() -> rt.Component:
    """The component."""
    return component(COMPONENT)


def test_what_the_guest_held_of_the_host_is_dropped(module: Any, guest: rt.Component) -> None:
    host = Host()
    with module.W(guest, module.WImports(host)) as w:
        for number in (1, 3, 2):
            w.api.hold(number)
        assert host.dropped == []
    assert host.dropped == [2, 3, 1]
    w.close()
    assert host.dropped == [2, 3, 1]


def test_what_still_has_dependents_is_dropped_after_them_whatever_the_order_of_handles(
    module: Any, guest: rt.Component
) -> None:
    host = Host()
    w = module.W(guest, module.WImports(host))
    for number in (2, 1):
        w.api.hold(number)
    w.close()
    assert host.dropped == [2, 1]


def test_a_failure_to_drop_is_raised_after_everything_was_dropped(module: Any, guest: rt.Component) -> None:
    host = Host()
    w = module.W(guest, module.WImports(host))
    for number in (4, 13, 5):
        w.api.hold(number)
    with pytest.raises(LookupError, match="broken"):
        w.close()
    assert host.dropped == [5, 13, 4]
    w.close()


def test_an_object_that_can_never_be_dropped_is_told_of(module: Any, guest: rt.Component) -> None:
    w = module.W(guest, module.WImports(Host()))
    w.api.hold(1)
    with pytest.raises(rt.Trap, match="2 depends on 1"):
        w.close()


def test_a_closed_instance_says_so(module: Any, guest: rt.Component) -> None:
    w = module.W(guest, module.WImports(Host()))
    item, other = w.api.item(7), w.api.item(8)
    w.close()
    with pytest.raises(rt.InstanceUnavailable, match="a:b/api#hold: the instance was closed"):
        w.api.hold(1)
    item.close()
    del other
    gc.collect()
    rt.instance_of(w).stop()
    assert rt.instance_of(w).poison == "the instance was closed"
    assert rt.instance_of(w).memory_size == 0


def test_an_instance_in_a_call_is_not_closed(module: Any, guest: rt.Component) -> None:
    host = Host()
    w = module.W(guest, module.WImports(host))
    thread = threading.Thread(target=w.api.wait)
    thread.start()
    assert host.entered.wait(30)
    with pytest.raises(rt.InstanceUnavailable, match="in a call"):
        w.close()
    with pytest.raises(KeyError), w:
        raise KeyError("what ends the block goes before")
    host.go_on.set()
    thread.join()
    w.api.hold(9)
    w.close()
    assert host.dropped == [9]


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_stopped_instance_is_closed_once_its_call_has_ended(module: Any, guest: rt.Component, when: str) -> None:
    host = Host()
    w = module.W(guest, module.WImports(host))
    w.api.hold(6)
    if when == "during":
        thread = threading.Thread(target=w.api.wait)
        thread.start()
        assert host.entered.wait(30)
    rt.instance_of(w).stop("enough")
    if when == "during":
        with pytest.raises(rt.InstanceUnavailable, match="in a call"):
            w.close()
        host.go_on.set()
        thread.join()
    w.close()
    assert host.dropped == [6]


def test_a_trapped_instance_gives_back_what_it_had(module: Any, guest: rt.Component) -> None:
    host = Host()
    w = module.W(guest, module.WImports(host))
    w.api.hold(6)
    with pytest.raises(rt.Trap):
        w.api.fail()
    w.close()
    assert host.dropped == [6]
    with pytest.raises(rt.InstanceUnavailable, match="trapped before, in a:b/api#fail"):
        w.api.hold(1)


def test_a_limit_of_time_does_not_outlive_its_instance(module: Any, guest: rt.Component) -> None:
    w = module.W(guest, module.WImports(Host()), limits=rt.Limits(seconds=30))
    w.api.hold(1_000)
    store = weakref.ref(rt.instance_of(w).store)
    w.close()
    del w
    gc.collect()
    assert store() is None
