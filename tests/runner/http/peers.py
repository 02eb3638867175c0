"""uvicorn with either of its parsers, and what it makes of a raw request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import uvicorn

from tests.runner.driving import PATIENCE, wait_until
from tests.runner.http.cases import Case
from tests.runner.http.driver import LIMITS, Client

__all__ = ["PARSERS", "Outcome", "Parser", "Verdict", "outcome", "peer", "verdict"]

Parser = Literal["h11", "httptools"]
PARSERS: tuple[Parser, ...] = "h11", "httptools"
Verdict = Literal[
    "as here",
    "accepts",
    "refuses",
    "refuses otherwise",
    "reads otherwise",
    "waits",
    "closes",
    "goes on",
    "hangs up",
    "drops what came before",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: how many answers there were, the last status, whether the connection goes on."""

    answers: int
    status: int
    kept: bool
    saw: str | None = None


async def describe(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with what it saw, as `applications.describe` does."""
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    authority = dict(scope["headers"]).get(b"host") or b"-"
    seen = b" ".join([scope["method"].encode(), scope["raw_path"] + query, authority, content])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(seen))]})
    await send({"type": "http.response.body", "body": seen})


@contextlib.contextmanager
def peer(parser: Parser) -> Iterator[int]:
    """Serves `describe` with the limit of the component's tests, and gives the port."""
    config = uvicorn.Config(
        describe,
        http=parser,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
        h11_max_incomplete_event_size=LIMITS.header_bytes,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="uvicorn", daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join(PATIENCE)


def outcome(port: int, case: Case, patience: float = PATIENCE) -> Outcome | None:
    """What a server makes of a case; None where it has not answered after `patience` seconds."""
    with Client(socket.create_connection(("127.0.0.1", port), patience)) as client:
        number = status = 0
        body = b""
        try:
            client.send(case.request)
            for number in range(1, len(case.earlier) + 2):
                answer = client.answer(head=case.heads and number == 1)
                status, body = answer.status, answer.body
                if status >= 400:
                    break
        except TimeoutError:
            return None
        except (EOFError, ConnectionError):
            return Outcome(number - 1, 0, False)
        client.sock.settimeout(PATIENCE)
        return Outcome(number, status, not _is_closed(client), body.decode("latin-1") if status == 200 else None)


def _is_closed(client: Client) -> bool:
    try:
        return client.is_closed()
    except ConnectionError:
        return True


def verdict(case: Case, found: Outcome | None) -> Verdict:
    """What a peer does otherwise than the component."""
    if found is None:
        return "waits"
    if not found.status:
        return "hangs up"
    if found.answers <= len(case.earlier):
        return "drops what came before"
    if case.saw is None:
        accepted = found.status < 400
        return (
            "accepts" if accepted else "as here" if found.status // 100 == case.status // 100 else "refuses otherwise"
        )
    if found.status >= 400:
        return "refuses"
    if found.saw != case.saw:
        return "reads otherwise"
    return "as here" if found.kept == case.kept else "goes on" if found.kept else "closes"
