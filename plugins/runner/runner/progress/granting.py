"""Progress for components that ask for it: each instance is a client by itself, which leaves with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from runner.bindings import progress_client
from runner.granting import restricted, speaks_of
from runner.loading import LoadedComponent
from runner.progress.client import Client
from runner.progress.service import Progress
from witgen import runtime as rt

__all__ = ["granted_progress"]


def granted_progress(
    loaded: LoadedComponent, progress: Callable[[], Progress]
) -> tuple[tuple[rt.Provider, ...], Callable[[], None] | None]:
    """What one instance may import of `runner:progress`, as its manifest says, and what is to be done when it is gone.

    `progress` is called where the manifest asks for any.
    """
    if not speaks_of(loaded.manifest, "runner:progress"):
        return (), None
    client = progress().client()
    return (restricted(client.provider(), loaded.manifest),), partial(_leave, client)


def _leave(client: Client) -> None:
    try:
        client.close()
    except progress_client.ErrorException as error:
        # The disk is in trouble; subscriptions without a name end with the process at the latest.
        structlog.get_logger("runner.progress").warning("progress was not left", problem=error.value.message)
