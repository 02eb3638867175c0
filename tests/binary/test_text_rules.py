"""What a binary may say and WIT text can't: refused where text is asked for, at its byte; and read where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.binary.samples import component
from witgen import ir
from witgen.binary import BinaryError, component_world, decode
from witgen.binary import opcodes as op
from witgen.binary.errors import NoWorldError
from witgen.binary.writer import name_bytes, section, vec
from witgen.contract.digest import Digests
from witgen.diagnostics import WitError
from witgen.printer import package_text
from witgen.resolve import load

R = '(import "r" (type $r (sub resource)))'
X = '(import "a:b/x" (instance $x (export "t" (type (sub resource))))) (alias export $x "t" (type $t))'
INLINE = X.replace("a:b/x", "x")
#: Interfaces of two packages, or of two versions of one, that use each other.
CIRCLE = """
  (import "a:a/x@1.0.0" (instance $x (export "t" (type (sub resource))))) (alias export $x "t" (type $t))
  (import "B/y" (instance $y (export "t" (type (eq $t))) (export "u" (type (sub resource)))))
  (alias export $y "u" (type $u)) (import "a:a/z@1.0.0" (instance (export "u" (type (eq $u)))))
"""
#: Two interfaces, of which the second uses the first, and one more that uses the second.
TWICE = X + """
  (import "a:b/c" (instance $c (export "t" (type (eq $t))))) (alias export $c "t" (type $ct))
  (import "a:b/d" (instance $d (export "t" (type (eq $ct)))))
  (export "a:b/x" (instance $x)) (export "a:b/d" (instance $d))
