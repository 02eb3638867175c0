"""Instances of the HTTP component, with what its manifest grants of the Runner's sockets, clocks, logs and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import runner.bindings.http_component as wit
from runner import component_server
from runner.granting import restricted
from runner.host import Logging, Readiness, Tls
from runner.host.sockets import RunnerSockets
from runner.http.server import Guest
from runner.loading import LoadedComponent
from runner.progress import Progress
from runner.progress.granting import granted_progress
from witgen import wasi

__all__ = ["guests"]


def guests(
    loaded: LoadedComponent,
    listening: Sequence[socket.socket],
    logging: Logging,
    tls: Tls,
    progress: Callable[[], Progress],
) -> Callable[[], Guest]:
    """Makes instances that may listen on the Runner's sockets; `progress` is for those whose manifest asks for it."""
    network = loaded.inspected.grants.network

    def make() -> Guest:
        sockets = RunnerSockets(
            listening, network.connect, network.bind, network.lookup, max_sockets=network.max_sockets
        )
        # The Runner's sockets go before those that the manifest alone would give.
        granted = restricted(wasi.provider(clocks=wasi.Clocks(), sockets=sockets), loaded.manifest)
        imports = wit.HttpComponentImports(logging=logging, readiness=Readiness(), tls=tls)
        extra, left = granted_progress(loaded, progress)
        providers = (granted, *extra, *loaded.providers)
        world = wit.HttpComponent(loaded.component, imports, providers=providers, limits=loaded.limits)
        return component_server.Guest(world, sockets, left)

    return make
