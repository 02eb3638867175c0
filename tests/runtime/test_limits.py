"""An instance uses no more than it may, wherever its code runs; what is stopped says why, and all others go on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from tests.runtime.unruly import FOREVER, Host, Unruly
from witgen import runtime as rt

#: Soon enough that tests are not slow, and long enough for all that must still go well.
SOON = rt.Limits(seconds=0.2)


@pytest.fixture(scope="module")
def unruly(tmp_path_factory: pytest.TempPathFactory) -> Unruly:
    return Unruly(tmp_path_factory.mktemp("unruly"))


@pytest.fixture(scope="module")
def component(unruly: Unruly) -> rt.Component:
    return unruly.component()


def usable(api: Any) -> bool:
    return bool(api.add(1, 2) == 3)


def test_a_guest_that_loops_is_stopped_in_time_and_the_host_goes_on(unruly: Unruly, component: rt.Component) -> None:
    other = unruly.world(component)
    world = unruly.world(component, limits=SOON)
    started = time.monotonic()
    with pytest.raises(rt.Trap, match=r"longer than its limit of 0\.2 seconds") as caught:
        world.api.spin()
    assert time.monotonic() - started < 30
    assert caught.value.function == "a:unruly/api#spin"
    assert caught.value.frames
    with pytest.raises(rt.InstanceUnavailable, match="trapped before, in a:unruly/api#spin: it ran longer"):
        world.api.add(1, 2)
    assert usable(other.api)
    assert usable(unruly.world(component, limits=SOON).api)


def test_each_call_has_its_time_anew(unruly: Unruly, component: rt.Component) -> None:
    api = unruly.world(component, limits=SOON).api
    end = time.monotonic() + 3 * 0.2
    while time.monotonic() < end:
        assert usable(api)
        time.sleep(0.01)
    with pytest.raises(rt.Trap, match="longer than its limit"):
        api.spin()


def test_instances_with_other_limits_are_not_stopped_with_the_one_that_is(
    unruly: Unruly, component: rt.Component
) -> None:
    counting = threading.Event()

    class Counting(Host):
        def tick(self) -> None:
            counting.set()

    unlimited = unruly.world(component, Counting())
    patient = unruly.world(component, Counting(), rt.Limits(seconds=3600))
    stop = threading.Event()
    failed: list[BaseException] = []

    def work(api: Any) -> None:
        try:
            while not stop.is_set():
                api.tick(3)
                assert api.count(3_000_000) == 3_000_000
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work, args=(world.api,)) for world in (unlimited, patient)]
    for worker in workers:
        worker.start()
    assert counting.wait(30)
    for _ in range(3):
        with pytest.raises(rt.Trap, match="longer than its limit"):
            unruly.world(component, limits=rt.Limits(seconds=0.05)).api.spin()
    stop.set()
    for worker in workers:
        worker.join(30)
    assert not failed
    assert usable(unlimited.api)
    assert usable(patient.api)


def test_time_in_host_functions_counts_once_the_guest_goes_on(unruly: Unruly, component: rt.Component) -> None:
    class Slow(Host):
        ticks = 0

        def tick(self) -> None:
            self.ticks += 1
            time.sleep(0.5)

    host = Slow()
    with pytest.raises(rt.Trap, match="longer than its limit"):
        unruly.world(component, host, SOON).api.tick(10)
    assert host.ticks == 1


def test_instantiation_is_limited(unruly: Unruly) -> None:
    component = unruly.component(beginning=FOREVER)
    with pytest.raises(rt.Trap, match="start: it ran longer than its limit"):
        unruly.world(component, limits=SOON)


def test_destructors_are_limited(unruly: Unruly) -> None:
    world = unruly.world(unruly.component(dropping=FOREVER), limits=SOON)
    thing = world.api.thing()
    with pytest.raises(rt.Trap, match="longer than its limit"):
        thing.close()
    with pytest.raises(rt.InstanceUnavailable, match="in a destructor: it ran longer"):
        world.api.add(1, 2)


def test_collecting_a_resource_whose_destructor_loops_does_not_hang_the_host(unruly: Unruly) -> None:
    world = unruly.world(unruly.component(dropping=FOREVER), limits=SOON)
    thing = world.api.thing()
    del thing
    with pytest.raises(rt.InstanceUnavailable, match="in a destructor: it ran longer"):
        world.api.add(1, 2)


def test_post_return_is_limited(unruly: Unruly) -> None:
    with pytest.raises(rt.Trap, match="longer than its limit"):
        unruly.world(unruly.component(returning=FOREVER), limits=SOON).api.give()


def test_realloc_is_limited(unruly: Unruly) -> None:
    world = unruly.world(unruly.component(allocating=FOREVER), limits=SOON)
    with pytest.raises(rt.Trap, match="longer than its limit"):
        world.api.take("text")
    with pytest.raises(rt.InstanceUnavailable, match="trapped before"):
        world.api.add(1, 2)


def test_a_guest_that_grows_gets_no_more_than_its_memory(unruly: Unruly, component: rt.Component) -> None:
    api = unruly.world(component, limits=rt.Limits(memory=10 << 16)).api
    assert api.grow(9) == 1
    assert api.grow(1) == (1 << 32) - 1
    assert usable(api)


def test_a_guest_that_fails_for_want_of_memory_says_so(unruly: Unruly, component: rt.Component) -> None:
    api = unruly.world(component, limits=rt.Limits(memory=1 << 24)).api
    with pytest.raises(rt.Trap, match=r"unreachable.*memory has 16777216 bytes, and 16777216 are the limit"):
        api.grow_or_fail()


def test_a_trap_far_from_the_limit_does_not_speak_of_memory(unruly: Unruly, component: rt.Component) -> None:
    with pytest.raises(rt.Trap) as caught:
        unruly.world(component).api.recurse()
    assert "memory" not in caught.value.reason


def test_memory_has_a_limit_where_none_is_given(unruly: Unruly, component: rt.Component) -> None:
    api = unruly.world(component).api
    assert api.grow(1 << 14) == (1 << 32) - 1
    unlimited = unruly.world(component, limits=rt.Limits(memory=None)).api
    assert unlimited.grow(1 << 14) == 1


def test_a_component_that_begins_with_too_much_memory_is_not_made(unruly: Unruly, component: rt.Component) -> None:
    with pytest.raises(rt.LinkError, match="exceeds memory limits"):
        unruly.world(component, limits=rt.Limits(memory=1))
    with pytest.raises(rt.LinkError, match="instance count too high"):
        unruly.world(component, limits=rt.Limits(instances=1))


def test_components_that_multiply_are_not_made(unruly: Unruly) -> None:
    bomb = "(component $c0)"
    for n in range(12):
        inside = f"(alias outer 1 $c{n} (component $c)) (instance (instantiate $c)) (instance (instantiate $c))"
        bomb += f"(component $c{n + 1} {inside})"
    data = wasmtime.wat2wasm(f"(component {bomb} (instance (instantiate $c12)))")
    with pytest.raises(rt.LinkError, match="more than 1000 components"):
        rt.Instance(rt.Component(bytes(data)), rt.Contract("bomb", "0"), {})


def test_a_guest_that_floods_handles_traps(unruly: Unruly, component: rt.Component) -> None:
    world = unruly.world(component, limits=rt.Limits(handles=500))
    world.api.flood(499)
    held = world.api.thing()
    with pytest.raises(rt.Trap, match="the handle table is full: 500 handles are the limit"):
        world.api.flood(2)
    with pytest.raises(rt.InstanceUnavailable):
        world.api.add(1, 2)
    held.close()


def test_recursion_without_end_is_a_trap(unruly: Unruly, component: rt.Component) -> None:
    with pytest.raises(rt.Trap, match="stack"):
        unruly.world(component).api.recurse()


def test_fuel_is_for_each_call_and_can_be_read(unruly: Unruly) -> None:
    component = unruly.component(engine=rt.new_engine(fuel=True))
    world = unruly.world(component, limits=rt.Limits(fuel=10_000))
    instance = rt.instance_of(world)
    for _ in range(20):
        assert world.api.count(500) == 500
    few = instance.fuel_used
    assert few is not None
    assert 500 <= few <= 10_000
    world.api.count(1000)
    assert instance.fuel_used == pytest.approx(2 * few, rel=0.1)
    with pytest.raises(rt.Trap, match="all fuel consumed"):
        world.api.count(1_000_000)
    assert instance.fuel_used == 10_000
    with pytest.raises(rt.InstanceUnavailable, match="fuel"):
        world.api.add(1, 2)


def test_fuel_is_unlimited_where_there_is_no_limit(unruly: Unruly) -> None:
    world = unruly.world(unruly.component(engine=rt.new_engine(fuel=True)))
    assert world.api.count(1_000_000) == 1_000_000
    assert rt.instance_of(world).fuel_used is None


def test_instantiation_uses_fuel(unruly: Unruly) -> None:
    component = unruly.component(engine=rt.new_engine(fuel=True), beginning=FOREVER)
    with pytest.raises(rt.Trap, match="start: all fuel consumed"):
        unruly.world(component, limits=rt.Limits(fuel=10_000))


def test_loading_a_file_finds_an_engine_that_counts_fuel(unruly: Unruly, tmp_path: Path) -> None:
    unruly.component()
    assert rt.default_engine(rt.Limits(fuel=1)) is rt.default_engine(rt.Limits(fuel=2))
    assert rt.default_engine(rt.Limits(fuel=1)) is not rt.default_engine()
    assert rt.default_engine(SOON) is rt.default_engine()


def test_limits_that_the_engine_can_not_keep_are_refused(unruly: Unruly, component: rt.Component) -> None:
    with pytest.raises(ValueError, match=r"counts no fuel.*new_engine\(fuel=True\)"):
        unruly.world(component, limits=rt.Limits(fuel=1))
    fast = unruly.component(engine=rt.new_engine(interruptible=False))
    with pytest.raises(ValueError, match=r"can't interrupt.*new_engine\(interruptible=True\)"):
        unruly.world(fast, limits=SOON)
    assert usable(unruly.world(fast).api)


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"memory": -1}, {"fuel": 0}, {"seconds": float("nan")}])
def test_a_limit_that_is_not_positive_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a limit is more than 0"):
        rt.Limits(**limits)


@pytest.mark.parametrize("limits", [{"seconds": "1"}, {"memory": 1.5}, {"handles": True}])
def test_a_limit_that_is_no_number_is_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="is a number or None"):
        rt.Limits(**limits)


def test_a_running_guest_can_be_stopped_from_another_thread(unruly: Unruly, component: rt.Component) -> None:
    entered = threading.Event()

    class Entering(Host):
        def tick(self) -> None:
            entered.set()

    world = unruly.world(component, Entering())
    found: list[BaseException] = []

    def work() -> None:
        try:
            world.api.tick(0)
        except BaseException as error:
            found.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert entered.wait(30)
    rt.instance_of(world).stop("enough of that")
    worker.join(30)
    assert isinstance(found[0], rt.Trap)
    assert found[0].reason == "enough of that"
    with pytest.raises(rt.InstanceUnavailable, match="enough of that"):
        world.api.add(1, 2)
    rt.instance_of(world).stop()


def test_an_idle_instance_that_was_stopped_is_not_usable(unruly: Unruly, component: rt.Component) -> None:
    world = unruly.world(component)
    thing = world.api.thing()
    rt.instance_of(world).stop()
    rt.instance_of(world).stop("again")
    with pytest.raises(rt.InstanceUnavailable, match="the host stopped it"):
        world.api.add(1, 2)
    thing.close()


def test_the_memory_of_a_guest_can_be_seen(unruly: Unruly, component: rt.Component) -> None:
    w = unruly.world(component)
    w.api.take("text")
    before = rt.instance_of(w).memory_size
    w.api.grow(3)
    assert before >= 65536 and rt.instance_of(w).memory_size == before + 3 * 65536


def test_a_host_function_can_stop_its_own_guest(unruly: Unruly, component: rt.Component) -> None:
    class Stopping(Host):
        ticks = 0

        def tick(self) -> None:
            self.ticks += 1
            if self.ticks == 3:
                rt.instance_of(world).stop()

    host = Stopping()
    world = unruly.world(component, host, rt.Limits(seconds=3600))
    with pytest.raises(rt.Trap, match="the host stopped it"):
        world.api.tick(0)
    assert host.ticks >= 3


def test_a_call_that_ends_by_itself_is_the_last_one_of_an_instance_that_is_stopped(
    unruly: Unruly, component: rt.Component
) -> None:
    class Waiting(Host):
        def tick(self) -> None:
            inside.set()
            assert go_on.wait(30)

    def work() -> None:
        with contextlib.suppress(rt.Trap):
            world.api.tick(1)

    for limits in (rt.DEFAULT_LIMITS, rt.Limits(seconds=3600)):
        inside, go_on = threading.Event(), threading.Event()
        world = unruly.world(component, Waiting(), limits)
        worker = threading.Thread(target=work)
        worker.start()
        assert inside.wait(30)
        rt.instance_of(world).stop()
        go_on.set()
        worker.join(30)
        with pytest.raises((rt.InstanceUnavailable, rt.Trap), match="the host stopped it"):
            world.api.add(1, 2)


def test_a_guest_that_can_not_be_interrupted_is_stopped_only_when_it_is_idle(unruly: Unruly) -> None:
    component = unruly.component(engine=rt.new_engine(interruptible=False))

    class Stopping(Host):
        def tick(self) -> None:
            rt.instance_of(world).stop()

    world = unruly.world(component, Stopping())
    with pytest.raises(ValueError, match="can't interrupt"):
        world.api.tick(1)
    idle = unruly.world(component)
    rt.instance_of(idle).stop()
    with pytest.raises(rt.InstanceUnavailable):
        idle.api.add(1, 2)


def test_what_is_no_world_has_no_instance(unruly: Unruly, component: rt.Component) -> None:
    with pytest.raises(TypeError, match="not an object of a generated world class"):
        rt.instance_of(unruly.world(component).api)


SCRIPT = """
import sys, threading
from pathlib import Path
from tests.runtime.unruly import Unruly
from witgen import runtime as rt
unruly = Unruly(Path(sys.argv[1]))
component = unruly.component()
"""


def script(folder: Path, text: str) -> subprocess.Popen[str]:
    """A process that runs `text` after `SCRIPT`."""
    command = [sys.executable, "-c", SCRIPT + text, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_deadlines_hold_in_a_process_that_was_forked(tmp_path: Path) -> None:
    text = """
import os, warnings
warnings.simplefilter("ignore")
def stopped():
    try:
        unruly.world(component, limits=rt.Limits(seconds=0.1)).api.spin()
    except rt.Trap as trap:
        return trap.reason
print(stopped(), flush=True)
child = os.fork()
print(stopped(), flush=True)
if child:
    sys.exit(os.waitpid(child, 0)[1])
os._exit(0)
"""
    process = script(tmp_path, text)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.count("it ran longer than its limit of 0.1 seconds") == 3


def test_a_process_without_limits_of_time_has_no_thread_for_them(tmp_path: Path) -> None:
    text = """
world = unruly.world(component)
world.api.count(1000)
print(threading.active_count())
world = unruly.world(component, limits=rt.Limits(seconds=5))
world.api.count(1000)
print([thread.name for thread in threading.enumerate()], flush=True)
"""
    process = script(tmp_path, text)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.splitlines() == ["1", "['MainThread', 'witgen-deadlines']"]
