"""The stamp of a component: what it says, what it is refused for, and how it is held against the component."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binary.samples import component
from witgen import binary
from witgen.contract.digest import WorldDigest
from witgen.contract.stamp import SECTION, Stamp, StampError, decode, differences, encode, read_stamp, stamped
from witgen.contract.stamping import stamp_for
from witgen.contract.verification import own_digests
from witgen.project import Contract, Target

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = (ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm").read_bytes()
CONTRACT = ROOT / "plugins/runner/wit/progress.wit"
MEMBERS = ("version", "generator", "form", "world", "digest", "imports", "exports")


@functools.cache
def made(path: Path = CONTRACT) -> Stamp:
    return stamp_for(Target(Contract("c", (path,)), None, ()))


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(made()))
    return found


def test_a_stamp_is_read_as_it_was_written() -> None:
    stamp = made()
    back = decode(encode(stamp))
    assert encode(back) == encode(stamp)
    assert (back.generator, back.world, back.digests.digest) == (stamp.generator, stamp.world, stamp.digests.digest)
    assert {name: item.functions for name, item in back.digests.exports.items()} == {
        name: dict(item.functions) for name, item in stamp.digests.exports.items()
    }


def test_its_members_are_those_of_the_documentation() -> None:
    assert tuple(document()) == MEMBERS
    assert document()["version"] == 1
    assert document()["form"] == "wit-digest/1"


def test_the_component_that_comes_with_the_project_has_the_stamp_of_its_contract() -> None:
    stamp = read_stamp(binary.decode(COMPONENT))
    assert stamp is not None
    assert encode(stamp) == encode(made())
    assert differences(stamp, own_digests(binary.decode(COMPONENT))) == []


def test_stamping_again_changes_nothing() -> None:
    assert stamped(COMPONENT, made()) == COMPONENT


def test_a_component_without_a_stamp_has_none() -> None:
    assert read_stamp(binary.decode(component(""))) is None


def test_a_stamp_of_another_contract_is_told_from_the_types(tmp_path: Path) -> None:
    path = tmp_path / "progress.wit"
    path.write_text(CONTRACT.read_text().replace("heartbeat: func(timestamp: u64", "heartbeat: func(timestamp: s64"))
    assert differences(made(path), own_digests(binary.decode(COMPONENT))) == [
        "export runner:progress/telemetry@0.1.0#heartbeat: its type differs from the contract's"
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(version=2), "is of version `2`, this witgen reads 1: use a newer one"),
        (lambda d: d.update(version=True), "is of version `True`"),
        (lambda d: d.update(form="wit-digest/2"), "digests of the form `wit-digest/2`"),
        (lambda d: d.update(digest="0" * 64), "the digest of the world is not that of its parts"),
        (lambda d: d.update(world="a:b/other"), "the digest of the world is not that of its parts"),
        (lambda d: d.update(digest="X"), "the digest of the document is none"),
        (lambda d: d["exports"].popitem(), "the digest of the world is not that of its parts"),
        (lambda d: d["exports"].update(x=1), "each of exports must have the member functions, of type object"),
        (lambda d: d["imports"].update(x={"digest": "0" * 64, "functions": {"f": 1}}), "the digest of a function"),
    ],
)
def test_what_is_no_stamp_of_this_version_is_refused(change: Callable[[Any], None], says: str) -> None:
    content = document()
    change(content)
    with pytest.raises(StampError, match="the stamp") as caught:
        decode(json.dumps(content).encode(), 7)
    assert says in str(caught.value)
    assert caught.value.offset == 7


@pytest.mark.parametrize("member", MEMBERS)
def test_no_member_may_be_missing_or_of_another_type(member: str) -> None:
    without = {name: item for name, item in document().items() if name != member}
    for content in (without, {**without, member: []}):
        with pytest.raises(StampError, match=f"must have the member {member}"):
            decode(json.dumps(content).encode())


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[" * 100_000, b"9" * 10_000, b"[]", b" " * 2_000_000])
def test_what_is_no_document_is_damaged(content: bytes) -> None:
    with pytest.raises(StampError, match="the stamp is damaged"):
        decode(content)


@given(st.integers(0, 2**31), st.integers(0, 255))
def test_no_byte_can_be_changed_unnoticed(at: int, value: int) -> None:
    content = bytearray(encode(made()))
    at %= len(content)
    before = bytes(content)
    content[at] = value
    try:
        back = decode(bytes(content))
    except StampError:
        return
    # Only what says who wrote it, and digests of functions, are no part of the digest of the world.
    assert back.digests.digest == decode(before).digests.digest
    assert back.world == decode(before).world


def test_two_stamps_are_one_too_many() -> None:
    once = stamped(component(""), Stamp("witgen 0", "a:b/w", WorldDigest("", {}, {})))
    content = once[len(component("")) :]
    with pytest.raises(StampError, match="more than one stamp"):
        read_stamp(binary.decode(once + content))
    assert [name for name, _ in binary.custom_sections(once)] == [SECTION]


def test_a_stamp_of_many_interfaces_is_compared_with_many_imports_quickly() -> None:
    """Each name is looked up, not searched for: this would take hours otherwise."""
    many = {f"a:b/i{i}@1.0.{i}": made().digests.exports["runner:progress/telemetry@0.1.0"] for i in range(30_000)}
    own = {f"a:b/j{i}@1.0.{i}": item for i, item in enumerate(many.values())}
    found = differences(Stamp("", "", WorldDigest("", many, {})), WorldDigest("", own, {}))
    assert len(found) == len(own) * len(made().digests.exports["runner:progress/telemetry@0.1.0"].functions)
