"""The resolved model back to WIT text, in the layout of the reference tools.

`package_text` prints a package as a file that needs no other: the packages beside it follow as nested packages. What
the model has worked out stays worked out: includes are carried out, implied imports are written down, items that are
gated away are gone. It knows the model and the words of the language; it reads nothing, and decides nothing of what is
right.
"""

from __future__ import annotations

from witgen.printer.package import package_text

__all__ = ["package_text"]
