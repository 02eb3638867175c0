"""What `witgen inspect` shows people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.binary.samples import component, sample
from tests.inspect.support import COMPONENT, CONTRACT, carrying, core_module, custom, producers
from witgen.binary import encode_package
from witgen.binary import opcodes as op
from witgen.binary.writer import name_bytes, section, vec
from witgen.contract.stamp import stamped
from witgen.contract.stamping import stamp_for
from witgen.inspect import as_text, gather
from witgen.project import Contract, Target, find_project
from witgen.resolve import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.wasm"


def blocks(file: Path, data: bytes) -> dict[str, list[str]]:
    """The blocks of the text by their first lines."""
    file.write_bytes(data)
    found = [block.split("\n") for block in as_text(gather(file)).split("\n\n")]
    return {head: lines for head, *lines in found}


def words(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_a_component_is_shown_as_blocks(file: Path) -> None:
    found = blocks(file, COMPONENT.read_bytes())
    assert list(found) == [
        f"{file}: component, {COMPONENT.stat().st_size} bytes",
        "imports",
        "exports",
        "contract",
        "core modules",
        "components",
        "custom sections",
        "produced by",
    ]
    assert words(found["exports"])[:2] == [
        ["runner:progress"],
        [
            "runner:progress/workbook@0.1.0",
            "11",
            "functions",
            "sha256:bc31fc660e0299b04437c132d35d99f3985f02bd9253de38e82fb58c1e6e9cf9",
        ],
    ]
    assert found["contract"][-1] == "  verdict     the component's own types agree"
    assert found["components"][0] == "  0  2314 bytes, without code: 27 imports, 21 exports"


def test_imports_are_grouped_by_capability_those_of_wasi_first(tmp_path: Path, file: Path) -> None:
    (contract,) = [c for c in find_project(ROOT).contracts if c.name == "http"]
    loaded = load(contract.roots)
    bundle = tmp_path / "bundle.wasm"
    bundle.write_bytes(encode_package(loaded.resolve, loaded.main))
    found = blocks(file, core_module(carrying(bundle)))
    groups = [line.strip() for line in found["imports"] if not line.startswith("    ")]
    assert groups == ["wasi:clocks", "wasi:io", "wasi:sockets", "component:http", "runner:host"]


def test_what_belongs_to_the_world_itself_comes_last(file: Path) -> None:
    found = blocks(file, sample("world"))
    assert words(found["imports"])[0] == ["of", "the", "world", "itself"]
    assert any(line.strip().startswith("(functions and types)") for line in found["imports"])
    assert "exports: none" in found


def test_a_component_without_a_stamp_says_so(file: Path) -> None:
    assert "contract: not stamped" in blocks(file, component(""))


def test_each_difference_from_the_stamp_is_a_line(file: Path) -> None:
    data = stamped(sample("linked"), stamp_for(Target(Contract("c", (CONTRACT,)), None, ())))
    lines = blocks(file, data)["contract"]
    assert "the component is not what its stamp says:" in lines[3]
    assert "    export runner:progress/events@0.1.0#publish: the component does not have it" in lines[4:]


def test_components_with_code_are_shown_with_all_that_they_have(file: Path) -> None:
    assert blocks(file, sample("composed"))["components"][:8] == [
        "  0  387 bytes",
        "    imports: none",
        "    exports",
        "      instance  test:store/items@0.1.0",
        "    core modules",
        "      0  73 bytes  1 import  1 export  m",
        "    components",
        "      0  113 bytes, without code: 2 imports, 2 exports",
    ]


def test_what_keeps_a_component_from_being_a_world_is_said_and_all_else_shown(file: Path) -> None:
    data = component('(import "m" (core module)) (import "a:b/c" (instance $i)) (export "d:e/f" (instance $i))')
    found = blocks(file, data)
    place = data.index(b"\0\1m")
    assert words(found["no world can describe this component"]) == [
        f"import m at offset {place:#x} no world can have the core module `m`".split()
    ]
    assert [line.split("sha256:")[0].split() for line in found["imports"]] == [
        ["a:b"],
        ["a:b/c", "types", "only"],
        ["of", "no", "world"],
        ["core", "module", "m"],
    ]
    assert [line.split()[0] for line in found["exports"]] == ["d:e", "d:e/f"]
    assert "contract: not stamped" in found


def test_producers_are_a_table_each_once(file: Path) -> None:
    module = section(op.CORE_MODULE, core_module(producers(language={"Rust": "2021"}, processed_by={"rustc": "1.95"})))
    data = op.PREAMBLE + module * 2 + producers(sdk={"kit": "2"}, processed_by={"linker": "0.1"})
    assert blocks(file, data)["produced by"] == [
        "  language      Rust    2021",
        "  processed-by  linker  0.1",
        "  processed-by  rustc   1.95",
        "  sdk           kit     2",
    ]


def test_a_core_module_is_told_from_one_that_carries_a_world(file: Path) -> None:
    assert next(iter(blocks(file, core_module()))).endswith("core module, 36 bytes")
    found = blocks(file, core_module(carrying(CONTRACT)))
    assert next(iter(found)).startswith(f"{file}: core module that carries a world for the linker, ")
    assert any(line.startswith("world runner:progress/progress-runner@0.1.0  sha256:") for line in found)


def test_a_package_is_a_list_of_digests(file: Path) -> None:
    loaded = load([CONTRACT])
    file.write_bytes(encode_package(loaded.resolve, loaded.main))
    lines = as_text(gather(file)).split("\n")
    assert "WIT package" in lines[0]
    assert [line.split()[:2] for line in lines[2:7]] == [
        ["interface", "runner:progress/types@0.1.0"],
        ["interface", "runner:progress/workbook@0.1.0"],
        ["interface", "runner:progress/events@0.1.0"],
        ["interface", "runner:progress/telemetry@0.1.0"],
        ["world", "runner:progress/progress-runner@0.1.0"],
    ]


def test_no_name_can_disturb_a_terminal(file: Path) -> None:
    evil = "\x1b[2J\u202e" + "x" * 5_000
    inner = op.PREAMBLE + section(op.CORE_MODULE, core_module(name="\x07"))
    inner += section(op.TYPE, vec([b"\x40\0\x01\0"])) + section(op.IMPORT, vec([b"\0" + name_bytes(evil) + b"\x01\0"]))
    data = op.PREAMBLE + section(op.COMPONENT, inner) + custom(evil, b"") + producers(language={evil: evil})
    file.write_bytes(data)
    text = as_text(gather(file))
    assert text.replace("\n", "").isprintable()
    assert max(map(len, text.split("\n"))) < 1_000
    assert "\\u{1b}[2J\\u{202e}xx" in text
