"""Instances of the HTTP component, with what its manifest grants of the Runner's sockets, clocks, logs and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial

import structlog

import runner.bindings.http_component as wit
from runner.bindings import progress_client
from runner.granting import restricted, speaks_of
from runner.host import Logging, Readiness, Tls
from runner.host.sockets import RunnerSockets
from runner.http.server import Guest
from runner.loading import LoadedComponent
from runner.progress import Client, Progress
from witgen import wasi

__all__ = ["guests"]


def guests(
    loaded: LoadedComponent,
    listening: Sequence[socket.socket],
    logging: Logging,
    tls: Tls,
    progress: Callable[[], Progress] | None = None,
) -> Callable[[], Guest]:
    """Makes instances that may listen on the Runner's sockets.

    `progress` is asked for where the manifest grants `runner:progress`: each instance is a client of it by itself.
    """
    network = loaded.inspected.grants.network

    def make() -> Guest:
        sockets = RunnerSockets(
            listening, network.connect, network.bind, network.lookup, max_sockets=network.max_sockets
        )
        # The Runner's sockets go before those that the manifest alone would give.
        granted = restricted(wasi.provider(clocks=wasi.Clocks(), sockets=sockets), loaded.manifest)
        imports = wit.HttpComponentImports(logging=logging, readiness=Readiness(), tls=tls)
        providers = (granted, *loaded.providers)
        left: Callable[[], None] | None = None
        if progress is not None and speaks_of(loaded.manifest, "runner:progress"):
            client = progress().client()
            providers = (restricted(client.provider(), loaded.manifest), *providers)
            left = partial(_leave, client)
        world = wit.HttpComponent(loaded.component, imports, providers=providers, limits=loaded.limits)
        return Guest(world, sockets, left)

    return make


def _leave(client: Client) -> None:
    try:
        client.close()
    except progress_client.ErrorException as error:
        # The disk is in trouble; subscriptions without a name end with the process at the latest.
        structlog.get_logger("runner.http").warning("progress was not left", problem=error.value.message)
