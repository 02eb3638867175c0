"""Collects errors that have nothing to do with each other, so that one run tells of them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from witgen.diagnostics import Diagnostic, WitError

__all__ = ["Errors", "follows"]

#: How many errors a run tells of; who has more has one mistake that makes them all.
_MOST = 100


class Errors:
    """The errors of steps that don't depend on each other."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        #: Whether there were any, also those that follow from others and have nothing to say.
        self.happened = False

    def add(self, error: WitError) -> None:
        """Keep an error for later. Raises one of all where they are too many to go on."""
        self.happened = True
        self.diagnostics += error.diagnostics[: _MOST - len(self.diagnostics)]
        if len(self.diagnostics) >= _MOST:
            raise WitError(*self.diagnostics)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep a WitError that is raised in the block, as `add` does."""
        try:
            yield
        except WitError as error:
            self.add(error)

    def raise_any(self) -> None:
        """Raise one WitError of all that were collected, if there were any."""
        if self.happened:
            raise WitError(*self.diagnostics)


def follows() -> WitError:
    """The error for what can't be done because of another error, which says all there is to say."""
    return WitError()
