"""Python values for the WIT types that need a class of their own: nested ``option`` and ``result``.

A ``result`` as the result of a function needs neither: the function returns the ``ok`` value or raises `Err`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol

__all__ = ["Cases", "Err", "Ok", "Result", "Some"]

if TYPE_CHECKING:
    # For checkers `except rt.Err as error` has an `error.value` of any type, and not of one that they don't know.
    from typing_extensions import TypeVar

    T = TypeVar("T", covariant=True, default=Any)
    E = TypeVar("E", covariant=True, default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T", covariant=True)
    E = TypeVar("E", covariant=True)


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """The present case of an ``option`` inside an ``option``; the absent one is None."""

    value: T


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The good case of a ``result`` inside another type."""

    value: T


class Err(Exception, Generic[E]):
    """The bad case of a ``result``: raised where a function returns it, a plain value inside another type."""

    __match_args__ = ("value",)

    def __init__(self, value: E) -> None:
        super().__init__(value)
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Err) and self.value == other.value

    def __hash__(self) -> int:
        return hash((Err, self.value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


Result = Ok[T] | Err[E]


class Cases(Protocol[T]):
    """The members of an enum by their discriminants, as generated code reads them: a tuple that is never sliced."""

    def __getitem__(self, discriminant: int, /) -> T:
        """The member; raises IndexError where there is none."""
        raise NotImplementedError
