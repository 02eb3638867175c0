"""Scalars of the canonical ABI where Python has no single step for them: checks, signs, bits.

After `CanonicalABI.md`, sections "Loading" (``convert_i32_to_char``) and "Flattening". Generated code imports these by
way of the package. What the guest sent wrongly is a `Trap`, what the host passed wrongly a TypeError or ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Sized
from typing import NoReturn

from witgen.runtime.errors import Trap

__all__ = [
    "bad_case",
    "bad_length",
    "bad_type",
    "bits_f32",
    "bits_f64",
    "char",
    "check_s8",
    "check_s16",
    "code_point",
    "f32_bits",
    "f64_bits",
    "in_range",
    "unsigned_32",
    "unsigned_64",
    "wrong_class",
]

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_F32 = struct.Struct("<f")
_F64 = struct.Struct("<d")


def char(value: int) -> str:
    """The character of a code point that the guest sent."""
    if value >= 0x110000 or 0xD800 <= value < 0xE000:
        raise Trap(f"{value:#x} is not a Unicode scalar value")
    return chr(value)


def code_point(value: str) -> int:
    """The code point of a ``char`` that the host passes."""
    found = ord(value)
    if 0xD800 <= found < 0xE000:
        raise ValueError(f"U+{found:04X} is a surrogate, not a character")
    return found


def bad_case(value: int) -> NoReturn:
    """Refuses a discriminant that the type does not have."""
    raise Trap(f"{value} is not the discriminant of any case")


def bad_type(value: object, wanted: str) -> TypeError:
    """The error for a host value that is of no case of a variant."""
    return TypeError(f"{value!r} is not a {wanted}")


def wrong_class(value: object, wanted: str) -> NoReturn:
    """Refuses a host value in the place of a member of an enum, or of flags."""
    raise bad_type(value, wanted)


def bad_length(value: Sized, wanted: int) -> ValueError:
    """The error for a host value that is too long or too short for a list of fixed length."""
    return ValueError(f"{len(value)} elements are not the {wanted} of a list of fixed length")


def check_s8(value: int) -> int:
    """`value`, if it is an ``s8``."""
    if not -0x80 <= value < 0x80:
        raise ValueError(f"{value} is not an s8")
    return value


def check_s16(value: int) -> int:
    """`value`, if it is an ``s16``."""
    if not -0x8000 <= value < 0x8000:
        raise ValueError(f"{value} is not an s16")
    return value


def in_range(value: int, bits: int) -> int:
    """`value`, if it is an unsigned number of that many bits."""
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{value} is not a u{bits}")
    return value


def unsigned_32(value: int) -> int:
    """The bits of an ``s32`` as an unsigned number."""
    if not -(1 << 31) <= value < 1 << 31:
        raise ValueError(f"{value} is not an s32")
    return value & 0xFFFFFFFF


def unsigned_64(value: int) -> int:
    """The bits of an ``s64`` as an unsigned number."""
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{value} is not an s64")
    return value & 0xFFFFFFFFFFFFFFFF


def f32_bits(value: float) -> int:
    """The bits of a single-precision number."""
    bits: int = _U32.unpack(_F32.pack(value))[0]
    return bits


def f64_bits(value: float) -> int:
    """The bits of a double-precision number."""
    bits: int = _U64.unpack(_F64.pack(value))[0]
    return bits


def bits_f32(bits: int) -> float:
    """The single-precision number of the low 32 bits."""
    value: float = _F32.unpack(_U32.pack(bits & 0xFFFFFFFF))[0]
    return value


def bits_f64(bits: int) -> float:
    """The double-precision number of 64 bits."""
    value: float = _F64.unpack(_U64.pack(bits))[0]
    return value
