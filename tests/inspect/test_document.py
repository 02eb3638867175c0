"""The JSON document has the form that ``docs/inspect.md`` describes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.binary.samples import component, sample
from tests.inspect.support import COMPONENT, CONTRACT, ROOT, carrying, core_module, custom, producers
from witgen.binary import encode_package
from witgen.binary import opcodes as op
from witgen.binary.writer import section
from witgen.inspect import as_document, gather
from witgen.resolve import load

DOCUMENTATION = (ROOT / "docs/inspect.md").read_text()


def document(file: Path, data: bytes) -> Any:
    file.write_bytes(data)
    return json.loads(as_document(gather(file)))


def package() -> bytes:
    loaded = load([CONTRACT])
    return encode_package(loaded.resolve, loaded.main)


def paths(value: object, path: str = "") -> set[str]:
    """The members of a document, those of objects in lists under ``[]``; names that are data are left out."""
    if isinstance(value, list):
        return {found for item in value for found in paths(item, f"{path}[]")}
    if not isinstance(value, dict) or path.endswith(".functions"):
        return set()
    here = {f"{path}.{name}".lstrip(".") for name in value}
    return here | {found for name, item in value.items() for found in paths(item, f"{path}.{name}".lstrip("."))}


def test_every_member_is_documented(tmp_path: Path) -> None:
    file = tmp_path / "file.wasm"
    module = section(op.CORE_MODULE, core_module(producers(sdk={"x": "1"}), custom("y", b"")))
    files = [
        COMPONENT.read_bytes(),
        sample("composed"),
        sample("rare"),
        component('(import "m" (core module)) (import "i" (instance $i)) (export "a:b/c" (instance $i))'),
        package(),
        core_module(carrying(CONTRACT)),
        op.PREAMBLE + module,
    ]
    members = {member for data in files for member in paths(document(file, data))}
    documented = set(re.findall(r"^\| `([^`]+)` \|", DOCUMENTATION, re.MULTILINE))
    # What a component in a component has is documented once, by the words for the outer one.
    outer = {re.sub(r"^(components\[\]\.)+(?=modules|components|sections|producers)", "", name) for name in members}
    assert outer == documented


@pytest.mark.parametrize(
    ("data", "kind"),
    [(component(""), "component"), (sample("rare"), "component"), (package(), "package"), (core_module(), "module")],
    ids=["component", "no world", "package", "module"],
)
def test_all_kinds_have_the_same_members(tmp_path: Path, data: bytes, kind: str) -> None:
    found = document(tmp_path / "file.wasm", data)
    assert found["version"] == 1
    assert found["kind"] == kind
    assert found["size"] == len(data)
    assert set(found) == set(document(tmp_path / "other.wasm", COMPONENT.read_bytes()))


def test_a_component_is_told_with_the_digest_of_each_function(tmp_path: Path) -> None:
    (world,) = document(tmp_path / "file.wasm", COMPONENT.read_bytes())["worlds"]
    (telemetry,) = [item for item in world["exports"] if item["name"] == "runner:progress/telemetry@0.1.0"]
    assert set(telemetry["functions"]) == {"heartbeat", "flush-metrics"}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in telemetry["functions"].values())


def test_the_verdict_on_the_stamp_is_in_it(tmp_path: Path) -> None:
    contract = document(tmp_path / "file.wasm", COMPONENT.read_bytes())["contract"]
    assert contract["agrees"] is True
    assert contract["differences"] == []
    assert document(tmp_path / "file.wasm", component(""))["contract"] is None


def test_what_keeps_a_component_from_being_a_world_is_in_it(tmp_path: Path) -> None:
    data = component('(import "m" (core module)) (import "f" (func))')
    found = document(tmp_path / "file.wasm", data)
    assert found["worlds"] == []
    (obstacle,) = found["obstacles"]
    assert data[obstacle.pop("offset") :].startswith(b"\0\1m")
    message = "no world can have the core module `m`"
    assert obstacle == {"side": "import", "name": "m", "sort": "core module", "message": message}
    assert [(item["name"], set(item["functions"])) for item in found["part"]["imports"]] == [("", {"f"})]
    assert [(item["name"], item["sort"]) for item in found["imports"]] == [("m", "core module"), ("f", "func")]


def test_it_is_ascii_whatever_the_names_are(tmp_path: Path) -> None:
    file = tmp_path / "file.wasm"
    found = document(file, component("") + custom("\x1b\u202e", b""))
    assert found["sections"][0]["name"] == "\x1b\u202e"
    assert as_document(gather(file)).isascii()
