"""Calls in both directions: values, memory that grows, host resources, exceptions of host code."""

from __future__ import annotations

import array
import ctypes
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from tests.runtime.support import LIBRARY, adapter, component
from witgen import runtime as rt
from witgen.contract.verification import same_link_name
from witgen.runtime.context import LONG_STRING

WIT = """
package a:b@1.0.0;
interface host {
  resource blob {
    constructor(init: list<u8>);
    len: func() -> u32;
  }
  log: func(msg: string) -> u32;
}
interface api {
  add: func(a: u32, b: u32) -> u32;
  echo: func(s: string) -> string;
  log: func(s: string) -> u32;
  blob-len: func(s: list<u8>) -> u32;
  boom: func();
}
world w { import host; export api; }
"""

COMPONENT = """
  (import "a:b/host@1.0.0" (instance $host
    (export "blob" (type $blob (sub resource)))
    (export "[constructor]blob" (func (param "init" (list u8)) (result (own $blob))))
    (export "[method]blob.len" (func (param "self" (borrow $blob)) (result u32)))
    (export "log" (func (param "msg" string) (result u32)))))
  (core func $log (canon lower (func $host "log") (memory $memory) (realloc $realloc)))
  (alias export $host "blob" (type $blob))
  (core func $new (canon lower (func $host "[constructor]blob") (memory $memory) (realloc $realloc)))
  (core func $len (canon lower (func $host "[method]blob.len")))
  (core func $drop (canon resource.drop $blob))
  (core module $main
    (import "host" "log" (func $log (param i32 i32) (result i32)))
    (import "host" "new" (func $new (param i32 i32) (result i32)))
    (import "host" "len" (func $len (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "libc" "memory" (memory 1))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "log") (param i32 i32) (result i32) (call $log (local.get 0) (local.get 1)))
    (func (export "blob-len") (param i32 i32) (result i32) (local i32 i32)
      (local.set 2 (call $new (local.get 0) (local.get 1)))
      (local.set 3 (call $len (local.get 2)))
      (call $drop (local.get 2))
      (local.get 3))
    (func (export "boom") unreachable))
  (core instance $main (instantiate $main
    (with "host" (instance
      (export "log" (func $log)) (export "new" (func $new))
      (export "len" (func $len)) (export "drop" (func $drop))))
    (with "libc" (instance $libc))))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
  (func $echo (param "s" string) (result string)
    (canon lift (core func $main "echo") (memory $memory) (realloc $realloc)ENCODING))
  (func $log' (param "s" string) (result u32)
    (canon lift (core func $main "log") (memory $memory) (realloc $realloc)))
  (func $blob-len (param "s" (list u8)) (result u32)
    (canon lift (core func $main "blob-len") (memory $memory) (realloc $realloc)))
  (func $boom (canon lift (core func $main "boom")))
  (instance $api
    (export "add" (func $add)) (export "echo" (func $echo)) (export "log" (func $log'))
    (export "blob-len" (func $blob-len)) (export "boom" (func $boom)))
  (export "a:b/api@1.0.0" (instance $api))
"""


