"""Which addresses, ports and names a guest may use: the rules of `wasi.Sockets`.

It reads rules and compares; it opens no socket and asks no resolver. A rule is

    rule  = [ ("tcp" | "udp") "://" ] host ":" ports
    host  = "*" | IPv4 [ "/" bits ] | "[" IPv6 [ "/" bits ] "]" | [ "*." ] name
    ports = "*" | part { "," part }
    part  = number [ "-" number ]

and what no rule allows is denied. docs/wasi-sockets.md explains them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from witgen.wasi.names import domain_name, is_below

__all__ = ["Policy", "Rule", "is_mapped"]

_PROTOCOLS = ("tcp", "udp")
_MAPPED = b"\0" * 10 + b"\xff\xff"
#: How many addresses are remembered that a look-up gave for the name of a rule; the oldest are forgotten first.
_REMEMBERED = 4096


def is_mapped(address: bytes) -> bool:
    """Whether an address is an IPv4 address in the clothes of IPv6 (RFC 4291, section 2.5.5.2)."""
    return address.startswith(_MAPPED)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The addresses of one family that begin with the same bits; `first` is the first of them, 4 or 16 bytes."""

    first: bytes
    bits: int

    def __contains__(self, address: bytes) -> bool:
        if len(address) != len(self.first):
            return False
        # To bind to the unspecified address is to bind to all: that it lies in a part of them is not enough.
        if not any(address) and 0 < self.bits < 8 * len(address):
            return False
        rest = 8 * len(address) - self.bits
        return int.from_bytes(address) >> rest == int.from_bytes(self.first) >> rest


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `host` is None for any address, and a string for the addresses that a look-up of the name gives.

    `protocol` is None for both, `ports` are ranges that include their last number.
    """

    protocol: str | None
    host: Prefix | str | None
    ports: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str, lowest_port: int = 0) -> Rule:
        """The rule that a text says. Raises ValueError that names the part which is wrong."""
        protocol, separator, rest = text.partition("://")
        if not separator:
            protocol, rest = "", text
        elif protocol not in _PROTOCOLS:
            raise ValueError(f"{protocol!r} is no protocol: there are tcp:// and udp://")
        host, colon, ports = rest.rpartition(":")
        if not colon or "]" in ports:
            raise ValueError("it has no ports: write HOST:PORTS, or HOST:* for all of them")
        return cls(protocol or None, _host(host), _ports(ports, lowest_port))

    def covers(self, protocol: str, port: int) -> bool:
        """Whether it is about this protocol and port."""
        return self.protocol in (None, protocol) and any(low <= port <= high for low, high in self.ports)


def _host(text: str) -> Prefix | str | None:
    if text == "*":
        return None
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError(f"{text!r} has no closing bracket")
        return _prefix(text[1:-1], socket.AF_INET6, "IPv6")
    if ":" in text:
        raise ValueError(f"write an IPv6 address in brackets: [{text}]")
    if text.replace(".", "").replace("/", "").isdigit():
        return _prefix(text, socket.AF_INET, "IPv4")
    if text.startswith("*."):
        return "*." + domain_name(text[2:])
    return domain_name(text)


def _prefix(text: str, family: int, shown: str) -> Prefix:
    address, slash, bits = text.partition("/")
    try:
        first = socket.inet_pton(family, address)
    except OSError:
        raise ValueError(f"{address!r} is no {shown} address") from None
    if is_mapped(first):
        raise ValueError(f"{address} is the IPv4 address {socket.inet_ntop(socket.AF_INET, first[-4:])}: write that")
    longest = 8 * len(first)
    length = _number(bits, 0, longest, f"the length of a prefix of {shown}") if slash else longest
    if int.from_bytes(first) & ((1 << longest - length) - 1):
        raise ValueError(f"{address} is not the first address of a network with a prefix of {length} bits")
    return Prefix(first, length)


def _ports(text: str, lowest: int) -> tuple[tuple[int, int], ...]:
    if text == "*":
        return ((0, 65535),)
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        first = _number(low, lowest, 65535, "a port")
        last = _number(high, lowest, 65535, "a port") if dash else first
        if last < first:
            raise ValueError(f"the ports {part} run backwards")
        found.append((first, last))
    return tuple(found)


def _number(text: str, low: int, high: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and low <= int(text) <= high):
        raise ValueError(f"{text!r} is not {what}, a number from {low} to {high}")
    return int(text)


class Policy:
    """What a network allows. Addresses are packed: 4 bytes for IPv4, 16 for IPv6.

    A rule of `connect` by name lets its name be looked up, and allows the addresses that the guest was given for it.
    """

    def __init__(
        self, connect: Sequence[str] = (), bind: Sequence[str] = (), lookup: bool | Sequence[str] = False
    ) -> None:
        """Raises ValueError, with the number of the rule, for one that can't be read; TypeError for one string."""
        self._connect = [_parsed("connect", item, 1) for item in _each("connect", connect)]
        self._bind = [_parsed("bind", item, 0) for item in _each("bind", bind)]
        self._lookup = lookup if isinstance(lookup, bool) else [_pattern(item) for item in _each("lookup", lookup)]
        #: The rules by name that addresses came under, by address.
        self._found: dict[bytes, frozenset[Rule]] = {}

    def may_connect(self, protocol: str, address: bytes, port: int) -> bool:
        """Whether a guest may connect, or send datagrams, to an address and port."""
        return self._allows(self._connect, protocol, address, port)

    def may_bind(self, protocol: str, address: bytes, port: int) -> bool:
        """Whether a guest may bind to an address and port; port 0 stands for any that is free."""
        return self._allows(self._bind, protocol, address, port)

    def may_look_up(self, name: str) -> bool:
        """Whether a guest may ask for the addresses of a name, which is as `domain_name` gives it."""
        if isinstance(self._lookup, bool):
            allowed = self._lookup
        else:
            allowed = any(is_below(name, pattern) for pattern in self._lookup)
        return allowed or any(isinstance(rule.host, str) and is_below(name, rule.host) for rule in self._connect)

    def found(self, name: str, addresses: Iterable[bytes]) -> None:
        """Remembers what a look-up gave, for the rules that have its name."""
        rules = frozenset(rule for rule in self._connect if isinstance(rule.host, str) and is_below(name, rule.host))
        if not rules:
            return
        for address in addresses:
            self._found[address] = self._found.pop(address, frozenset()) | rules
        for oldest in list(self._found)[:-_REMEMBERED]:
            self._found.pop(oldest, None)

    def _allows(self, rules: Sequence[Rule], protocol: str, address: bytes, port: int) -> bool:
        if is_mapped(address):
            address = address[-4:]
        return any(rule.covers(protocol, port) and self._meets(rule, address) for rule in rules)

    def _meets(self, rule: Rule, address: bytes) -> bool:
        if isinstance(rule.host, str):
            return rule in self._found.get(address, ())
        return rule.host is None or address in rule.host


def _each(argument: str, rules: Sequence[str]) -> list[tuple[int, str]]:
    if isinstance(rules, str):
        raise TypeError(f"{argument} is a list of rules, not one string: [{rules!r}]")
    return list(enumerate(rules))


def _parsed(argument: str, item: tuple[int, str], lowest_port: int) -> Rule:
    index, text = item
    try:
        rule = Rule.parse(text, lowest_port)
        if argument == "bind" and isinstance(rule.host, str):
            raise ValueError(f"{rule.host!r} is a name: bind to addresses")
    except ValueError as error:
        raise ValueError(f"{argument}[{index}], {text!r}: {error}") from None
    return rule


def _pattern(item: tuple[int, str]) -> str:
    index, text = item
    try:
        return "*." + domain_name(text[2:]) if text.startswith("*.") else domain_name(text)
    except ValueError as error:
        raise ValueError(f"lookup[{index}], {text!r}: {error}") from None
