"""Programs on wasmtime's own WASI and on ours: the same input, the same answers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import wasmtime
from wasmtime import component as wasm

from tests.wasi.running import Outcome, Program
from witgen import runtime as rt
from witgen.binary import model

#: Arguments, variables, and what is on the standard input.
RUNS: list[tuple[Sequence[str], Mapping[str, str], bytes]] = [
    (["hello", "you"], {}, b""),
    (["arguments", "", "ä", "a b"], {}, b""),
    (["environment"], {"B": "", "A": "ü=1"}, b""),
    (["folder"], {}, b""),
    (["lines"], {}, b"one\n\ntwo\nthree"),
    (["count"], {}, bytes(range(256)) * 1000),
    (["copy"], {}, bytes(range(256)) * 100),
    (["fill", "100"], {}, b""),
    (["terminals"], {}, b""),
    (["fail", "it"], {}, b""),
    (["exit", "0"], {}, b""),
    (["exit", "9"], {}, b""),
    (["panic", "it"], {}, b""),
]


@pytest.mark.parametrize(("arguments", "environment", "data"), RUNS, ids=[run[0][0] for run in RUNS])
def test_programs_do_the_same_as_on_the_wasi_of_wasmtime(
    program: Program, arguments: Sequence[str], environment: Mapping[str, str], data: bytes, tmp_path: Path
) -> None:
    theirs = _oracle(program, ["program", *arguments], environment, data, tmp_path)
    ours = program.run(*arguments, environment=environment, stdin=io.BytesIO(data))
    assert (ours.out, ours.error) == (theirs.out, theirs.error)
    assert isinstance(ours.status, rt.Trap) if isinstance(theirs.status, rt.Trap) else ours.status == theirs.status


def _oracle(
    program: Program, arguments: Sequence[str], environment: Mapping[str, str], data: bytes, folder: Path
) -> Outcome:
    (folder / "in").write_bytes(data)
    config = wasmtime.WasiConfig()
    config.argv = arguments
    config.env = environment.items()
    config.stdin_file = folder / "in"
    config.stdout_file = folder / "out"
    config.stderr_file = folder / "error"
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    linker = wasm.Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, wasm.Component.from_file(engine, str(program.path)))
    # The version is that of the compiler's library.
    [name] = [item.name for item in program.component.definition.definitions if isinstance(item, model.Export)]
    interface = instance.get_export_index(store, name)
    inner = instance.get_export_index(store, "run", interface)
    assert inner is not None
    run = instance.get_func(store, inner)
    assert run is not None
    status: int | rt.Trap
    try:
        status = int(run(store).tag == "err")
    except wasmtime.ExitTrap as trap:
        status = trap.code
    except wasmtime.WasmtimeError as error:
        status = rt.Trap(str(error))
    return Outcome(status, (folder / "out").read_bytes(), (folder / "error").read_bytes())
