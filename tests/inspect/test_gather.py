"""What is found in files of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime

from tests.binary.samples import component, sample
from tests.inspect.support import COMPONENT, CONTRACT, CORE, carrying, core_module, custom, producers
from witgen import __version__, binary
from witgen.binary import encode_package
from witgen.binary import opcodes as op
from witgen.binary.producers import Producer
from witgen.binary.writer import section
from witgen.contract.digest import Digests
from witgen.contract.stamp import SECTION, stamped
from witgen.contract.stamping import stamp_for
from witgen.diagnostics import WitError
from witgen.inspect import gather, wit_text
from witgen.inspect.model import Inspection, Kind
from witgen.printer import package_text
from witgen.project import Contract, Target
from witgen.resolve import load

OURS = Producer("processed-by", "witgen", __version__)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.wasm"


def found(file: Path, data: bytes) -> Inspection:
    file.write_bytes(data)
    return gather(file)


def test_the_digests_of_a_component_are_those_of_its_contract() -> None:
    inspection = gather(COMPONENT)
    (world,) = inspection.worlds
    loaded = load([CONTRACT])
    (id_,) = loaded.resolve.packages[loaded.main].worlds.values()
    wanted = Digests(loaded.resolve).world(id_)
    assert inspection.kind is Kind.COMPONENT
    assert inspection.size == COMPONENT.stat().st_size
    assert {name: item.digest for name, item in world.digests.exports.items()} == {
        name: item.digest for name, item in wanted.exports.items()
    }


def test_a_component_says_that_its_stubs_are_from_here() -> None:
    module, *_ = gather(COMPONENT).contents.modules
    assert OURS in module.producers


def test_a_component_agrees_with_its_stamp() -> None:
    stamp = gather(COMPONENT).stamp
    assert stamp is not None
    assert stamp.stamp.world == "runner:progress/progress-runner@0.1.0"
    assert stamp.differences == ()


def test_a_stamp_that_does_not_fit_is_found_out(file: Path) -> None:
    data = stamped(sample("linked"), stamp_for(Target(Contract("c", (CONTRACT,)), None, ())))
    stamp = found(file, data).stamp
    assert stamp is not None
    assert "import test:host/base@1.2.3#[method]handle.at: the contract does not offer it" in stamp.differences
    assert "export runner:progress/events@0.1.0#publish: the component does not have it" in stamp.differences


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": 2}', b"[" * 10_000])
def test_a_stamp_that_cannot_be_read_is_an_error_at_its_place(file: Path, content: bytes) -> None:
    with pytest.raises(WitError, match=r"file\.wasm: error: at offset 0x[ab]: the stamp is "):
        found(file, component("") + custom(SECTION, content))


def test_core_modules_are_counted_from_outside(file: Path) -> None:
    data = op.PREAMBLE + section(op.CORE_MODULE, core_module(name="main")) + section(op.CORE_MODULE, CORE)
    first, second = found(file, data).contents.modules
    assert (first.index, first.name, first.imports, first.exports) == (0, "main", 1, 2)
    assert (second.index, second.name, second.imports, second.exports) == (1, None, 0, 0)
    assert data[first.offset : first.offset + first.size] == core_module(name="main")
    assert data[second.offset :] == CORE


def test_components_in_components_are_told_with_their_own_imports_and_exports(file: Path) -> None:
    inspection = found(file, sample("composed"))
    store, user = inspection.contents.components
    assert [(e.name, e.sort) for e in store.exports] == [("test:store/items@0.1.0", "instance")]
    assert [(e.name, e.sort) for e in user.imports] == [("test:store/items@0.1.0", "instance")]
    assert [module.exports for module in store.contents.modules] == [1]
    (shim,) = store.contents.components
    assert [e.name for e in shim.imports] == ["r", "open"]
    assert sample("composed")[shim.offset :].startswith(op.PREAMBLE)


def test_custom_sections_have_a_place_and_a_size_without_their_name(file: Path) -> None:
    data = component("") + custom("notes", b"abc")
    (section_found,) = found(file, data).contents.sections
    assert (section_found.name, section_found.size) == ("notes", 3)
    assert data[section_found.offset :] == b"\x05notesabc"


def test_producers_are_told_of_the_component_and_of_its_modules(file: Path) -> None:
    module = core_module(producers(language={"Rust": "2021"}))
    data = op.PREAMBLE + section(op.CORE_MODULE, module) + producers(processed_by={"a": "1", "b": "2"})
    contents = found(file, data).contents
    assert contents.producers == (Producer("processed-by", "a", "1"), Producer("processed-by", "b", "2"))
    assert contents.modules[0].producers == (Producer("language", "Rust", "2021"),)


def test_a_core_module_is_the_only_module_of_its_file(file: Path) -> None:
    inspection = found(file, core_module(producers(sdk={"x": "1"})))
    (module,) = inspection.contents.modules
    assert inspection.kind is Kind.MODULE
    assert inspection.worlds == ()
    assert (module.offset, module.size, module.imports, module.exports) == (0, file.stat().st_size, 1, 2)
    assert [each.name for each in module.sections] == ["producers"]


def test_a_core_module_may_carry_worlds(file: Path) -> None:
    (world,) = found(file, core_module(carrying(CONTRACT))).worlds
    loaded = load([CONTRACT])
    (id_,) = loaded.resolve.packages[loaded.main].worlds.values()
    assert world.name == "runner:progress/progress-runner@0.1.0"
    assert world.digests == Digests(loaded.resolve).world(id_)


def test_a_package_has_interfaces_and_worlds(file: Path) -> None:
    loaded = load([CONTRACT])
    inspection = found(file, encode_package(loaded.resolve, loaded.main))
    package = loaded.resolve.packages[loaded.main]
    digests = Digests(loaded.resolve)
    assert inspection.kind is Kind.PACKAGE
    assert {name: item.digest for name, item in inspection.interfaces.items()} == {
        package.name.interface(name): digests.interface(id_).digest for name, id_ in package.interfaces.items()
    }
    assert [world.name for world in inspection.worlds] == ["runner:progress/progress-runner@0.1.0"]
    assert [each.name for each in inspection.contents.sections] == ["package-docs", "producers"]
    assert inspection.contents.producers == (OURS,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "at offset 0x0: the file is empty"),
        (b"\0as", "at offset 0x3: unexpected end"),
        (b"package a:b;\n", "at offset 0x0: this is WIT text, not a component binary"),
        (b"(component)", "at offset 0x0: this is WebAssembly text, not a component binary"),
        (b"\x7fELF\2\1\1\0\0\0", "at offset 0x0: this is no WebAssembly, not a component binary"),
        (CORE + b"\x0e\0", "at offset 0x8: section 14 is unknown"),
        (CORE + b"\x02\x05\x01", "at offset 0x9: section of 5 bytes, more than remain (1)"),
        (CORE + b"\x02\x01\x05", "at offset 0xa: 5 imports, more than the bytes that remain (0)"),
        (core_module(custom("producers", b"\1\1x")), "at offset 0x33: unexpected end"),
        (core_module(custom("producers", b"\0\0")), "the producers go on after their content"),
        (
            core_module(custom("component-type:x", b"")),
            "in section `component-type:x`, at offset 0x0: the file is empty",
        ),
        (op.PREAMBLE + section(op.CORE_MODULE, CORE + b"\x0e\0"), "at offset 0x12: section 14 is unknown"),
        (component("") + b"\0\x02\x01\xff", "at offset 0xb: name is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(file: Path, data: bytes, says: str) -> None:
    with pytest.raises(WitError) as caught:
        found(file, data)
    assert str(caught.value).startswith(f"{file}: error: ")
    assert says in str(caught.value)


#: Two interfaces that a world can have, of which one uses a type of an interface that none can have.
NO_WORLD = """
  (import "m" (core module))
  (import "a:b/inner" (instance $inner
    (export "i" (instance (export "hidden" (type (sub resource)))))
    (export "t" (type (sub resource)))))
  (alias export $inner "t" (type $t))
  (alias export $inner "i" (instance $i))
  (alias export $i "hidden" (type $hidden))
  (import "a:b/user" (instance (alias outer 1 $t (type $t)) (export "u" (type (eq $t)))
    (export "f" (func (param "u" (borrow 1))))))
  (import "g" (func (param "h" (borrow $hidden))))
  (import "a:b/plain@1.0.0" (instance $plain (export "f" (func))))
  (export "c:d/e" (instance $plain))
  (export "t" (type $t))
