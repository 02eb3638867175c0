"""Applications by name: what ``--app module:attribute`` means, and the one that is there when nobody names one."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware

from runner.errors import RunnerError
from runner.http.asgi import App, Message, Scope

__all__ = ["AppError", "demonstration", "load_app"]

_PLAIN = (b"content-type", b"text/plain; charset=utf-8")


class AppError(RunnerError):
    """There is no such application."""


def load_app(name: str, *, interface: str = "auto", folder: str | None = ".") -> App:
    """The application that ``module:attribute`` names, found in `folder` first; an attribute may have dots.

    `interface` is ``asgi``, ``wsgi``, or ``auto``: an application of WSGI is recognised by not being a coroutine
    function. Raises `AppError`.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise AppError(f"{name!r} is not of the form module:attribute")
    if folder is not None:
        path = str(Path(folder).resolve())
        if path not in sys.path:
            sys.path.insert(0, path)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise AppError(f"there is no module {module_name!r}") from None
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AppError(f"module {module_name!r} has no attribute {attribute!r}") from None
    if not callable(found):
        raise AppError(f"{name} is not an application: it can't be called")
    return as_asgi(found, interface)


def as_asgi(app: Any, interface: str = "auto") -> App:
    """An application as one of ASGI."""
    if interface == "wsgi" or (interface == "auto" and not _is_asgi(app)):
        return WSGIMiddleware(app)  # type: ignore[return-value]
    return app  # type: ignore[no-any-return]


def _is_asgi(app: Callable[..., Any]) -> bool:
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else getattr(app, "__call__", app)  # noqa: B004
    return inspect.iscoroutinefunction(call)


async def demonstration(scope: Scope, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
    """The built-in application: ``/`` greets, ``/echo`` gives back what it is sent, ``/headers`` shows the request."""
    if scope["type"] != "http":
        raise ValueError(f"{scope['type']} is not served here")
    answer = _PAGES.get(scope["path"])
    if scope["path"] == "/echo":
        await _echo(scope, receive, send)
        return
    status, fields, body = (404, [_PLAIN], b"Not Found\n") if answer is None else answer(scope)
    fields = [*fields, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def _echo(scope: Scope, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
    fields = [field for field in scope["headers"] if field[0] in (b"content-type", b"content-length")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})


def _greet(scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return 200, [_PLAIN], b"Hello from behind the component.\n"


def _show(scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    shown = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "version": scope["http_version"],
        "client": list(scope["client"] or ()),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
    }
    return 200, [(b"content-type", b"application/json")], json.dumps(shown, indent=2).encode() + b"\n"


_PAGES: dict[str, Callable[[Scope], tuple[int, list[tuple[bytes, bytes]], bytes]]] = {
    "/": _greet,
    "/headers": _show,
}
