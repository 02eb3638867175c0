"""What a step from one version of a package to another allows, and the smallest step that allows something.

After semantic versions (semver.org, 2.0), with the meaning that names of interfaces give to 0.x
(`Explainer.md` of the component model, "Canonical interface name"): what links is one in 1.x, one in 0.2.x, and nothing
but itself in 0.0.3 and among pre-releases.
"""

from __future__ import annotations

from witgen import semver
from witgen.breaking.rule import Level

__all__ = ["allowed", "is_later", "links", "smallest"]


def allowed(old: str | None, new: str | None) -> Level:
    """The highest level of differences that may be between a package of version `old` and one of version `new`.

    A package without a version promises nothing to those who come later: it may gain things. Leaving a pre-release
    behind allows all.
    """
    if old is None:
        return Level.ADDITION if new is None else Level.BREAKING
    if new is None:
        return Level.ADDITION
    if not is_later(new, old):
        return Level.NOTICE
    before, after = _core(old), _core(new)
    if _pre_release(old) or _track(before) != _track(after):
        return Level.BREAKING
    # From here on the major version is the same, and not all that stands before the last number is 0.
    return Level.ADDITION if before[0] == 0 or before[1] != after[1] else Level.NOTICE


def smallest(version: str | None, level: Level) -> str | None:
    """The lowest version after `version` that allows differences of that level; itself where none is needed.

    None where there is none: a package without a version, a difference that no version allows.
    """
    if level is Level.NOTICE:
        return version
    if version is None or level is Level.MISTAKE:
        return None
    pre_release = _pre_release(version)
    major, minor, patch = _core(version)
    if pre_release:
        *others, last = pre_release.split(".")
        following = [*others, str(int(last) + 1)] if last.isdecimal() else [*others, last, "1"]
        return f"{major}.{minor}.{patch}-{'.'.join(following)}"
    if major == 0:
        is_patch = level is Level.ADDITION or minor == 0
        return f"0.{minor}.{patch + 1}" if is_patch else f"0.{minor + 1}.0"
    return f"{major}.{minor + 1}.0" if level is Level.ADDITION else f"{major + 1}.0.0"


def is_later(a: str, b: str) -> bool:
    """Whether `a` is of higher precedence than `b`; builds don't count."""
    return semver.order_key(a.partition("+")[0]) > semver.order_key(b.partition("+")[0])


def links(a: str | None, b: str | None) -> bool:
    """Whether interfaces of these versions of a package are one to linkers."""
    if a is None or b is None:
        return a == b
    if _pre_release(a) or _pre_release(b):
        return a.partition("+")[0] == b.partition("+")[0]
    return _track(_core(a)) == _track(_core(b))


def _core(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.partition("+")[0].partition("-")[0].split(".")
    return int(major), int(minor), int(patch)


def _pre_release(version: str) -> str:
    return version.partition("+")[0].partition("-")[2]


def _track(core: tuple[int, int, int]) -> tuple[int, ...]:
    """What versions that link have in common: the numbers up to the first that is not 0."""
    return core[: next((i + 1 for i, number in enumerate(core) if number), 3)]
