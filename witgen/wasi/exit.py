"""How a component ends before its call returns."""

from __future__ import annotations

__all__ = ["Exit"]


class Exit(Exception):
    """The component has called `wasi:cli/exit`: the call that led there ends with this, its instance is used up.

    `status` is 0 where the component says that it went well, as for processes.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the component has exited with status {status}")
        self.status = status
