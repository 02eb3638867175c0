"""Random numbers, as a guest sees them."""

from __future__ import annotations

import pytest

from tests.wasi.running import Relay
from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.random import LARGEST


def test_random_bytes_are_as_many_as_asked_for_and_never_the_same(relay: Relay) -> None:
    system = relay.instance().system
    for make in (system.random_bytes, system.insecure_random_bytes):
        assert [len(make(size)) for size in (0, 1, 1000)] == [0, 1, 1000]
        assert make(32) != make(32)
    assert system.random_u64() != system.random_u64()
    assert system.insecure_random_u64() != system.insecure_random_u64()
    assert system.insecure_seed() != system.insecure_seed()


def test_a_seed_repeats_what_is_insecure_and_nothing_else(relay: Relay) -> None:
    def numbers(seed: int) -> list[object]:
        system = relay.instance(random=wasi.Random(seed)).system
        return [system.insecure_seed(), system.insecure_random_bytes(20), system.insecure_random_u64()]

    assert numbers(7) == numbers(7) != numbers(8)
    first, second = (relay.instance(random=wasi.Random(7)).system for _ in range(2))
    assert first.random_bytes(16) != second.random_bytes(16)
    assert first.random_u64() != second.random_u64()


@pytest.mark.parametrize("function", ["random_bytes", "insecure_random_bytes"])
def test_a_component_can_not_have_the_host_make_bytes_without_end(relay: Relay, function: str) -> None:
    system = relay.instance().system
    for size in (LARGEST + 1, 2**64 - 1):
        with pytest.raises((rt.Trap, rt.InstanceUnavailable), match=f"{LARGEST + 1} bytes are more"):
            getattr(system, function)(size)
