"""``witgen fmt``: which files to format, what becomes of them, and what can't be formatted.

It knows files, not their layout. A file that is no WIT keeps none of the others from being formatted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen.diagnostics import Diagnostic, Source, Span, WitError
from witgen.files import write_all
from witgen.fmt.diff import unified_diff
from witgen.fmt.layout import format_source
from witgen.project import find_project
from witgen.resolve.files import decode_source
from witgen.sources import project_texts, read_text, wit_files

__all__ = ["Formatted", "Outcome", "format_paths", "format_project", "format_text"]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file and its text in the one style. `path` is where it lies, links followed; None for what is no file."""

    source: Source
    path: Path | None
    text: str

    @property
    def is_changed(self) -> bool:
        """Whether it was laid out otherwise."""
        return self.source.text != self.text

    def complaint(self) -> Diagnostic:
        """The error for a file that should have been formatted, at the first place that changes."""
        pairs = enumerate(zip(self.source.text, self.text, strict=False))
        at = next((i for i, (old, new) in pairs if old != new), len(self.text))
        return Diagnostic("this is not formatted: run `witgen fmt`", Span(self.source, at, at + 1))

    def diff(self) -> str:
        """What changes, as a unified diff."""
        return unified_diff(self.source.path, self.source.text, self.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All files that could be formatted, and why others could not."""

    files: tuple[Formatted, ...]
    errors: tuple[WitError, ...]

    @property
    def changed(self) -> tuple[Formatted, ...]:
        """The files that were laid out otherwise."""
        return tuple(file for file in self.files if file.is_changed)

    def write(self) -> None:
        """Write the files that change, all or none; modes stay, links stay links. Raises WitError as `write_all`."""
        write_all({file.path: file.text.encode() for file in self.changed if file.path is not None})


def format_project(folder: Path) -> Outcome:
    """Format all roots that the ``witgen.toml`` of a folder names and that are text.

    Raises WitError if there is no such file, or a wrong one.
    """
    return format_paths(project_texts(find_project(folder)))


def format_paths(paths: Sequence[Path]) -> Outcome:
    """Format files, and all ``*.wit`` in folders, each once. Nothing is written.

    Below a folder, ``deps``, build output, hidden folders and links are left alone, unless they are named.
    """
    files: dict[Path, Formatted] = {}
    errors: list[WitError] = []
    for file in wit_files(paths, errors):
        try:
            source = read_text(file)
            place = file.resolve()
            if place not in files:
                files[place] = Formatted(source, place, format_source(source))
        except WitError as error:
            errors.append(error)
    return Outcome(tuple(files.values()), tuple(errors))


def format_text(name: str, data: bytes) -> Outcome:
    """Format a text that is known by `name`."""
    try:
        source = decode_source(name, data)
        return Outcome((Formatted(source, None, format_source(source)),), ())
    except WitError as error:
        return Outcome((), (error,))
