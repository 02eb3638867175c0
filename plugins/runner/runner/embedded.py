"""uvicorn as a part of a process whose signals, logs and event loop are somebody else's."""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn

__all__ = ["Embedded"]


class Embedded(uvicorn.Server):
    """A server that is told to stop by ``should_exit``."""

    def __init__(self, app: Any, context: ssl.SSLContext | None = None, **settings: Any) -> None:
        """`settings` are those of ``uvicorn.Config``, beside what an embedded server never does; with a `context` it
        serves HTTPS.
        """
        config = uvicorn.Config(
            app,
            http="h11",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            **settings,
        )
        config.load()
        config.ssl = context
        super().__init__(config)
        # What it has to say otherwise is about a process of its own.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them alone."""
        yield
