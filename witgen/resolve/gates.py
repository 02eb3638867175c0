"""Gates (``@since``, ``@unstable``, ``@deprecated``): what may stand together, and what they let through."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from witgen import ir, semver
from witgen.diagnostics import Note, Span, WitError
from witgen.syntax import ast

_Gate = TypeVar("_Gate", ast.Since, ast.Unstable, ast.Deprecated, ast.ExternalId)

__all__ = ["Features", "external_id", "no_external_id", "stability"]


def stability(gates: Sequence[ast.Gate]) -> ir.Stability:
    """The gates of an item as one. Raises WitError where they contradict each other."""
    if not gates:
        return ir.STABLE
    since = _only(gates, ast.Since, "@since")
    deprecated = _only(gates, ast.Deprecated, "@deprecated")
    unstable = _only(gates, ast.Unstable, "@unstable")
    if since is not None and unstable is not None:
        raise WitError.at(
            since.span,
            "an item can't be both `@since` a version and `@unstable`",
            Note("`@unstable` stands here", unstable.span),
        )
    if deprecated is not None and since is None and unstable is None:
        raise WitError.at(deprecated.span, "`@deprecated` needs a `@since` or an `@unstable` beside it")
    return ir.Stability(
        since=since.version.text if since else None,
        unstable=unstable.feature.text if unstable else None,
        deprecated=deprecated.version.text if deprecated else None,
    )


def external_id(gates: Sequence[ast.Gate]) -> str | None:
    """The ``@external-id`` of an item. Raises WitError where it has several."""
    attribute = _only(gates, ast.ExternalId, "@external-id")
    return None if attribute is None else attribute.value


def no_external_id(gates: Sequence[ast.Gate], what: str) -> None:
    """Raise WitError if there is an ``@external-id`` on an item that can't have one."""
    for gate in gates:
        if isinstance(gate, ast.ExternalId):
            raise WitError.at(gate.span, f"`@external-id` can't stand on {what}")


def _only(gates: Sequence[ast.Gate], kind: type[_Gate], name: str) -> _Gate | None:
    found = [gate for gate in gates if isinstance(gate, kind)]
    if len(found) > 1:
        raise WitError.at(found[1].span, f"`{name}` is given twice", Note("first given here", found[0].span))
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Features:
    """Which features are on."""

    names: Collection[str]
    are_all: bool

    def include(self, stability: ir.Stability) -> bool:
        """Whether an item with this gate is part of the package."""
        return stability.unstable is None or self.are_all or stability.unstable in self.names

    def check(self, stability: ir.Stability, package: ir.PackageName, span: Span) -> bool:
        """As `include`; raises WitError where the gate names a version that the package hasn't reached."""
        if stability.since is None:
            return self.include(stability)
        if package.version is None:
            raise WitError.at(
                span,
                f"this is gated with a version, but its package `{package}` has none",
                Note(f"give the package a version: `package {package}@{stability.since};`"),
            )
        if semver.order_key(stability.since) > semver.order_key(package.version):
            raise WitError.at(
                span,
                f"`@since(version = {stability.since})` is later than the version of the package, `{package}`",
            )
        return True
