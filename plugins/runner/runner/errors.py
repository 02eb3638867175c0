"""What can go wrong that is not the program's fault."""

from __future__ import annotations

__all__ = ["RunnerError"]


class RunnerError(Exception):
    """Something that the user asked for can't be had; its text says why."""
