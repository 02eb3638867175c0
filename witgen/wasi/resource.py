"""The lifetime that resources of the host share: parents outlive their children.

A pollable is the child of what it watches, a socket's streams are children of the socket. The documentation of WASI
lets a host trap where a guest drops a parent first; this one always does, so that no child is ever left with a
descriptor that is closed or, worse, that is another's by now.
"""

from __future__ import annotations

from typing import ClassVar

from witgen import runtime as rt

__all__ = ["Resource"]


class Resource:
    """The base of what components hold handles to. Subclasses let go of what they hold in `release`."""

    #: What WASI calls it.
    kind: ClassVar[str] = "resource"

    def __init__(self, parent: Resource | None = None) -> None:
        self._parent = parent
        self._children = 0
        if parent is not None:
            parent._children += 1

    def close(self) -> None:
        """Called when a component drops its handle. Raises `rt.Trap` if it still holds handles to children."""
        if self._children:
            raise rt.Trap(f"{self.kind} dropped before the {self._children} resource(s) that depend on it")
        if self._parent is not None:
            self._parent._children -= 1
            self._parent = None
        self.release()

    def release(self) -> None:
        """Lets go of what the resource holds. This one holds nothing."""
