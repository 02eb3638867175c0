"""`wasi:random`: random bytes of the system, and numbers that may be repeated where nobody relies on them."""

from __future__ import annotations

import os
from collections.abc import Callable

from witgen import runtime as rt

__all__ = ["Random"]

#: The most bytes that one call makes. The contract knows no short answer, and what is asked for lies in memory first.
LARGEST = 1 << 26


class Random:
    """The grant of `wasi:random`, and its three interfaces.

    With a `seed` the interfaces `insecure` and `insecure-seed` give the same numbers in every run, in the order in
    which components ask for them. `random` never does: its contract forbids it. For components whose runs have to be
    repeatable withhold ``wasi:random/random``.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._insecure: Callable[[int], bytes] = os.urandom
        if seed is not None:
            # Most need no generator, which takes time to import.
            import random

            self._insecure = random.Random(seed).randbytes

    def get_random_bytes(self, len: int) -> bytes:
        """`len` bytes that nobody can foretell. Raises `rt.Trap` if they are more than `LARGEST`."""
        return os.urandom(_bounded("get-random-bytes", len))

    def get_random_u64(self) -> int:
        """A number that nobody can foretell."""
        return int.from_bytes(os.urandom(8), "little")

    def get_insecure_random_bytes(self, len: int) -> bytes:
        """`len` bytes that look random. Raises `rt.Trap` if they are more than `LARGEST`."""
        return self._insecure(_bounded("get-insecure-random-bytes", len))

    def get_insecure_random_u64(self) -> int:
        """A number that looks random."""
        return int.from_bytes(self._insecure(8), "little")

    def insecure_seed(self) -> tuple[int, int]:
        """Two numbers for the hash functions of a component."""
        return self.get_insecure_random_u64(), self.get_insecure_random_u64()


def _bounded(function: str, length: int) -> int:
    if length > LARGEST:
        raise rt.Trap(f"{function}: {length} bytes are more than the {LARGEST} of one call")
    return length
