"""Files to inspect, put together by hand."""

from __future__ import annotations

from pathlib import Path

from witgen.binary import encode_component_type
from witgen.binary.writer import name_bytes, section, vec
from witgen.resolve import load, select_world

__all__ = ["COMPONENT", "CONTRACT", "CORE", "ROOT", "carrying", "core_module", "custom", "producers"]

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
CONTRACT = ROOT / "plugins/runner/wit/progress.wit"
CORE = b"\0asm\1\0\0\0"


def custom(name: str, content: bytes) -> bytes:
    """A custom section."""
    return section(0, name_bytes(name) + content)


def producers(**fields: dict[str, str]) -> bytes:
    """A section about producers; ``_`` in the names of fields is ``-``."""
    listed = [
        name_bytes(field.replace("_", "-")) + vec([name_bytes(n) + name_bytes(v) for n, v in values.items()])
        for field, values in fields.items()
    ]
    return custom("producers", vec(listed))


def core_module(*sections: bytes, name: str = "") -> bytes:
    """A core module that imports one function, exports it twice, and has more sections."""
    type_ = section(1, vec([b"\x60\0\0"]))
    imports = section(2, vec([name_bytes("env") + name_bytes("f") + b"\0\0"]))
    exports = section(7, vec([name_bytes(each) + b"\0\0" for each in ("a", "b")]))
    named = [custom("name", b"\0" + bytes((len(name) + 1,)) + name_bytes(name))] if name else []
    return b"".join([CORE, type_, imports, exports, *named, *sections])


def carrying(path: Path, world: str | None = None) -> bytes:
    """A section with the world of a contract, as guests carry it."""
    loaded = load([path])
    return custom("component-type:test", encode_component_type(loaded.resolve, select_world(loaded, world)))
