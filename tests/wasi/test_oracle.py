"""Programs on wasmtime's own WASI and on ours: the same input, the same answers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.wasi.oracle import run_on_wasmtime
from tests.wasi.running import Program
from witgen import runtime as rt

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
    theirs = run_on_wasmtime(program, *arguments, environment=environment, data=data, folder=tmp_path)
    ours = program.run(*arguments, environment=environment, stdin=io.BytesIO(data))
    assert (ours.out, ours.error) == (theirs.out, theirs.error)
    assert isinstance(ours.status, rt.Trap) if isinstance(theirs.status, rt.Trap) else ours.status == theirs.status
