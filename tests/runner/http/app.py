"""Applications that tests put behind the server."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

_TEXT = [(b"content-type", b"text/plain")]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """What a path asks for; knows the lifespan protocol."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                scope["state"]["greeting"] = "hello"
                await send({"type": "lifespan.startup.complete"})
            else:
                await send({"type": "lifespan.shutdown.complete"})
                return
    await _PATHS.get(scope["path"].split("/")[1], _hello)(scope, receive, send)


async def _answer(send: Any, body: bytes, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _TEXT})
    await send({"type": "http.response.body", "body": body})


async def _hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await _answer(send, scope["state"]["greeting"].encode())


async def _scope(scope: dict[str, Any], receive: Any, send: Any) -> None:
    shown = {key: value for key, value in scope.items() if key not in ("state", "extensions", "app")}
    await _answer(send, json.dumps(shown, default=lambda value: value.decode("latin-1")).encode())


async def _digest(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Size and digest of what is sent, which is read slowly if the path says so."""
    size, digest, more, pieces = 0, hashlib.sha256(), True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        digest.update(message["body"])
        size += len(message["body"])
        pieces += 1
    await _answer(send, f"{size} {digest.hexdigest()} {pieces > 1}".encode())


async def _echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Sends back what comes, as it comes."""
    await send({"type": "http.response.start", "status": 200, "headers": _TEXT})
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})


async def _many(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """``/many/N/S``: N pieces of S bytes."""
    _, _, count, size = scope["path"].split("/")
    await send({"type": "http.response.start", "status": 200, "headers": _TEXT})
    for number in range(int(count)):
        await send({"type": "http.response.body", "body": bytes([number % 251]) * int(size), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """``/slow/S``: answers after S seconds."""
    await asyncio.sleep(float(scope["path"].split("/")[2]))
    await _answer(send, b"at last")


async def _fail(scope: dict[str, Any], receive: Any, send: Any) -> None:
    raise LookupError("the application is broken")


async def _cut(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Begins an answer and fails."""
    await send({"type": "http.response.start", "status": 200, "headers": _TEXT})
    await send({"type": "http.response.body", "body": b"the beginning", "more_body": True})
    raise LookupError("the application is broken")


async def _silent(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Returns without an answer."""


async def _until_gone(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Waits for the client to go, and then says so on the next request."""
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    gone.append(scope["path"])


async def _gone(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await _answer(send, json.dumps(gone).encode())


#: Paths of requests whose clients went away.
gone: list[str] = []

_PATHS: dict[str, Callable[[dict[str, Any], Any, Any], Awaitable[None]]] = {
    "scope": _scope,
    "digest": _digest,
    "echo": _echo,
    "many": _many,
    "slow": _slow,
    "fail": _fail,
    "cut": _cut,
    "silent": _silent,
    "until-gone": _until_gone,
    "gone": _gone,
}


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application of WSGI that tells method, path, query and the size of the content."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} {len(body)}".encode()


async def refusing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that can't start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "there is no database"})


async def without_lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that does not know the lifespan protocol."""
    assert scope["type"] == "http"
    await _answer(send, b"plain")
