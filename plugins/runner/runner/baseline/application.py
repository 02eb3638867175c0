"""The application that the users of the baseline ask, and the workbook in which it keeps their work.

``GET /bytes/N`` answers N bytes, ``POST /upload`` counts what comes, and ``POST /work/USER/TASK`` takes fields as a
JSON object ``{"SECTION.KEY": INTEGER}`` into the workbook of the file that the variable says. The figures of that
workbook are among those of the Runner that serves.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from runner.bindings import progress_client as wit
from runner.flags import Flags
from runner.heartbeat import Heartbeat
from runner.metrics import Metrics
from runner.progress import Progress

__all__ = ["VARIABLE", "Application", "app"]

#: The variable of the process environment that names the file of progress.
VARIABLE = "RUNNER_BASELINE_PROGRESS"
_BLOCK = bytes(range(256)) * 256

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """An application of ASGI."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._progress: Progress | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request, or goes through a lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        content = await _content(receive)
        status, answer = self._answer(scope["path"].split("/")[1:], content)
        fields = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                self._open(Path(os.environ[VARIABLE]))
            else:
                self._stack.close()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    def _open(self, path: Path) -> None:
        flags = Flags.load()
        progress = Progress(path, sparse_store=flags["runner.sparse_store"], progress_bus=flags["runner.progress_bus"])
        self._progress = self._stack.enter_context(progress)
        self._stack.enter_context(Heartbeat(self._progress, Metrics(), lambda: flags))

    def _answer(self, path: list[str], content: bytes) -> tuple[int, bytes]:
        match path:
            case ["bytes", count] if count.isdigit():
                return 200, (_BLOCK * (int(count) // len(_BLOCK) + 1))[: int(count)]
            case ["upload"]:
                return 200, str(len(content)).encode()
            case ["work", user, task]:
                self._report(user, task, json.loads(content))
                return 202, b""
            case _:
                return 404, b""

    def _report(self, user: str, task: str, given: dict[str, int]) -> None:
        assert self._progress is not None
        changes = []
        for name, value in given.items():
            section, _, key = name.partition(".")
            changes.append(wit.FieldChange(section, key, wit.Value_Integer(value)))
        scope = wit.Scope(user, task, None)
        # Whoever is served does not wait for the disk.
        self._progress.post(wit.Step(scope, wit.Phase.EXECUTING, None, time.time_ns(), changes, None))


async def _content(receive: Receive) -> bytes:
    parts = []
    while True:
        event = await receive()
        parts.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(parts)


#: What `--app` names.
app = Application()
