"""Semantic versions (semver.org, 2.0): which of two comes first."""

from __future__ import annotations

import functools

__all__ = ["order_key"]


@functools.cache
def order_key(version: str | None) -> tuple[object, ...]:
    """A key that sorts valid versions by precedence, those of equal precedence by build; no version comes first.

    Keys of texts that are no versions, as a binary may hold them, can be compared too.
    """
    if version is None:
        return ()
    version, _, build = version.partition("+")
    release, _, pre_release = version.partition("-")
    return (
        *((len(number), number, ()) for number in release.split(".")),
        (0, "", _part_keys(pre_release)) if pre_release else (1, "", ()),
        (0, "", _part_keys(build)),
    )


def _part_keys(parts: str) -> tuple[tuple[int, int, str, int], ...]:
    return tuple(_part_key(part) for part in parts.split(".")) if parts else ()


def _part_key(part: str) -> tuple[int, int, str, int]:
    """Numbers come before words; of equal numbers (in a build) the one with fewer leading zeros comes first."""
    if not part.isdecimal():
        return (1, 0, part, 0)
    number = part.lstrip("0")
    return (0, len(number), number, len(part))
