"""Start and end of an application (ASGI, "Lifespan Protocol")."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from runner.errors import RunnerError
from runner.http.asgi import App, Message

__all__ = ["Lifespan", "StartupError"]


class StartupError(RunnerError):
    """The application says that it can't start."""


class Lifespan:
    """Tells an application when serving begins and ends. One that does not know the protocol is served without."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        #: What the application leaves for its requests; None if it does not know the protocol.
        self.state: dict[str, Any] | None = {}

    async def start(self) -> None:
        """Returns when the application is ready. Raises `StartupError` if it says that it failed."""
        self._task = asyncio.create_task(self._run(), name="lifespan")
        answer = await self._ask("lifespan.startup")
        if answer is None:
            self.state = None
        elif answer["type"] == "lifespan.startup.failed":
            raise StartupError(answer.get("message", "") or "the application could not start")

    async def stop(self) -> str | None:
        """Returns when the application has ended; gives what it says of a failure."""
        if self._task is None or self._task.done():
            return None
        answer = await self._ask("lifespan.shutdown")
        with contextlib.suppress(Exception):
            await self._task
        failed = answer is not None and answer["type"] == "lifespan.shutdown.failed"
        return str(answer.get("message", "")) or "the application failed to end" if failed and answer else None

    async def _ask(self, type_: str) -> Message | None:
        self._messages.put_nowait({"type": type_})
        return await self._answers.get()

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._messages.get, self._answers.put)
        except Exception:  # Whoever raises here does not know the protocol, as its specification says.
            pass
        finally:
            # Whoever waits for an answer, now or later, gets none.
            self._answers.put_nowait(None)
