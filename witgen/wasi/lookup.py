"""`wasi:sockets/ip-name-lookup`: addresses of names, from the system's resolver.

The resolver blocks, so it is asked in threads, few of them; a guest that waits does so at a pipe, together with all
else that it waits for. Which names may be asked for is for `policy`.
"""

from __future__ import annotations

import collections
import contextlib
import os
import select
import socket
import threading

from witgen.wasi.bindings import host
from witgen.wasi.names import domain_name
from witgen.wasi.network import Code, address_of, code_of, failure, policy_of, refuse
from witgen.wasi.policy import Policy, is_mapped
from witgen.wasi.poll import Pollable, Waitable, Wants
from witgen.wasi.resource import Resource
from witgen.wasi.system_socket import Slots

__all__ = ["ResolveAddressStream", "resolve_addresses"]

#: How many names are asked for at once, by all components together. Others wait for their turn.
_THREADS = 8

#: What WASI calls the errors of getaddrinfo, as far as this system has them.
_CODES: dict[int, Code] = {
    getattr(socket, name): code
    for name, code in {
        "EAI_NONAME": Code.NAME_UNRESOLVABLE,
        "EAI_NODATA": Code.NAME_UNRESOLVABLE,
        "EAI_ADDRFAMILY": Code.NAME_UNRESOLVABLE,
        "EAI_AGAIN": Code.TEMPORARY_RESOLVER_FAILURE,
        "EAI_FAIL": Code.PERMANENT_RESOLVER_FAILURE,
        "EAI_MEMORY": Code.OUT_OF_MEMORY,
    }.items()
    if hasattr(socket, name)
}


class Query:
    """A question to the resolver, and its answer. `reader` is a pipe that ends when there is one."""

    def __init__(self, name: str, slots: Slots) -> None:
        """Takes a place of `slots`, until it is answered. Raises `new-socket-limit` and `out-of-memory`."""
        self.name = name
        self.answer: list[bytes] | Code | None = None
        self.given_up = False
        self._slots = slots
        slots.take()
        try:
            self.reader, self._writer = os.pipe()
        except OSError as error:
            slots.give_back()
            raise failure(error) from None

    def run(self) -> None:
        """Asks, in whichever thread it is called."""
        self.finish(Code.UNKNOWN if self.given_up else _look_up(self.name))

    def finish(self, answer: list[bytes] | Code) -> None:
        """Has the answer, and says so."""
        self.answer = answer
        self._slots.give_back()
        os.close(self._writer)


class Resolver:
    """The threads that ask. They end when there is nothing to ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0
        self._waiting: collections.deque[Query] = collections.deque()
        self._lock = threading.Lock()

    def ask(self, query: Query) -> None:
        """Has a query answered, now or in its turn."""
        with self._lock:
            self._waiting.append(query)
            if self._running == self._most:
                return
            self._running += 1
        try:
            # A resolver that gives no answer must not keep the program from ending.
            threading.Thread(target=self._work, name="wasi-lookup", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._running -= 1
                idle = not self._running and query in self._waiting
                if idle:
                    self._waiting.remove(query)
            if idle:
                query.finish(Code.OUT_OF_MEMORY)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                query = self._waiting.popleft()
            query.run()


_resolver = Resolver(_THREADS)


class ResolveAddressStream(Resource, Waitable):
    """`resolve-address-stream`: the addresses of one name, in the order in which they should be tried."""

    kind = "resolve-address-stream"

    def __init__(self, policy: Policy, query: Query | None, addresses: list[bytes]) -> None:
        super().__init__()
        self._policy = policy
        self._query = query
        self._addresses = addresses
        self._code: Code | None = None

    def resolve_next_address(self) -> host.IpAddress | None:
        """The next address; None after the last one. Raises `host.NetworkErrorCodeException`."""
        if self._query is not None:
            self._take_answer(self._query)
        if self._code is not None:
            refuse(self._code)
        return address_of(self._addresses.pop(0)) if self._addresses else None

    def subscribe(self) -> host.Pollable:
        """A pollable that is ready when the addresses are there, or it is known that there are none."""
        return Pollable(self)

    def wants(self) -> Wants:
        """The answer."""
        return None if self._query is None else (self._query.reader, select.POLLIN)

    def release(self) -> None:
        """Gives up the question, if it has not been answered."""
        query, self._query = self._query, None
        if query is not None:
            query.given_up = True
            os.close(query.reader)

    def __del__(self) -> None:
        # An instance that is thrown away drops no handles.
        with contextlib.suppress(AttributeError):
            self.release()

    def _take_answer(self, query: Query) -> None:
        if query.answer is None:
            refuse(Code.WOULD_BLOCK)
        if isinstance(query.answer, Code):
            self._code = query.answer
        else:
            self._addresses = query.answer
            self._policy.found(query.name, query.answer)
        self.release()


def resolve_addresses(network: host.Network, name: str, slots: Slots) -> ResolveAddressStream:
    """Begins to look up a name; an address in text stands for itself, and nobody is asked for it.

    Raises `host.NetworkErrorCodeException`: `invalid-argument` for what is neither, `access-denied`.
    """
    policy = policy_of(network)
    address = _literal(name)
    if address is not None:
        return ResolveAddressStream(policy, None, [address])
    try:
        found = domain_name(name)
    except ValueError:
        refuse(Code.INVALID_ARGUMENT)
    if not policy.may_look_up(found):
        refuse(Code.ACCESS_DENIED)
    query = Query(found, slots)
    stream = ResolveAddressStream(policy, query, [])
    _resolver.ask(query)
    return stream


def _literal(text: str) -> bytes | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            return socket.inet_pton(family, text)
    return None


def _look_up(name: str) -> list[bytes] | Code:
    """The addresses that the system's resolver has, in its order, each once; or why there are none."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return _CODES.get(error.errno or 0, Code.UNKNOWN)
    except OSError as error:
        return code_of(error)
    except ValueError:
        return Code.NAME_UNRESOLVABLE
    packed = [socket.inet_pton(family, str(address[0]).partition("%")[0]) for family, _, _, _, address in found]
    plain = [address[-4:] if is_mapped(address) else address for address in packed]
    return list(dict.fromkeys(plain)) or Code.NAME_UNRESOLVABLE
