"""Rules of who may connect, bind and look up: what they mean, what is refused, and what gets round none of them."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witgen.wasi.policy import Policy


def packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def connects(rule: str, text: str, port: int, protocol: str = "tcp") -> bool:
    return Policy(connect=[rule]).may_connect(protocol, packed(text), port)


def binds(rule: str, text: str, port: int) -> bool:
    return Policy(bind=[rule]).may_bind("tcp", packed(text), port)


def test_nothing_is_allowed_by_itself() -> None:
    policy = Policy()
    assert not policy.may_connect("tcp", packed("127.0.0.1"), 80)
    assert not policy.may_bind("tcp", packed("127.0.0.1"), 0)
    assert not policy.may_look_up("example.org")


@pytest.mark.parametrize(
    "rule, text, port",
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("10.0.0.0/8:*", "10.255.0.3", 65535),
        ("10.0.0.0/8:1-1023,8080", "10.1.2.3", 8080),
        ("[::1]:8000-9000", "::1", 9000),
        ("[fd00::/8]:443", "fdff::1", 443),
        ("*:443", "192.0.2.1", 443),
        ("*:443", "2001:db8::1", 443),
        ("0.0.0.0/0:443", "192.0.2.1", 443),
        ("[::/0]:443", "2001:db8::1", 443),
        ("tcp://192.0.2.1:443", "192.0.2.1", 443),
    ],
)
def test_a_rule_allows_what_it_says(rule: str, text: str, port: int) -> None:
    assert connects(rule, text, port)


@pytest.mark.parametrize(
    "rule, text, port",
    [
        ("127.0.0.1:80", "127.0.0.1", 81),
        ("127.0.0.1:80", "127.0.0.2", 80),
        ("10.0.0.0/8:*", "11.0.0.0", 80),
        ("10.0.0.0/8:1-1023,8080", "10.1.2.3", 1024),
        ("[::1]:8000-9000", "::1", 9001),
        ("[::1]:8000-9000", "::2", 8000),
        ("0.0.0.0/0:443", "2001:db8::1", 443),
        ("[::/0]:443", "192.0.2.1", 443),
        ("udp://192.0.2.1:443", "192.0.2.1", 443),
    ],
)
def test_a_rule_allows_nothing_else(rule: str, text: str, port: int) -> None:
    assert not connects(rule, text, port)


def test_a_rule_for_a_protocol_leaves_the_other_alone() -> None:
    assert connects("udp://*:53", "192.0.2.1", 53, "udp")
    assert not connects("udp://*:53", "192.0.2.1", 53, "tcp")
    assert connects("*:53", "192.0.2.1", 53, "udp")


def test_an_ipv4_address_in_the_clothes_of_ipv6_is_judged_as_what_it_is() -> None:
    assert not connects("[::/0]:80", "::ffff:10.0.0.1", 80)
    assert connects("10.0.0.1:80", "::ffff:10.0.0.1", 80)
    assert not connects("10.0.0.1:80", "::ffff:10.0.0.2", 80)


def test_any_free_port_is_port_0() -> None:
    assert binds("127.0.0.1:0", "127.0.0.1", 0)
    assert binds("127.0.0.1:*", "127.0.0.1", 0)
    assert binds("127.0.0.1:0-99", "127.0.0.1", 0)
    assert not binds("127.0.0.1:1-65535", "127.0.0.1", 0)
    assert not binds("127.0.0.1:0", "127.0.0.1", 8080)


def test_all_interfaces_are_more_than_any_part_of_them() -> None:
    assert binds("0.0.0.0:80", "0.0.0.0", 80)
    assert binds("*:80", "::", 80)
    assert binds("[::/0]:80", "::", 80)
    assert not binds("0.0.0.0/1:80", "0.0.0.0", 80)
    assert not binds("[::/64]:80", "::", 80)
    assert not binds("127.0.0.0/8:80", "0.0.0.0", 80)
    assert not binds("0.0.0.0:80", "127.0.0.1", 80)


def test_one_rule_of_several_is_enough() -> None:
    policy = Policy(connect=["127.0.0.1:80", "*:443"])
    assert policy.may_connect("tcp", packed("127.0.0.1"), 80)
    assert policy.may_connect("tcp", packed("192.0.2.1"), 443)
    assert not policy.may_connect("tcp", packed("192.0.2.1"), 80)


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 128), st.integers(1, 65535))
def test_a_prefix_allows_what_has_its_bits(one: object, other: object, bits: int, port: int) -> None:
    first, second = packed(str(one)), packed(str(other))
    longest = 8 * len(first)
    bits = min(bits, longest)
    base = (int.from_bytes(first) >> longest - bits << longest - bits).to_bytes(len(first))
    if first.startswith(b"\0" * 10 + b"\xff\xff") or base.startswith(b"\0" * 10 + b"\xff\xff"):
        return
    text = socket.inet_ntop(socket.AF_INET if longest == 32 else socket.AF_INET6, base)
    policy = Policy(connect=[f"{text}/{bits}:*" if longest == 32 else f"[{text}/{bits}]:*"])
    if any(first):
        assert policy.may_connect("tcp", first, port)
    if len(second) == len(first) and any(second) and not second.startswith(b"\0" * 10 + b"\xff\xff"):
        same = int.from_bytes(second) >> longest - bits == int.from_bytes(base) >> longest - bits
        assert policy.may_connect("tcp", second, port) is same


# Names


def test_a_name_may_be_looked_up_where_it_is_listed() -> None:
    policy = Policy(lookup=["example.org", "*.example.net"])
    assert policy.may_look_up("example.org")
    assert policy.may_look_up("a.example.net")
    assert policy.may_look_up("a.b.example.net")
    for name in ("www.example.org", "example.net", "badexample.net", "example.org.evil.com"):
        assert not policy.may_look_up(name)


def test_names_are_compared_in_one_spelling() -> None:
    assert Policy(lookup=["EXAMPLE.org."]).may_look_up("example.org")
    assert Policy(lookup=["bücher.example"]).may_look_up("xn--bcher-kva.example")


def test_a_rule_by_name_allows_the_addresses_that_were_looked_up() -> None:
    policy = Policy(connect=["example.org:443"])
    assert policy.may_look_up("example.org")
    assert not policy.may_look_up("example.net")
    assert not policy.may_connect("tcp", packed("192.0.2.1"), 443)
    policy.found("example.org", [packed("192.0.2.1")])
    policy.found("example.net", [packed("192.0.2.2")])
    assert policy.may_connect("tcp", packed("192.0.2.1"), 443)
    assert not policy.may_connect("tcp", packed("192.0.2.1"), 80)
    assert not policy.may_connect("tcp", packed("192.0.2.2"), 443)


def test_an_address_of_two_names_has_the_ports_of_both() -> None:
    policy = Policy(connect=["a.example:1", "*.example:2"])
    policy.found("a.example", [packed("192.0.2.1")])
    policy.found("b.example", [packed("192.0.2.2")])
    ports = [[policy.may_connect("tcp", packed(f"192.0.2.{n}"), port) for port in (1, 2)] for n in (1, 2)]
    assert ports == [[True, True], [False, True]]


def test_names_do_not_fill_the_memory() -> None:
    policy = Policy(connect=["*.example:443"])
    for number in range(10_000):
        policy.found("a.example", [number.to_bytes(4)])
    assert len(policy._found) == 4096
    assert policy.may_connect("tcp", (9_999).to_bytes(4), 443)


# What can't be read


@pytest.mark.parametrize(
    "rule, problem",
    [
        ("", "no ports"),
        ("127.0.0.1", "no ports"),
        ("[::1]", "no ports"),
        ("127.0.0.1:", "'' is not a port, a number from 1 to 65535"),
        ("127.0.0.1:http", "'http' is not a port"),
        ("127.0.0.1:65536", "'65536' is not a port"),
        ("127.0.0.1:0", "'0' is not a port, a number from 1"),
        ("127.0.0.1:9-8", "the ports 9-8 run backwards"),
        ("127.0.0.1:80,", "'' is not a port"),
        ("127.0.0.1: 80", "' 80' is not a port"),
        ("127.0.0.1:٨٠", "is not a port"),
        ("127.0.0.300:80", "'127.0.0.300' is no IPv4 address"),
        ("127.0.1:80", "'127.0.1' is no IPv4 address"),
        ("10.0.0.0/33:80", "'33' is not the length of a prefix of IPv4, a number from 0 to 32"),
        ("10.0.0.1/8:80", "10.0.0.1 is not the first address of a network with a prefix of 8 bits"),
        ("[fd00::/129]:80", "'129' is not the length of a prefix of IPv6"),
        ("[::1:80", "'[::1' has no closing bracket"),
        ("::1:80", "write an IPv6 address in brackets: [::1]"),
        ("[127.0.0.1]:80", "'127.0.0.1' is no IPv6 address"),
        ("[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1 is the IPv4 address 10.0.0.1: write that"),
        ("[fe80::1%eth0]:80", "'fe80::1%eth0' is no IPv6 address"),
        ("sctp://127.0.0.1:80", "'sctp' is no protocol"),
        ("http://example.org:80", "'http' is no protocol"),
        ("exa mple.org:80", "'exa mple.org' is not a host name"),
        ("a.*.org:80", "'a.*.org' is not a host name"),
        ("*.*:80", "'*' is not a host name"),
        ("-a.org:80", "'-a.org' is not a host name"),
        ("a..org:80", "'a..org' is not a host name"),
        ("0x7f.1:80", "is neither a host name nor an address"),
    ],
)
def test_a_rule_that_can_not_be_read_is_refused_with_its_place_and_its_problem(rule: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        Policy(connect=["127.0.0.1:1", rule])
    assert str(caught.value).startswith(f"connect[1], {rule!r}: ")
    assert problem in str(caught.value)


def test_rules_to_bind_have_no_names() -> None:
    with pytest.raises(ValueError, match=r"bind\[0\], 'localhost:80': 'localhost' is a name: bind to addresses"):
        Policy(bind=["localhost:80"])


@pytest.mark.parametrize("name", ["", "1.2.3.4", "a b", "x" * 64, ".".join(["x" * 60] * 5), "*", "a.*"])
def test_a_name_to_look_up_that_can_not_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^lookup\[0\], "):
        Policy(lookup=[name])


def test_a_string_is_not_taken_for_a_list_of_rules() -> None:
    with pytest.raises(TypeError, match="connect is a list of rules"):
        Policy(connect="*:443")
    with pytest.raises(TypeError, match="lookup is a list of rules"):
        Policy(lookup="example.org")


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_a_value_error(text: str) -> None:
    try:
        Policy(connect=[text], lookup=[text])
    except ValueError as error:
        assert str(error).startswith(("connect[0], ", "lookup[0], "))