class Host:
    """A host that keeps what it was told."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.closed: list[bytes] = []
        self.fails: Exception | None = None

    def log(self, msg: str) -> int:
        self.messages.append(msg)
        if self.fails is not None:
            raise self.fails
        return len(msg)

    def blob(self, init: bytes) -> Blob:
        return Blob(self, init)


class Blob:
    """A host resource: a plain object."""

    def __init__(self, host: Host, init: bytes) -> None:
        self.host, self.init = host, init

    def len(self) -> int:
        return len(self.init)

    def close(self) -> None:
        self.host.closed.append(self.init)


@pytest.fixture
def host() -> Host:
    return Host()


def running(folder: Path, host: Host, wat: str = COMPONENT, encoding: str = "") -> Any:
    module = adapter(folder, WIT)
    return module.W(component(wat.replace("ENCODING", encoding)), module.WImports(host=host)).api


def test_scalars_and_strings_come_back(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    assert api.add(2, 40) == 42
    assert api.add((1 << 32) - 1, 1) == 0
    for text in ("", "a", "zwölf 🎉", "\0"):
        assert api.echo(text) == text


@pytest.mark.parametrize("encoding", ["utf16", "latin1+utf16"])
def test_strings_come_back_in_every_encoding(tmp_path: Path, host: Host, encoding: str) -> None:
    api = running(tmp_path, host, encoding=f" string-encoding={encoding}")
    for text in ("", "a", "abc", "zwölf", "🎉 and more", "\0"):
        assert api.echo(text) == text


def test_memory_that_grows_during_a_call_is_seen(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    text = "x" * 3_000_000
    assert api.echo(text) == text
    assert api.blob_len(bytes(1_000_000)) == 1_000_000


def test_a_string_that_utf8_cannot_hold_is_refused_and_the_instance_goes_on(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    with pytest.raises(UnicodeEncodeError):
        api.echo("\ud800")
    assert api.echo("a") == "a"


@pytest.mark.parametrize("length", [LONG_STRING - 1, LONG_STRING, LONG_STRING + 1])
@pytest.mark.parametrize("last", ["a", "\x7f", "ä", "€", "🎉"])
def test_long_strings_come_back_whatever_they_end_with(tmp_path: Path, host: Host, length: int, last: str) -> None:
    api = running(tmp_path, host)
    text = "".join(chr(97 + i % 26) for i in range(length - 1)) + last
    assert api.echo(text) == text
    assert api.echo(last * length) == last * length


class Label(str):
    """A string of a class of its own."""


def test_a_string_of_a_subclass_is_a_string(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    assert api.echo(Label("short")) == "short"
    assert api.echo(Label("long" * LONG_STRING)) == "long" * LONG_STRING


@pytest.mark.parametrize("value", [5, None, b"bytes", b"bytes" * LONG_STRING, ["a"]])
def test_what_is_no_string_is_refused_and_the_instance_goes_on(tmp_path: Path, host: Host, value: Any) -> None:
    api = running(tmp_path, host)
    with pytest.raises(TypeError, match="is not a string"):
        api.echo(value)
    assert api.echo("a") == "a"


_ITEMS = struct.pack("<4I", 1, 2, 0x01020304, 0xFFFFFFFF)

#: Buffers that don't lie in memory as plain bytes do, and the bytes that they are.
BUFFERS = {
    "wide items": (memoryview(_ITEMS).cast("I"), _ITEMS),
    "characters": (memoryview(_ITEMS).cast("c"), _ITEMS),
    "every second byte": (memoryview(b"1x2x3x4x")[::2], b"1234"),
    "backwards": (memoryview(b"4321")[::-1], b"1234"),
    "every second wide item": (memoryview(_ITEMS).cast("I")[::2], _ITEMS[0:4] + _ITEMS[8:12]),
    "two dimensions": (memoryview(b"123456").cast("B", (2, 3)), b"123456"),
    "an array": (array.array("H", [1, 2, 0xFFFF]), struct.pack("<3H", 1, 2, 0xFFFF)),
    "an array of ctypes": ((ctypes.c_uint32 * 2)(7, 8), struct.pack("<2I", 7, 8)),
    "no wide items": (memoryview(_ITEMS).cast("I")[:0], b""),
    "no bytes": (memoryview(b""), b""),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_the_bytes_of_a_buffer_are_those_of_its_items_in_order(tmp_path: Path, host: Host, name: str) -> None:
    data, wanted = BUFFERS[name]
    assert running(tmp_path, host).blob_len(data) == len(wanted)
    assert host.closed == [wanted]


@pytest.mark.parametrize("data", [b"12345", bytearray(b"12345"), memoryview(b"12345")])
def test_any_buffer_is_taken_as_bytes_and_host_resources_are_closed(tmp_path: Path, host: Host, data: Any) -> None:
    api = running(tmp_path, host)
    assert api.blob_len(data) == 5
    assert host.closed == [b"12345"]


def test_an_exception_of_host_code_comes_out_unchanged(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    assert api.log("fine") == 4
    host.fails = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        api.log("not")
    assert caught.value is host.fails
    assert "called by a:b/api@1.0.0#log" in caught.value.__notes__[0]
    with pytest.raises(rt.InstanceUnavailable, match="host code raised KeyError"):
        api.log("again")


def test_a_guest_cannot_be_entered_again_from_host_code(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    host.log = lambda msg: api.add(1, 1)  # type: ignore[method-assign]
    with pytest.raises(rt.InstanceUnavailable, match="in another call"):
        api.log("x")


def test_of_many_threads_one_at_a_time_is_in_an_instance(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    inside: list[str] = []
    served: list[str] = []
    refused: list[str] = []

    def log(msg: str) -> int:
        inside.append(msg)
        time.sleep(0.0001)
        assert inside == [msg]
        inside.remove(msg)
        return len(msg)

    def call(name: str) -> None:
        for _ in range(50):
            try:
                assert api.log(name) == len(name)
                served.append(name)
            except rt.InstanceUnavailable:
                refused.append(name)

    host.log = log  # type: ignore[method-assign]
    threads = [threading.Thread(target=call, args=("x" * n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served) + len(refused) == 50 * len(threads)
    assert served and refused
    assert api.add(1, 2) == 3


def test_what_host_code_returns_wrongly_is_an_error_and_not_a_value(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)
    host.log = lambda msg: 1 << 32  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="not a u32"):
        api.log("x")


def test_an_error_of_host_code_that_reads_like_ours_is_left_as_it_is(tmp_path: Path, host: Host) -> None:
    api = running(tmp_path, host)

    def log(msg: str) -> int:
        memoryview(bytearray(4)).cast("I")[0] = -1
        return 0

    host.log = log  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="memoryview: invalid value"):
        api.log("x")


def test_a_trap_names_function_and_reason(tmp_path: Path, host: Host) -> None:
    with pytest.raises(rt.Trap, match=r"a:b/api@1.0.0#boom: .*unreachable"):
        running(tmp_path, host).boom()


def test_a_component_of_another_contract_is_refused_by_function(tmp_path: Path, host: Host) -> None:
    wat = COMPONENT.replace('(param "msg" string)', '(param "message" string)')
    with pytest.raises(rt.ContractError) as caught:
        running(tmp_path, host, wat)
    assert caught.value.differences == ("import a:b/host@1.0.0#log: its type differs from the contract's",)


def test_an_import_that_the_contract_does_not_offer_is_refused(tmp_path: Path, host: Host) -> None:
    wat = '(import "wasi:random/random@0.2.6" (instance (export "get-random-u64" (func (result u64)))))' + COMPONENT
    with pytest.raises(rt.ContractError, match=r"random@0.2.6#get-random-u64: the contract does not offer it"):
        running(tmp_path, host, wat)


def test_an_export_that_is_missing_is_named(tmp_path: Path, host: Host) -> None:
    with pytest.raises(rt.ContractError, match="#boom: the component does not have it"):
        running(tmp_path, host, COMPONENT.replace(' (export "boom" (func $boom))', ""))


@pytest.mark.parametrize("data", [b"", b"\0asm", b"\0asm\x01\0\0\0", b"package a:b;", bytes(1000)])
def test_what_is_not_a_component_is_refused(data: bytes) -> None:
    with pytest.raises(rt.ComponentError, match=r"thing\.wasm"):
        rt.Component(data, name="thing.wasm")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("wasi:io/poll@0.2.4", "wasi:io/poll@0.2.6", True),
        ("wasi:io/poll@0.2.4", "wasi:io/poll@0.3.0", False),
        ("a:b/c@1.2.0", "a:b/c@1.9.9", True),
        ("a:b/c@1.2.0", "a:b/c@2.0.0", False),
        ("a:b/c@0.0.1", "a:b/c@0.0.2", False),
        ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0", False),
        ("a:b/c", "a:b/c", True),
        ("a:b/c", "a:b/c@1.0.0", False),
    ],
)
def test_names_link_as_semver_says(a: str, b: str, same: bool) -> None:
    assert same_link_name(a, b) is same


_LOG = "(call $log (local.get 0) (local.get 1)))"
_BLOB = """(local.set 2 (call $new (local.get 0) (local.get 1)))
      (local.set 3 (call $len (local.get 2)))
      (call $drop (local.get 2))"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (_LOG, "(call $log (i32.const 0x10000) (i32.const 1)))", "outside the memory"),
        (_LOG, "(call $log (i32.const -1) (i32.const -1)))", "outside the memory"),
        (_LOG, "(i32.store (i32.const 8) (i32.const 0xff)) (call $log (i32.const 8) (i32.const 1)))", "not UTF-8"),
        (_LOG, "(call $len (i32.const 99)))", "99 is not a handle"),
        (_LOG, "(call $drop (i32.const 0)) (i32.const 0))", "0 is not a handle"),
        (_LOG, "(call $new (i32.const 0xfffffff0) (i32.const 0x20)))", "outside the memory"),
    ],
)
def test_an_argument_that_breaks_a_rule_is_a_trap_and_reaches_no_host_code(
    tmp_path: Path, host: Host, old: str, new: str, says: str
) -> None:
    assert old in COMPONENT
    api = running(tmp_path, host, COMPONENT.replace(old, new))
    with pytest.raises(rt.Trap, match=says) as caught:
        api.log("x")
    assert caught.value.function == "a:b/api@1.0.0#log"
    assert host.messages == []


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (_BLOB + " (call $drop (local.get 2))", "not a handle"),
        (_BLOB + " (local.set 3 (call $len (local.get 2)))", "not a handle"),
    ],
)
def test_a_handle_is_gone_once_it_was_dropped(tmp_path: Path, host: Host, new: str, says: str) -> None:
    assert _BLOB in COMPONENT
    api = running(tmp_path, host, COMPONENT.replace(_BLOB, new))
    with pytest.raises(rt.Trap, match=says):
        api.blob_len(b"12")
    assert host.closed == [b"12"]


