"""Programs on wasmtime's own WASI: the second opinion on what ours does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import wasmtime
from wasmtime import component as wasm

from tests.wasi.running import Outcome, Program
from witgen import runtime as rt
from witgen.binary import model


def run_on_wasmtime(
    program: Program,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    data: bytes = b"",
    preopens: Mapping[str, Path] | None = None,
) -> Outcome:
    """What a program does with these arguments and variables, `data` on its standard input, and preopened folders.

    What passes through its standard streams is kept in files of `folder`.
    """
    (folder / "in").write_bytes(data)
    config = wasmtime.WasiConfig()
    config.argv = ["program", *arguments]
    config.env = (environment or {}).items()
    config.stdin_file = folder / "in"
    config.stdout_file = folder / "out"
    config.stderr_file = folder / "error"
    for name, path in (preopens or {}).items():
        config.preopen_dir(str(path), name)
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
