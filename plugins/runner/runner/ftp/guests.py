"""Instances of the FTP component, with what its manifest grants of the Runner's sockets, clocks, logs and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import runner.bindings.ftp_component as wit
from runner import component_server
from runner.ftp.config import FtpConfig
from runner.ftp.imports import imports
from runner.ftp.server import Guest
from runner.ftp.sockets import FtpSockets
from runner.granting import restricted
from runner.host import Logging, Tls
from runner.loading import LoadedComponent
from runner.progress import Progress
from runner.progress.granting import granted_progress
from witgen import wasi

__all__ = ["guests"]


def guests(
    loaded: LoadedComponent,
    listening: Sequence[socket.socket],
    config: FtpConfig,
    logging: Logging,
    tls: Tls,
    progress: Callable[[], Progress],
) -> Callable[[], Guest]:
    """Makes instances that may listen on the Runner's sockets, and make data connections as `config` allows them.

    What the manifest says of addresses does not count: clients are all that there is to reach. `progress` is for those
    whose manifest asks for it.
    """
    network = loaded.inspected.grants.network

    def make() -> Guest:
        sockets = FtpSockets(listening, config.passive_ports, active=config.active, max_sockets=network.max_sockets)
        granted = restricted(
            wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), sockets=sockets), loaded.manifest
        )
        extra, left = granted_progress(loaded, progress)
        providers = (granted, *extra, *loaded.providers)
        world = wit.FtpComponent(loaded.component, imports(logging, tls), providers=providers, limits=loaded.limits)
        return component_server.Guest(world, sockets, left)

    return make
