"""The resolved model back to what it was read from: WIT in the layout of the reference tools, JSON, the binary form.

`package_text` prints a package as a file that needs no other: the packages beside it follow as nested packages. What
the model has worked out stays worked out: includes are carried out, implied imports are written down, items that are
gated away are gone. `json_text` prints the model as it is, ids and all. `package_bytes` has the package in the binary
form, which names the others and holds of them what is used. The printer knows the model and the words of
the language; it reads nothing, and decides nothing of what is right.
"""

from __future__ import annotations

import json

from witgen import ir
from witgen.diagnostics import WitError
from witgen.printer.package import package_text
from witgen.resolve.json import to_json

__all__ = ["json_text", "package_bytes", "package_text"]


def json_text(resolve: ir.Resolve) -> str:
    """The tables of the model as a JSON document, as the reference tools lay it out."""
    return json.dumps(to_json(resolve), indent=2, ensure_ascii=False) + "\n"


def package_bytes(resolve: ir.Resolve, main: ir.PackageId) -> bytes:
    """Package `main` as a binary WIT package, docs and gates included.

    Raises WitError for what the binary form can't hold, which only components have.
    """
    from witgen.binary import encode_package

    try:
        return encode_package(resolve, main)
    except ValueError as error:
        raise WitError.at(str(resolve.packages[main].name), f"has no binary form: {error}") from None
