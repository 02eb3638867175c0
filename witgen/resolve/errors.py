"""Collects errors that have nothing to do with each other, so that one run tells of them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from witgen.diagnostics import Diagnostic, WitError

__all__ = ["MOST", "Errors", "follows"]

#: How many errors a run tells of; who has more has one mistake that makes them all.
MOST = 100


class Errors:
    """The errors of steps that don't depend on each other."""

    def __init__(self) -> None:
        self._diagnostics: list[Diagnostic] = []
        self._happened = False

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep a WitError that is raised in the block for later; raise all of them at once where they are enough."""
        try:
            yield
        except WitError as error:
            self._happened = True
            self._diagnostics += error.diagnostics[: MOST - len(self._diagnostics)]
            if len(self._diagnostics) == MOST:
                self.raise_any()

    def raise_any(self) -> None:
        """Raise one WitError of all that were collected, if there were any."""
        if self._happened:
            raise WitError(*self._diagnostics)


def follows() -> WitError:
    """The error for what can't be done because of another error, which says all there is to say."""
    return WitError()
