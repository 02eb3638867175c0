"""`wasi:sockets/network`: the network as a capability, its addresses, and what its errors are called.

It turns addresses and errors of the operating system into those of WASI and back. It knows no sockets and no states.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias

from witgen.wasi.bindings import host
from witgen.wasi.bindings.host import NetworkErrorCode as Code
from witgen.wasi.io import IoError
from witgen.wasi.policy import Policy, is_mapped
from witgen.wasi.resource import Resource

__all__ = [
    "AF",
    "Code",
    "Network",
    "NetworkError",
    "SocketAddress",
    "address_of",
    "code_of",
    "failure",
    "is_unicast",
    "is_unspecified",
    "network_error_code",
    "pack",
    "policy_of",
    "refuse",
    "to_remote",
    "to_system",
    "to_wasi",
]

#: An address of the operating system, as Python has them: host and port, for IPv6 flow information and scope as well.
SocketAddress: TypeAlias = "tuple[str, int] | tuple[str, int, int, int]"

#: The address families of the operating system.
AF = {host.IpAddressFamily.IPV4: socket.AF_INET, host.IpAddressFamily.IPV6: socket.AF_INET6}

_WORDS = struct.Struct(">8H")
#: The flow label and traffic class of IPv6 have these bits; the type in WIT has more.
_HIGHEST_FLOW = 0xFFFFF

#: What WASI calls the errors of the operating system, as far as this one has them.
_CODES: dict[int, Code] = {
    getattr(errno, name): code
    for code, names in {
        Code.ACCESS_DENIED: "EACCES EPERM",
        Code.NOT_SUPPORTED: "EOPNOTSUPP EAFNOSUPPORT EPROTONOSUPPORT ENOPROTOOPT",
        Code.INVALID_ARGUMENT: "EINVAL EFAULT ENODEV ENXIO",
        Code.OUT_OF_MEMORY: "ENOMEM ENOBUFS",
        Code.TIMEOUT: "ETIMEDOUT",
        Code.CONCURRENCY_CONFLICT: "EALREADY",
        Code.WOULD_BLOCK: "EWOULDBLOCK EAGAIN EINPROGRESS",
        Code.INVALID_STATE: "ENOTCONN EISCONN EDESTADDRREQ",
        Code.NEW_SOCKET_LIMIT: "EMFILE ENFILE",
        Code.ADDRESS_NOT_BINDABLE: "EADDRNOTAVAIL",
        Code.ADDRESS_IN_USE: "EADDRINUSE",
        Code.REMOTE_UNREACHABLE: "EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENONET",
        Code.CONNECTION_REFUSED: "ECONNREFUSED",
        Code.CONNECTION_RESET: "ECONNRESET ENETRESET EPIPE",
        Code.CONNECTION_ABORTED: "ECONNABORTED EPROTO",
        Code.DATAGRAM_TOO_LARGE: "EMSGSIZE",
    }.items()
    for name in names.split()
    if hasattr(errno, name)
}


class Network(Resource):
    """`network`: the capability to use what a policy allows."""

    kind = "network"

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy


class NetworkError(IoError):
    """An `error` of a stream of a socket."""


def network_error_code(err: host.ErrorError) -> Code | None:
    """What WASI calls the error of a stream, if that was one of a socket (`network-error-code`)."""
    return code_of(err.error) if isinstance(err, NetworkError) else None


def code_of(error: OSError, special: Mapping[int, Code] | None = None) -> Code:
    """What WASI calls an error; `special` are codes that an operation has for itself."""
    number = error.errno or 0
    return (special or {}).get(number) or _CODES.get(number, Code.UNKNOWN)


def failure(error: OSError, special: Mapping[int, Code] | None = None) -> host.NetworkErrorCodeException:
    """The exception that tells a component of an error."""
    return host.NetworkErrorCodeException(code_of(error, special))


def refuse(code: Code) -> NoReturn:
    """Raises `host.NetworkErrorCodeException`."""
    raise host.NetworkErrorCodeException(code)


def policy_of(network: host.Network) -> Policy:
    """What a network allows. Raises `invalid-argument` for one of another host, which is none of ours to judge."""
    if not isinstance(network, Network):
        refuse(Code.INVALID_ARGUMENT)
    return network.policy


def pack(address: host.IpSocketAddress) -> tuple[bytes, int]:
    """The bytes of an address, 4 or 16, and its port."""
    inner = address.value
    if isinstance(inner, host.Ipv4SocketAddress):
        return bytes(inner.address), inner.port
    return _WORDS.pack(*inner.address), inner.port


def to_system(address: host.IpSocketAddress, family: host.IpAddressFamily) -> SocketAddress:
    """An address for the operating system.

    Raises `invalid-argument` for one of another family, for an IPv4 address in the clothes of IPv6, which is another
    way to say what has to be said plainly, and for flow information of more than 20 bits.
    """
    inner = address.value
    packed, port = pack(address)
    if (len(packed) == 4) is not (family is host.IpAddressFamily.IPV4) or is_mapped(packed):
        refuse(Code.INVALID_ARGUMENT)
    if isinstance(inner, host.Ipv4SocketAddress):
        return socket.inet_ntop(socket.AF_INET, packed), port
    if inner.flow_info > _HIGHEST_FLOW:
        refuse(Code.INVALID_ARGUMENT)
    return socket.inet_ntop(socket.AF_INET6, packed), port, inner.flow_info, inner.scope_id


def to_wasi(address: Any) -> host.IpSocketAddress:
    """An address of the operating system, as `SocketAddress`, for a component."""
    if len(address) == 2:
        text, port = address
        a, b, c, d = socket.inet_pton(socket.AF_INET, text)
        return host.IpSocketAddress_Ipv4(host.Ipv4SocketAddress(port, (a, b, c, d)))
    text, port, flow, scope = address
    a, b, c, d, e, f, g, h = _WORDS.unpack(socket.inet_pton(socket.AF_INET6, text.partition("%")[0]))
    return host.IpSocketAddress_Ipv6(host.Ipv6SocketAddress(port, flow, (a, b, c, d, e, f, g, h), scope))


def address_of(packed: bytes) -> host.IpAddress:
    """The address that 4 or 16 bytes are; of an IPv4 address in the clothes of IPv6 the one that it stands for."""
    if is_mapped(packed):
        packed = packed[-4:]
    if len(packed) == 4:
        a, b, c, d = packed
        return host.IpAddress_Ipv4((a, b, c, d))
    a, b, c, d, e, f, g, h = _WORDS.unpack(packed)
    return host.IpAddress_Ipv6((a, b, c, d, e, f, g, h))


def is_unspecified(packed: bytes) -> bool:
    """Whether these are the bytes of ``0.0.0.0`` or ``::``."""
    return not any(packed)


def is_unicast(packed: bytes) -> bool:
    """Whether these are the bytes of an address of one host: neither multicast nor broadcast."""
    if len(packed) == 16:
        return packed[0] != 0xFF
    return not 224 <= packed[0] <= 239 and packed != b"\xff\xff\xff\xff"


def to_remote(address: host.IpSocketAddress, family: host.IpAddressFamily) -> SocketAddress:
    """As `to_system`, for the other end: raises `invalid-argument` for one without a host or a port, too."""
    found = to_system(address, family)
    packed, port = pack(address)
    if is_unspecified(packed) or not port:
        refuse(Code.INVALID_ARGUMENT)
    return found
