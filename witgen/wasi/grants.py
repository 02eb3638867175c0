"""What components are granted: the provider that serves the packages of WASI, and withholds the rest.

A package is granted by an object that has its interfaces; which class that is does not matter here.
"""

from __future__ import annotations

from typing import Any, Protocol

from witgen import runtime as rt
from witgen.wasi.bindings import host
from witgen.wasi.poll import Poll

__all__ = ["CliHost", "ClocksHost", "FilesystemHost", "RandomHost", "SocketsHost", "provider"]


class ClocksHost(Protocol):
    """What grants `wasi:clocks`."""

    @property
    def monotonic(self) -> host.MonotonicClock:
        """Serves `wasi:clocks/monotonic-clock`."""
        raise NotImplementedError

    @property
    def wall(self) -> host.WallClock:
        """Serves `wasi:clocks/wall-clock`."""
        raise NotImplementedError


class RandomHost(host.Random, host.Insecure, host.InsecureSeed, Protocol):
    """What grants `wasi:random`."""


class CliHost(
    host.Environment,
    host.Exit,
    host.Stdin,
    host.Stdout,
    host.Stderr,
    host.TerminalStdin,
    host.TerminalStdout,
    host.TerminalStderr,
    Protocol,
):
    """What grants `wasi:cli`."""


class FilesystemHost(host.Types, host.Preopens, Protocol):
    """What grants `wasi:filesystem`."""


class SocketsHost(
    host.InstanceNetwork,
    host.Udp,
    host.UdpCreateSocket,
    host.Tcp,
    host.TcpCreateSocket,
    host.IpNameLookup,
    Protocol,
):
    """What grants `wasi:sockets`."""


def provider(
    *,
    clocks: ClocksHost | None = None,
    random: RandomHost | None = None,
    cli: CliHost | None = None,
    filesystem: FilesystemHost | None = None,
    sockets: SocketsHost | None = None,
) -> rt.Provider:
    """Serves WASI 0.2 to components of any world: `wasi:io`, and each package that is granted by an object.

    A component that asks for anything else does not link. ``withhold`` of what comes back takes single interfaces away.
    """
    granted = {
        "wasi:clocks": clocks,
        "wasi:random": random,
        "wasi:cli": cli,
        "wasi:filesystem": filesystem,
        "wasi:sockets": sockets,
    }
    # What is withheld is never called, so it need not be there.
    absent: Any = None
    imports = host.HostImports(
        environment=cli or absent,
        exit=cli or absent,
        error=_Resources(),
        poll=Poll(),
        streams=_Resources(),
        stdin=cli or absent,
        stdout=cli or absent,
        stderr=cli or absent,
        terminal_stdin=cli or absent,
        terminal_stdout=cli or absent,
        terminal_stderr=cli or absent,
        monotonic_clock=absent if clocks is None else clocks.monotonic,
        wall_clock=absent if clocks is None else clocks.wall,
        types=filesystem or absent,
        preopens=filesystem or absent,
        instance_network=sockets or absent,
        udp=sockets or absent,
        udp_create_socket=sockets or absent,
        tcp=sockets or absent,
        tcp_create_socket=sockets or absent,
        ip_name_lookup=sockets or absent,
        random=random or absent,
        insecure=random or absent,
        insecure_seed=random or absent,
    )
    missing = [package for package, capability in granted.items() if capability is None]
    return host.provider(imports).withhold(*missing)


class _Resources:
    """An interface that has resources alone."""