"""

NOT_IN_TEXT = {
    "keys of maps": ('(type $m (map f32 u8)) (import "f" (func (param "x" $m)))', "a map whose keys are neither"),
    "named keys of maps": (
        '(type $s string) (import "k" (type $k (eq $s))) (type $m (map $k u8)) (import "f" (func (param "x" $m)))',
        "a map whose keys are neither",
    ),
    "circles of packages": (CIRCLE.replace("B/y", "b:b/y"), "the package `a:a@1.0.0`, which depends on itself"),
    "circles of versions": (CIRCLE.replace("B/y", "a:a/y@2.0.0"), "the package `a:a@1.0.0`, which depends on itself"),
    "the name of the world": ('(import "root:component/root" (instance))', "as a world has this name"),
    "parts of versions": ('(import "a:b/c@1" (instance))', "whose version is not whole"),
    "types of the world": (
        f'{R} (import "a:b/y" (instance (alias outer 1 $r (type $q)) (export "q" (type (eq $q)))))',
        "`q`, a type of the world used elsewhere",
    ),
    "types of inline interfaces": (
        f'{INLINE} (import "y" (instance (export "u" (type (eq $t)))))',
        "`u`, a type of an interface inside the world used elsewhere",
    ),
    "types without a name in an interface": (
        f'{X} (import "a:b/y" (instance (alias outer 1 $t (type $q)) (export "f" (func (param "x" (own $q))))))',
        "`f`, which uses `t` of `a:b/x` without bringing that name in",
    ),
    "types without a name in the world": (
        f'{X} (type $l (list (own $t))) (import "f" (func (result $l)))',
        "`f`, which uses `t` of `a:b/x` without bringing that name in",
    ),
    "functions of resources of elsewhere": (
        f'{R} (import "s" (type $s (eq $r))) (import "[method]s.x" (func (param "self" (borrow $s))))',
        "`[method]s.x`, whose resource is defined elsewhere",
    ),
    "exports that see an interface twice": (TWICE, "uses `a:b/x` both as an import and as an export"),
}


def assembled(text: str) -> bytes:
    return component(text.replace("(list (own $t))", "(list $o)").replace("(type $l", "(type $o (own $t)) (type $l"))


@pytest.mark.parametrize("name", NOT_IN_TEXT)
def test_what_text_cannot_say_is_no_text(name: str, tmp_path: Path) -> None:
    text, message = NOT_IN_TEXT[name]
    path = tmp_path / "c.wasm"
    path.write_bytes(assembled(text))
    with pytest.raises(WitError) as caught:
        load([path])
    assert str(caught.value).startswith(f"{path}: error: at offset 0x")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", NOT_IN_TEXT)
def test_what_text_cannot_say_can_be_called(name: str) -> None:
    resolve, world = component_world(decode(assembled(NOT_IN_TEXT[name][0])))
    assert resolve.worlds[world].imports


IN_TEXT = {
    "a name that the world has too": X + '(import "t" (type (eq $t))) (import "f" (func (param "x" (own $t))))',
    "a name that comes later": X
    + '(import "a:b/y" (instance (alias outer 1 $t (type $q)) (export "f" (func (param "x" (own $q))))'
    + ' (export "t" (type (eq $q)))))',
    "an interface that is imported and exported": X + '(export "a:b/x" (instance $x))',
    "chains that are exported as a whole": TWICE + '(export "a:b/c" (instance $c))',
    "versions of a package": CIRCLE.replace("B/y", "b:b/y").replace("a:a/z@1.0.0", "a:a/z@2.0.0"),
    "keys of maps": '(type $k string) (type $m (map $k u8)) (import "f" (func (param "x" $m)))',
    "a borrow that is passed": f'{R} (type $b (borrow $r)) (type $s (stream $b)) (import "f" (func (param "x" $s)))',
    "an owned handle that is returned": f'{R} (import "f" (func (result (own $r))))',
}


@pytest.mark.parametrize("name", IN_TEXT)
def test_what_is_read_comes_back_from_its_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / "c.wasm"
    path.write_bytes(component(IN_TEXT[name]))
    loaded = load([path])
    again = tmp_path / "c.wit"
    again.write_text(package_text(loaded.resolve, loaded.main))
    first, second = (Digests(each.resolve).world(ir.WorldId(0)) for each in (loaded, load([again])))
    assert first == second


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'{R} (import "f" (func (result (borrow $r))))', "`f` returns a borrow"),
        (f'{R} (type $b (borrow $r)) (type $l (list $b)) (import "f" (func (result $l)))', "`f` returns a borrow"),
        (
            f'{R} (type $b (borrow $r)) (type $c (record (field "b" $b))) (import "c" (type $n (eq $c)))'
            ' (import "f" (func (result $n)))',
            "`f` returns a borrow",
        ),
        (f'{R} (import "[constructor]r" (func async (result (own $r))))', "is async, as no constructor can be"),
        ('(import "f" (func)) (import "F" (func))', "`F` is the same as `f` to a component"),
        ('(import "a-b" (func)) (import "ab" (func))', "`ab` is the same as `a-b` to a component"),
        ('(import "a:b/c-d" (instance)) (import "a:b/cd" (instance))', "`a:b/cd` is the same as `a:b/c-d`"),
        (f'{R} (import "[static]r.r" (func))', "`[static]r.r` is the same as `r`"),
        (f'{R} (import "[static]r.f" (func)) (import "[method]r.f" (func))', "`[method]r.f` is the same as"),
        ('(import "i" (instance (export "t" (type (sub resource))) (export "T" (func))))', "`T` is the same as `t`"),
        ('(import "f" (func $f)) (instance (export "a" (func $f)) (export "A" (func $f)))', "`A` is the same as `a`"),
        ('(import "f" (func (param "a-b" u8) (param "ab" u8)))', "two names are the same"),
        ('(type $t (enum "x1" "x-1")) (import "t" (type (eq $t)))', "two names are the same"),
    ],
)
def test_what_makes_no_sense_is_refused_by_all(text: str, message: str) -> None:
    decoded = decode(component(text))
    for merge in (True, False):
        with pytest.raises(BinaryError) as caught:
            component_world(decoded, merge=merge)
        assert message in caught.value.message
        assert not isinstance(caught.value, NoWorldError)
        assert caught.value.offset is not None


@pytest.mark.parametrize(
    "text",
    [
        f'{R} (import "[constructor]r" (func (result (own $r)))) (import "[static]r.f" (func))',
        '(import "a:b/c@1.0.0-a" (instance)) (import "a:b/c@1.0.0-A" (instance))',
        '(import "f" (func $f)) (export "F" (func $f))',
        f'{R} (import "[static]r.r-x" (func))',
    ],
)
def test_names_that_only_look_the_same_are_read(text: str) -> None:
    component_world(decode(component(text)), merge=True)


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        (b"\x72\0", "a type without fields"),
        (b"\x71\0", "a type without cases"),
        (b"\x6f\0", "a type without types"),
        (b"\x6e\0", "a type without flags"),
        (b"\x6d\0", "a type without cases"),
        (b"\x67\x7d\0", "a type without elements"),
        (b"\x6e" + vec([name_bytes(f"f{i}") for i in range(33)]), "33 flags, more than 32"),
    ],
)
def test_types_have_something_in_them_and_flags_are_32_at_most(type_: bytes, message: str) -> None:
    data = op.PREAMBLE + section(op.TYPE, vec([type_]))
    with pytest.raises(BinaryError, match=message) as caught:
        decode(data)
    assert data.index(type_) < (caught.value.offset or 0) <= data.index(type_) + 2
