"""Instances of the HTTP component, with what its manifest grants of the Runner's sockets, clocks, logs and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import runner.bindings.http_component as wit
from runner.host.logging import Logging
from runner.host.readiness import Readiness
from runner.host.sockets import RunnerSockets
from runner.host.tls import Tls
from runner.http.server import Guest
from runner.loading import Loaded, load
from witgen import wasi

__all__ = ["guests", "load_http"]


def load_http(where: Path, lock: Path | None = None) -> Loaded:
    """The component of a manifest. Raises `WitError` with all that is wrong."""
    # Which interfaces of WASI there are does not depend on what is granted.
    granted = wasi.provider(clocks=wasi.Clocks(), sockets=wasi.Sockets())
    return load(where, wit.CONTRACT, provided=(granted.contract,), lock=lock)


def guests(loaded: Loaded, listening: Sequence[socket.socket], logging: Logging, tls: Tls) -> Callable[[], Guest]:
    """Makes instances that may listen on the Runner's sockets."""

    def make() -> Guest:
        grants = loaded.grants
        sockets = RunnerSockets(listening, grants.connect, grants.lookup, max_sockets=grants.sockets)
        granted = wasi.provider(clocks=wasi.Clocks(), sockets=sockets)
        imports = wit.HttpComponentImports(logging=logging, readiness=Readiness(), tls=tls)
        world = wit.HttpComponent(loaded.component, imports, providers=[granted], limits=loaded.limits)
        return Guest(world, sockets)

    return make
