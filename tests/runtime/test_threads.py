"""One instance is in one call at a time, whoever calls; different instances run at the same time."""

from __future__ import annotations

import contextlib
import functools
import gc
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.unruly import Host, Unruly
from witgen import runtime as rt
from witgen.runtime import component as component_module

CALL_TICK = "(call $tick)"


class Counting(Host):
    """Counts what the guest's destructor tells, which runs in any thread, but never in two at once."""

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1


@pytest.fixture(scope="module")
def unruly(tmp_path_factory: pytest.TempPathFactory) -> Unruly:
    return Unruly(tmp_path_factory.mktemp("unruly"))


@pytest.fixture(scope="module")
def component(unruly: Unruly) -> rt.Component:
    return unruly.component()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that are switched as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def together(number: int, work: Callable[[int], object]) -> list[Any]:
    """The results of `work` in as many threads, which begin at the same time. Raises what one of them raised."""
    barrier = threading.Barrier(number)

    def begin(index: int) -> object:
        barrier.wait(60)
        return work(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(begin, range(number)))


class Spinning:
    """A guest that loops in a thread of its own until it is stopped."""

    def __init__(self, world: Any) -> None:
        self.instance = rt.instance_of(world)
        self.trap: rt.Trap | None = None
        self._world = world
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while self.trap is None and self.instance.poison is None:
            try:
                self._world.api.spin()
            except rt.InstanceUnavailable:
                pass  # `__enter__` has it for a moment, to see whether the call has begun
            except rt.Trap as trap:
                self.trap = trap

    def __enter__(self) -> Spinning:
        self._thread.start()
        while self.instance.enter(False):
            self.instance.leave()
        return self

    def __exit__(self, *_: object) -> None:
        self.instance.stop()
        self._thread.join(60)
        assert self.trap is not None


def test_an_instance_in_a_long_call_refuses_all_others(unruly: Unruly, component: rt.Component) -> None:
    host = Counting()
    world = unruly.world(unruly.component(dropping=CALL_TICK), host)
    closed, collected = world.api.thing(), world.api.thing()
    with Spinning(world):
        for _ in range(100):
            with pytest.raises(rt.InstanceUnavailable, match="in another call"):
                world.api.add(1, 2)
            with pytest.raises(rt.InstanceUnavailable, match="in another call"):
                closed.close()
        del collected
        gc.collect()
        assert host.ticks == 0
    closed.close()


def test_what_is_collected_during_a_call_is_dropped_with_the_next_that_is_closed(unruly: Unruly) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Waiting(Counting):
        def tick(self) -> None:
            super().tick()
            if self.ticks == 1:
                inside.set()
                assert go_on.wait(60)

    host = Waiting()
    world = unruly.world(unruly.component(dropping=CALL_TICK), host)
    things = [world.api.thing() for _ in range(5)]
    worker = threading.Thread(target=world.api.tick, args=(1,))
    worker.start()
    assert inside.wait(60)
    last = things.pop()
    things.clear()
    assert host.ticks == 1
    go_on.set()
    worker.join(60)
    last.close()
    assert host.ticks == 1 + 5


def test_guests_run_at_the_same_time(unruly: Unruly, component: rt.Component) -> None:
    with Spinning(unruly.world(component)) as one, Spinning(unruly.world(component)) as two:
        # Neither call ever returns by itself: both are in their loops, and this thread and a third guest go on.
        api = unruly.world(component).api
        for _ in range(20):
            assert api.count(1_000_000) == 1_000_000
            assert not one.instance.enter(False)
            assert not two.instance.enter(False)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("limits", [rt.DEFAULT_LIMITS, rt.Limits(seconds=3600)], ids=["unlimited", "limited"])
def test_calls_drops_and_collections_in_many_threads_harm_nothing(unruly: Unruly, limits: rt.Limits) -> None:
    host = Counting()
    world = unruly.world(unruly.component(dropping=CALL_TICK), host, limits)
    shared: list[Any] = []
    made = [0] * 6

    def work(index: int) -> None:
        choose = random.Random(index)
        for _ in range(400):
            with contextlib.suppress(rt.InstanceUnavailable, IndexError):
                match choose.randrange(6):
                    case 0:
                        assert world.api.add(20, 22) == 42
                    case 1:
                        assert world.api.take("x" * 100) == 100
                        assert world.api.give() == "A"
                    case 2 | 3:
                        thing = world.api.thing()
                        made[index] += 1
                        shared.append(thing)
                    case 4:
                        shared[choose.randrange(len(shared) or 1)].close()
                    case 5:
                        shared.pop()
                        gc.collect(0)

    together(6, work)
    shared.clear()
    gc.collect()
    last = world.api.thing()
    last.close()
    assert host.ticks == sum(made) + 1
    assert world.api.add(1, 2) == 3


