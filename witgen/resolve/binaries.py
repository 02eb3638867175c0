"""Packages in the form of WebAssembly: binaries, and their text form, which wasmtime turns into binaries.

A binary is either a WIT package or a component, which stands for the world that it implements. What is in it,
`witgen.binary` knows; this module knows how to tell files apart, and where an error in one is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from witgen import ir
from witgen.diagnostics import Source, Span, WitError

__all__ = ["Decoded", "decode", "is_text_form", "is_webassembly"]

_MAGIC = b"\0asm"
#: A file in the text form: white space, line comments and block comments, then a parenthesis.
_TEXT_FORM = re.compile(rb"(?:\s++|;;[^\n]*+|\(;(?:[^;(]++|;(?!\))|\((?!;))*+;\))*+\((?!;)")
_PLACE = re.compile(r"\n +--> .*:(\d+):(\d+)\n")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a binary holds: a package and those that it uses. `path` is the file's, as it is shown.

    `is_component` says that the package is no package of its own, but made for the world of a component.
    """

    path: str
    resolve: ir.Resolve
    package: ir.PackageId
    is_component: bool

    @property
    def name(self) -> ir.PackageName:
        """The name of the package."""
        return self.resolve.packages[self.package].name


def is_webassembly(data: bytes) -> bool:
    """Whether a file holds WebAssembly of either form, whatever it is called."""
    return data.startswith(_MAGIC) or is_text_form(data)


def is_text_form(data: bytes) -> bool:
    """Whether a file holds WebAssembly in the text form, which no WIT file looks like."""
    return _TEXT_FORM.match(data) is not None


def decode(path: str, data: bytes) -> Decoded:
    """The package or the component in a file, of which `is_webassembly` is true.

    Raises WitError with the byte, or the place in the text, of what is wrong.
    """
    from witgen import binary

    if not data.startswith(_MAGIC):
        data = _assembled(path, data)
    try:
        component = binary.decode(data)
        if binary.is_package(component):
            resolve, package = binary.encoded_package(component)
            return Decoded(path, resolve, package, is_component=False)
        resolve, world = binary.component_world(component, merge=True)
        return Decoded(path, resolve, resolve.worlds[world].package, is_component=True)
    except binary.BinaryError as error:
        raise WitError.at(path, str(error)) from None


def _assembled(path: str, data: bytes) -> bytes:
    """The binary of a file in the text form."""
    import wasmtime

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise WitError.at(
            path, f"this is not UTF-8, as the text form of WebAssembly must be (byte {error.start})"
        ) from None
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        message = str(error).partition("\n")[0]
        place = _PLACE.search(str(error))
        if place is None:
            raise WitError.at(path, message) from None
        raise WitError.at(_span(Source(path, text), int(place[1]), int(place[2])), message) from None


def _span(source: Source, line: int, column: int) -> Span:
    """The character at a line and a column, both from 1."""
    before = sum(len(text) + 1 for text in source.text.split("\n")[: line - 1])
    return Span(source, before + column - 1, before + column)
