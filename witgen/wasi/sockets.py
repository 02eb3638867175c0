"""`wasi:sockets` as a grant: which addresses, ports and names components may use, and how many sockets at once.

This is where the interfaces of the package come together; what they do is in `tcp`, `udp` and `lookup`.
"""

from __future__ import annotations

from collections.abc import Sequence

from witgen.wasi.bindings import host
from witgen.wasi.lookup import resolve_addresses
from witgen.wasi.network import Code, Network, network_error_code
from witgen.wasi.policy import Policy
from witgen.wasi.system_socket import Slots
from witgen.wasi.tcp import TcpSocket
from witgen.wasi.udp import UdpSocket

__all__ = ["Sockets"]


class Sockets:
    """All interfaces of `wasi:sockets`, for components that share the grant.

    `connect` are rules for the addresses and ports that they may connect and send to, `bind` for those that they may
    bind to, both as `policy` describes them (``"10.0.0.0/8:443"``, ``"[::1]:8000-9000"``, ``"example.org:443"``).
    `lookup` says which names may be looked up: all, none, or a list of them (``"example.org"``, ``"*.example.org"``).
    `max_sockets` is how many sockets and look-ups there may be at once. Nothing is granted by itself.
    """

    def __init__(
        self,
        connect: Sequence[str] = (),
        bind: Sequence[str] = (),
        lookup: bool | Sequence[str] = False,
        *,
        max_sockets: int = 256,
    ) -> None:
        """Raises ValueError for a rule that can't be read, with its place, and TypeError for a string as a list."""
        self._policy = Policy(connect, bind, lookup)
        self._slots = Slots(max_sockets)

    def instance_network(self) -> host.Network:
        """The network that the rules describe (`instance-network`)."""
        return Network(self._policy)

    def network_error_code(self, err: host.ErrorError) -> Code | None:
        """What WASI calls the error of a stream, if it was a socket's (`network`)."""
        return network_error_code(err)

    def create_tcp_socket(self, address_family: host.IpAddressFamily) -> host.TcpSocket:
        """A new socket, attached to no network yet (`tcp-create-socket`)."""
        return TcpSocket.create(address_family, self._slots)

    def create_udp_socket(self, address_family: host.IpAddressFamily) -> host.UdpSocket:
        """A new socket, attached to no network yet (`udp-create-socket`)."""
        return UdpSocket.create(address_family, self._slots)

    def resolve_addresses(self, network: host.Network, name: str) -> host.ResolveAddressStream:
        """Begins to look up a name (`ip-name-lookup`)."""
        return resolve_addresses(network, name, self._slots)
