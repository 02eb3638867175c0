"""Benchmarks, each as a ratio against a peer or floor measured in the same run. Run by ``make bench``.

Names of sections as arguments run those alone: ``adapters``, ``front_end``, ``guests``, ``threads``, ``serving``,
``ftp``.
"""

from __future__ import annotations

import importlib
import platform
import sys
import time

SECTIONS = ("adapters", "front_end", "guests", "threads", "serving", "ftp")


def main() -> None:
    """Prints a table for each section as Markdown, with what it was measured on."""
    for name in sys.argv[1:] or SECTIONS:
        section = importlib.import_module(name)
        print(f"## {section.TITLE}\n\n{time.strftime('%Y-%m-%d')}, Python {platform.python_version()},", end=" ")
        print(f"{platform.machine()}, {section.conditions()}\n")
        print(f"| {' | '.join(section.HEAD)} |\n|{'---|' * len(section.HEAD)}")
        for cells in section.rows():
            print(f"| {' | '.join(cells)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
