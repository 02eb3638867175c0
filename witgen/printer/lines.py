"""Lines of text in blocks: indentation and blank lines. It knows nothing of WIT but its braces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Lines"]


class Lines:
    """A text that grows at its end."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = ""
        self._is_open = True

    def line(self, text: str) -> None:
        """Add a line; an empty one gets no indentation."""
        self._lines.append(f"{self._indent}{text}" if text else "")
        self._is_open = False

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a line with ``{`` at its end, what is added in the block one step further in, and a line ``}``."""
        self.line(f"{head} {{")
        outer = self._indent
        self._indent += "  "
        self._is_open = True
        yield
        self._indent = outer
        self.line("}")

    def gap(self) -> None:
        """Add a blank line, unless a block has just begun."""
        if not self._is_open:
            self.line("")

    def text(self) -> str:
        """All lines, the last one with its line break too."""
        return "\n".join([*self._lines, ""])
