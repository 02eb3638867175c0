"""Applications for the tests of the HTTP component; what they saw is for the tests to compare."""

from __future__ import annotations

from collections.abc import Callable

import runner.bindings.http_component as wit
from runner.host import Inlet, Outlet

from tests.runner.http.driver import Server, response


def collecting(answer: Callable[[wit.ServerRequest, bytes], wit.ServerResponse]) -> Callable[..., None]:
    """An application that answers when it has all the content of a request."""

    def run(server: Server, request: wit.ServerRequest) -> None:
        if isinstance(request.content, wit.RequestContent_Inline):
            server.respond(request, answer(request, request.content.value))
            return
        content: list[bytes] = []
        inlet = Inlet()

        def heard() -> None:
            content.append(inlet.read())
            if inlet.ended:
                server.call(lambda: server.respond(request, answer(request, b"".join(content))))

        inlet.heard = heard
        server.guest.server.receive(request.content.value, inlet)

    return run


@collecting
def describe(request: wit.ServerRequest, content: bytes) -> wit.ServerResponse:
    """Answers with what it saw: method, target, authority and content."""
    query = "" if request.query is None else f"?{request.query}"
    seen = f"{request.method} {request.path}{query} {request.authority or '-'} "
    return response(seen.encode() + content)


def streamed(outlet: Outlet, length: int | None = None, *fields: tuple[str, bytes]) -> wit.ServerResponse:
    """An answer whose content comes from an outlet."""
    return wit.ServerResponse(200, list(fields), wit.OutgoingContent_Streamed(wit.Source(outlet, length)))
