"""The application that the HTTP benchmarks serve: a short answer, and a long one in pieces."""

from __future__ import annotations

from typing import Any

_PIECE = bytes(65536)
_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"13")]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """``/`` is short; ``/stream/N`` has N bytes."""
    path: str = scope["path"]
    if not path.startswith("/stream/"):
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"Hello, world!"})
        return
    left = int(path.removeprefix("/stream/"))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(left).encode())]})
    while left > 0:
        piece = _PIECE[:left]
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
