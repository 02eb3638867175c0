"""The resolved model back to text: WIT in the layout of the reference tools, and JSON.

`package_text` prints a package as a file that needs no other: the packages beside it follow as nested packages. What
the model has worked out stays worked out: includes are carried out, implied imports are written down, items that are
gated away are gone. `json_text` prints the model as it is, ids and all. The printer knows the model and the words of
the language; it reads nothing, and decides nothing of what is right.
"""

from __future__ import annotations

import json

from witgen import ir
from witgen.printer.package import package_text
from witgen.resolve.json import to_json

__all__ = ["json_text", "package_text"]


def json_text(resolve: ir.Resolve) -> str:
    """The tables of the model as a JSON document, as the reference tools lay it out."""
    return json.dumps(to_json(resolve), indent=2, ensure_ascii=False) + "\n"