@pytest.mark.usefixtures("restless")
def test_a_resource_closed_by_many_threads_is_dropped_once(unruly: Unruly) -> None:
    host = Counting()
    world = unruly.world(unruly.component(dropping=CALL_TICK), host)

    def close(_: int) -> None:
        for thing in things:
            with contextlib.suppress(rt.InstanceUnavailable):
                thing.close()

    for _ in range(20):
        things = [world.api.thing() for _ in range(20)]
        host.ticks = 0
        together(4, close)
        close(0)
        assert host.ticks == 20


@pytest.mark.usefixtures("restless")
def test_a_component_is_verified_and_instantiated_by_many_threads_at_once(unruly: Unruly) -> None:
    for _ in range(5):
        component = unruly.component()
        worlds = together(8, functools.partial(_instantiate, unruly, component))
        assert all(world.api.add(index, 1) == index + 1 for index, world in enumerate(worlds))
        assert len({id(rt.instance_of(world).store) for world in worlds}) == 8


def _instantiate(unruly: Unruly, component: rt.Component, _: int) -> Any:
    return unruly.world(component)


@pytest.mark.usefixtures("restless")
def test_a_component_for_another_contract_is_refused_in_every_thread(unruly: Unruly, component: rt.Component) -> None:
    other = rt.Contract("other", "0", exports={"a:b/c": {"d": "0"}})

    def refused(_: int) -> bool:
        with pytest.raises(rt.ContractError):
            component.verify(other)
        return True

    assert all(together(8, refused))


@pytest.mark.usefixtures("restless")
def test_threads_share_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component_module, "_engines", {})
    assert len({id(engine) for engine in together(8, lambda _: rt.default_engine())}) == 1


@pytest.mark.usefixtures("restless")
def test_the_same_component_is_compiled_by_many_threads_at_once(unruly: Unruly, fresh_cache: Path) -> None:
    components = together(6, lambda _: unruly.component())
    assert all(unruly.world(component).api.add(1, 2) == 3 for component in components)
    keys = [path.name.partition("-")[0] for path in (fresh_cache / "compiled").iterdir()]
    assert keys
    assert all(path.name.count(".") == 1 for path in (fresh_cache / "compiled").iterdir())


@pytest.mark.usefixtures("restless")
def test_each_thread_keeps_the_limit_of_its_own_guest(unruly: Unruly, component: rt.Component) -> None:
    def work(index: int) -> str:
        if index % 2:
            with pytest.raises(rt.Trap) as caught:
                unruly.world(component, limits=rt.Limits(seconds=0.1 * index)).api.spin()
            return caught.value.reason
        api = unruly.world(component, limits=rt.Limits(seconds=3600)).api
        for _ in range(200):
            assert api.count(10_000) == 10_000
        return "done"

    results = together(6, work)
    assert results == ["done", _late(0.1), "done", _late(0.3), "done", _late(0.5)]


def _late(seconds: float) -> str:
    return f"it ran longer than its limit of {seconds:g} seconds"


@pytest.mark.usefixtures("restless")
def test_instances_are_collected_in_any_thread(unruly: Unruly, component: rt.Component) -> None:
    def work(index: int) -> None:
        for number in range(30):
            world = unruly.world(component, limits=rt.Limits(seconds=60) if number % 2 else rt.DEFAULT_LIMITS)
            things = [world.api.thing() for _ in range(3)]
            world.cycle = [things, world]
            if number % 10 == index:
                gc.collect()

    together(4, work)
    gc.collect()


def test_nothing_reaches_a_store_that_was_freed(unruly: Unruly, component: rt.Component) -> None:
    # The garbage collector may free the store before it finalizes what still holds on to it.
    world = unruly.world(component)
    thing = world.api.thing()
    rt.instance_of(world).store.close()
    with pytest.raises(rt.InstanceUnavailable):
        world.api.add(1, 2)
    with pytest.raises(rt.InstanceUnavailable):
        thing.close()
    del thing
    rt.instance_of(world).stop()


def test_a_guest_calls_no_other_thread_into_itself(unruly: Unruly, component: rt.Component) -> None:
    found: list[BaseException] = []

    class Calling(Host):
        def tick(self) -> None:
            worker = threading.Thread(target=self.call)
            worker.start()
            worker.join(60)

        def call(self) -> None:
            try:
                world.api.add(1, 2)
            except rt.InstanceUnavailable as error:
                found.append(error)

    world = unruly.world(component, Calling())
    world.api.tick(2)
    assert [str(error) for error in found] == ["a:unruly/api#add: the instance is in another call"] * 2
