"""The contracts of what the Runner itself serves, so that imports can be compared before anything is made."""

from __future__ import annotations

from witgen.contract.verification import FunctionDigests

__all__ = ["offered"]


def offered() -> list[FunctionDigests]:
    """The digests of the functions that the Runner offers beside WASI."""
    from runner.bindings import progress_client

    return [progress_client.CONTRACT.imports]