def test_a_realloc_that_returns_nonsense_is_a_trap(tmp_path: Path, host: Host) -> None:
    module = adapter(tmp_path, WIT)
    for pointer in ("-1", "0x7fffffff"):
        wat = f"(component {LIBRARY} {COMPONENT.replace('ENCODING', '')})".replace(
            "(local.get 4)))\n  (core instance", f"(i32.const {pointer})))\n  (core instance"
        )
        assert f"(i32.const {pointer})))" in wat
        api = module.W(rt.Component(bytes(wasmtime.wat2wasm(wat))), module.WImports(host=host)).api
        with pytest.raises(rt.Trap, match="outside the memory"):
            api.echo("text")


def test_an_interface_can_be_imported_and_exported(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path,
        """
        package a:b;
        interface chain { record step { by: u32 } next: func(at: u32, step: step) -> u32; }
        world w { import chain; export chain; }
        """,
    )
    link = component("""
      (type $chain (instance
        (type $step' (record (field "by" u32))) (export "step" (type $step (eq $step')))
        (export "next" (func (param "at" u32) (param "step" $step) (result u32)))))
      (import "a:b/chain" (instance $host (type $chain)))
      (core func $host (canon lower (func $host "next")))
      (core module $main
        (import "host" "next" (func $next (param i32 i32) (result i32)))
        (func (export "next") (param i32 i32) (result i32)
          (i32.mul (call $next (local.get 0) (local.get 1)) (i32.const 2))))
      (core instance $main (instantiate $main (with "host" (instance (export "next" (func $host))))))
      (type $own (record (field "by" u32)))
      (export $step "step" (type $own))
      (func $next (param "at" u32) (param "step" $step) (result u32) (canon lift (core func $main "next")))
      (instance $api (export "step" (type $step)) (export "next" (func $next)))
      (export "a:b/chain" (instance $api))
    """)

    class Host:
        def next(self, at: int, step: Any) -> int:
            assert isinstance(step, wit.Step)
            return at + int(step.by)

    world = wit.W(link, wit.WImports(chain=Host()))
    assert world.chain.next(3, wit.Step(4)) == 14
