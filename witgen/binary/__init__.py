"""The binary format of the component model: components to data, data to types, types to bytes.

`decode` reads a component as a list of definitions (`model`), `component_world` works out what world it implements,
`encode_component_type` says a world the way guests carry it. It knows `Binary.md` and the resolved model of
`witgen.ir`; it knows neither WIT text nor an engine, and imports nothing but the standard library, so that a program
that only runs components can afford it. Such a program encodes nothing: the encoder is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

from witgen.binary.decoder import decode
from witgen.binary.errors import BinaryError
from witgen.binary.sections import custom_sections, with_custom_section
from witgen.binary.types import component_part, component_world, encoded_package, encoded_world, is_package

if TYPE_CHECKING:
    from witgen.binary.encoder import encode_component_type, encode_package

__all__ = [
    "BinaryError",
    "component_part",
    "component_world",
    "custom_sections",
    "decode",
    "encode_component_type",
    "encode_package",
    "encoded_package",
    "encoded_world",
    "is_package",
    "with_custom_section",
]


def __getattr__(name: str) -> object:
    if name in ("encode_component_type", "encode_package"):
        from witgen.binary import encoder

        return getattr(encoder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
