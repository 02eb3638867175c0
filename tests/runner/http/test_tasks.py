"""Coroutines that begin at once: what they and others see is what they would see of a task of asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from runner.http.tasks import Starter

Started = asyncio.Task[None] | None
#: Starts a coroutine as a callback of the event loop does.
Start = Callable[[Coroutine[Any, Any, None]], Awaitable[Started]]


def with_starter(test: Callable[[Start], Coroutine[Any, Any, None]]) -> None:
    """Runs a test with a starter whose spare task waits."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        starter = Starter(loop)
        await asyncio.sleep(0)

        def start(work: Coroutine[Any, Any, None]) -> asyncio.Future[Started]:
            begun: asyncio.Future[Started] = loop.create_future()

            def call() -> None:
                try:
                    begun.set_result(starter.start(work))
                except BaseException as error:
                    begun.set_exception(error)

            loop.call_soon(call)
            return begun

        await test(start)
        starter.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main(), debug=True)


def test_a_coroutine_begins_at_once_and_one_that_never_waits_is_no_task() -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work() -> None:
            seen.append("begun")

        begun = start(work())
        await asyncio.sleep(0)
        assert seen == ["begun"]
        assert await begun is None

    with_starter(test)


def test_a_coroutine_is_the_same_task_from_its_beginning_to_its_end() -> None:
    async def test(start: Start) -> None:
        tasks: list[asyncio.Task[Any] | None] = []

        async def work() -> None:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())
            await asyncio.sleep(0.001)
            tasks.append(asyncio.current_task())

        for _ in range(3):
            task = await start(work())
            assert task is not None
            await task
            assert tasks == [task] * 3
            assert asyncio.current_task() is not task
            tasks.clear()

    with_starter(test)


def test_no_two_coroutines_see_the_same_task_if_anybody_could_tell() -> None:
    async def test(start: Start) -> None:
        kept: list[object] = []
        ended: list[object] = []

        async def keep() -> None:
            kept.append(asyncio.current_task())

        async def refer() -> None:
            task = asyncio.current_task()
            assert task is not None
            kept.append(weakref.ref(task))

        async def hear() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.add_done_callback(ended.append)

        async def name() -> None:
            task = asyncio.current_task()
            assert task is not None and task.get_name() != "mine"
            task.set_name("mine")

        for work in (keep, refer, hear, name):
            for _ in range(3):
                await start(work())
                await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        # References without a callback are one and the same for one object.
        assert len({id(item) for item in kept}) == len(kept) == 6
        assert len(ended) == 3

    with_starter(test)


def test_what_a_coroutine_sets_in_its_context_is_there_after_it_has_waited_and_for_no_other() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work(value: str, *, waits: bool) -> None:
            seen.append(variable.get())
            variable.set(value)
            if waits:
                await asyncio.sleep(0.001)
                seen.append(variable.get())
                variable.set(value * 2)
                await asyncio.sleep(0.001)
                seen.append(variable.get())

        await start(work("a", waits=False))
        task = await start(work("b", waits=True))
        assert task is not None
        await task
        await start(work("c", waits=False))
        assert seen == ["none", "none", "b", "bb", "none"]
        assert variable.get() == "none"

    with_starter(test)


def test_time_runs_out_for_a_coroutine_as_for_any() -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work() -> None:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(60)
            except TimeoutError:
                seen.append("late")
            await asyncio.sleep(0)
            seen.append("gone on")

        task = await start(work())
        assert task is not None
        await task
        assert seen == ["late", "gone on"]
        assert not task.cancelling()

    with_starter(test)


def test_tasks_in_a_group_end_with_the_coroutine() -> None:
    async def test(start: Start) -> None:
        seen: list[int] = []

        async def child(number: int) -> None:
            await asyncio.sleep(0.001)
            seen.append(number)

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(3):
                    group.create_task(child(number))

        task = await start(work())
        assert task is not None
        await task
        assert sorted(seen) == [0, 1, 2]

    with_starter(test)


@pytest.mark.parametrize("where", ["while it begins", "before it goes on", "while it waits"])
@pytest.mark.parametrize("for_nothing", [True, False])
def test_a_coroutine_that_is_cancelled_hears_of_it_where_it_waits(where: str, for_nothing: bool) -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work() -> None:
            task = asyncio.current_task()
            assert task is not None
            if where == "while it begins":
                task.cancel("enough")
                seen.append("goes on")
            elif where == "before it goes on":
                asyncio.get_running_loop().call_soon(task.cancel, "enough")
                seen.append("goes on")
            try:
                await asyncio.sleep(0 if for_nothing else 60)
                await asyncio.sleep(60)
            except asyncio.CancelledError as error:
                seen.append(str(error))
                raise

        task = await start(work())
        assert task is not None
        if where == "while it waits":
            await asyncio.sleep(0.001)
            task.cancel("enough")
            seen.append("goes on")
        await asyncio.wait([task])
        assert task.cancelled()
        assert seen == ["goes on", "enough"]

    with_starter(test)


def test_one_that_is_cancelled_and_ends_before_it_waits_does_the_next_no_harm() -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def cancelled() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

        async def gives_up() -> None:
            raise asyncio.CancelledError

        async def after() -> None:
            await asyncio.sleep(0.001)
            seen.append("well")

        for work in (cancelled, gives_up):
            assert await start(work()) is None
            task = await start(after())
            assert task is not None
            await task
        assert seen == ["well", "well"]

    with_starter(test)


def test_one_begins_well_after_somebody_has_cancelled_all_tasks() -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work() -> None:
            await asyncio.sleep(0)
            seen.append("well")

        for other in asyncio.all_tasks() - {asyncio.current_task()}:
            other.cancel()
        for _ in range(3):
            task = await start(work())
            assert task is not None
            await task
        assert seen == ["well"] * 3

    with_starter(test)


def test_what_a_coroutine_raises_is_told_to_the_event_loop_and_the_next_one_begins() -> None:
    async def test(start: Start) -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        error = ValueError("wrong")

        async def fails() -> None:
            raise error

        async def fails_later() -> None:
            await asyncio.sleep(0)
            raise error

        assert await start(fails()) is None
        assert told == [error]
        task = await start(fails_later())
        assert task is not None
        await asyncio.wait([task])
        assert task.exception() is error

    with_starter(test)


def test_one_that_is_started_by_another_is_a_task_beside_it() -> None:
    async def test(start: Start) -> None:
        loop = asyncio.get_running_loop()
        starter = Starter(loop)
        await asyncio.sleep(0)
        seen: list[asyncio.Task[Any] | None] = []

        async def inner() -> None:
            seen.append(asyncio.current_task())

        async def outer() -> None:
            seen.append(asyncio.current_task())
            task = starter.start(inner())
            assert task is not None
            await task
            seen.append(asyncio.current_task())

        task = await start(outer())
        assert task is not None
        await task
        assert seen[0] is seen[2] is task
        assert seen[1] is not task
        starter.close()
        await asyncio.sleep(0)

    with_starter(test)


def test_a_coroutine_that_nobody_waits_for_is_closed_with_its_task() -> None:
    async def test(start: Start) -> None:
        seen: list[str] = []

        async def work() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                seen.append("closed")

        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        task = await start(work())
        await asyncio.sleep(0.001)
        assert task is not None
        del task
        gc.collect()
        assert seen == ["closed"]

    with_starter(test)
