"""Bytes as a Rust byte string."""

from __future__ import annotations

__all__ = ["byte_string"]

_WIDTH = 96


def byte_string(data: bytes) -> str:
    """The inside of a byte string literal, on lines that end in a backslash (the last one doesn't)."""
    lines: list[str] = []
    line = ""
    for byte in data:
        piece = _escape(byte)
        if not line and piece == " ":
            piece = "\\x20"
        if len(line) + len(piece) > _WIDTH:
            lines.append(line + "\\")
            line = "\\x20" if piece == " " else piece
        else:
            line += piece
    return "\n".join([*lines, line])


def _escape(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