"""


def test_of_a_component_that_is_no_world_all_is_told_that_can_be(file: Path) -> None:
    inspection = found(file, component(NO_WORLD) + producers(sdk={"x": "1"}))
    assert [(each.side, each.extern.name, each.extern.sort, each.message) for each in inspection.obstacles] == [
        ("import", "m", "core module", "no world can have the core module `m`"),
        ("import", "a:b/inner", "instance", "no interface can have the instance `i`"),
        ("import", "g", "func", "no world can have the resource that is used here, where it has its name"),
        ("export", "t", "type", "no world can export the type `t`"),
    ]
    assert inspection.worlds == ()
    assert inspection.part is not None
    assert list(inspection.part.imports) == ["a:b/user", "a:b/plain@1.0.0"]
    assert list(inspection.part.exports) == ["c:d/e"]
    assert [each.name for each in inspection.imports] == ["m", "a:b/inner", "a:b/user", "g", "a:b/plain@1.0.0"]
    assert [(each.name, each.sort) for each in inspection.exports] == [("c:d/e", "instance"), ("t", "type")]
    assert inspection.contents.producers == (Producer("sdk", "x", "1"),)


def test_what_no_world_can_have_is_found_at_its_byte(file: Path) -> None:
    data = component(NO_WORLD)
    for obstacle, name in zip(found(file, data).obstacles, (b"m", b"i", b"h", b"t"), strict=True):
        assert obstacle.offset is not None
        assert name in data[obstacle.offset : obstacle.offset + 8]


def test_what_a_world_can_have_has_the_digests_that_it_has_alone(file: Path) -> None:
    alone = '(import "a:b/plain@1.0.0" (instance $plain (export "f" (func)))) (export "c:d/e" (instance $plain))'
    part = found(file, component(NO_WORLD)).part
    (world,) = found(file, component(alone)).worlds
    assert part is not None
    assert part.imports["a:b/plain@1.0.0"] == world.digests.imports["a:b/plain@1.0.0"]
    assert part.exports == world.digests.exports


@pytest.mark.parametrize(
    "text",
    [
        '(import "unlocked-dep=<a:b@{>=1.2.3 <2.0.0}>" (instance))',
        '(import "url=<https://a.b/c>" (func))',
        '(import "a:b/c/d" (instance))',
        '(import "a:b:c/d" (instance))',
        '(import "a:b/c" (func))',
        '(type $c (component)) (import "c" (type (eq $c)))',
        '(type $f (func)) (import "a:b/c" (instance (export "f" (type (eq $f)))))',
        '(import "c" (component $c)) (export "d" (component $c))',
        '(import "m" (core module $m)) (export "n" (core module $m))',
    ],
)
def test_whatever_a_component_may_have_is_shown(text: str, file: Path) -> None:
    assert found(file, component(text)).obstacles
    with pytest.raises(WitError, match=r"at offset 0x.*: no world can have"):
        wit_text(file)


def test_a_component_with_more_than_a_world_does_not_agree_with_its_stamp(file: Path) -> None:
    contract = file.with_suffix(".wit")
    contract.write_text("package a:b;\nworld w { export f: func(); }\n")
    code = """
      (core module $m (func (export "f"))) (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f"))) (export "f" (func $f))
    """
    stamp = stamp_for(Target(Contract("c", (contract,)), None, ()))
    for text, differences in ((code, ()), (f'{code} (import "m" (core module))', ("import m: no world can have",))):
        check = found(file, stamped(component(text), stamp)).stamp
        assert check is not None
        assert len(check.differences) == len(differences)
        assert all(line.startswith(start) for line, start in zip(check.differences, differences, strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('(import "m" (core module)) (type $r (resource (rep i32))) (import "f" (func (result (own $r))))', "no name"),
        ('(import "m" (core module)) (import "i" (instance $i)) (alias export $i "f" (func))', "exports no `f`"),
    ],
)
def test_a_component_that_makes_no_sense_is_an_error_even_if_no_world_could_have_it(
    text: str, says: str, file: Path
) -> None:
    with pytest.raises(WitError, match=f"at offset 0x.*{says}"):
        found(file, component(text))


def test_more_parts_than_anyone_puts_together_are_an_error(file: Path) -> None:
    with pytest.raises(WitError, match="more than 20000 parts"):
        found(file, component("") + custom("x", b"") * 20_001)


@pytest.mark.parametrize("data", [sample("linked"), sample("composed"), COMPONENT.read_bytes()], ids=len)
def test_the_world_as_text_is_what_the_printer_makes_of_the_file(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    loaded = load([file])
    assert wit_text(file) == package_text(loaded.resolve, loaded.main)


def test_the_world_that_a_core_module_carries_is_text_too(file: Path) -> None:
    loaded = load([CONTRACT])
    file.write_bytes(core_module(carrying(CONTRACT)))
    text = wit_text(file)
    assert text.startswith("package runner:progress@0.1.0;\n")
    assert "world progress-runner {" in text
    assert [n for n in loaded.resolve.packages[loaded.main].interfaces if f"interface {n} {{" not in text] == []


def test_a_core_module_without_a_world_has_no_text(file: Path) -> None:
    file.write_bytes(core_module())
    with pytest.raises(WitError, match="this core module carries no world"):
        wit_text(file)


def test_real_modules_are_understood(file: Path) -> None:
    text = '(module $m (import "a" "f" (func)) (memory (export "m") 1) (func (export "g")) (data (i32.const 0) "x"))'
    (module,) = found(file, bytes(wasmtime.wat2wasm(text))).contents.modules
    assert (module.name, module.imports, module.exports) == ("m", 1, 2)


def test_stamping_changes_nothing_else(file: Path) -> None:
    data = COMPONENT.read_bytes()
    bare = b"".join([data[:8], *_sections_but(data, SECTION)])
    assert found(file, bare).stamp is None
    assert found(file, bare).worlds == gather(COMPONENT).worlds


def _sections_but(data: bytes, name: str) -> list[bytes]:
    """The bytes after the preamble without the last section, which is the one of that name."""
    content = dict(binary.custom_sections(data))[name]
    whole = custom(name, bytes(content))
    assert data.endswith(whole)
    return [data[8 : -len(whole)]]
