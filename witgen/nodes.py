"""Data classes for what is made by the million."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

__all__ = ["node"]

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(cls: _Class) -> _Class:
    """A frozen data class with slots and a hash; frozen to the type checker only.

    What freezes a data class at run time makes each object three times as dear, and a file has a dozen for each line.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)  # type: ignore[return-value]
