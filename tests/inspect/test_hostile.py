"""Files that are cut off, changed or made to hurt, through all that a user can do with them: an answer or one error."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.binary.samples import SAMPLES, sample
from tests.binary.test_hostile import (
    doubling_instances,
    encoded_samples,
    named,
    nested,
    one_long_name,
    section_ends,
    types,
    used_often,
)
from tests.inspect.support import COMPONENT, CONTRACT, CORE, core_module, custom, producers
from witgen.binary import opcodes as op
from witgen.binary.writer import section, vec
from witgen.contract.digest import WorldDigest, world_digest
from witgen.contract.stamp import SECTION, Stamp, stamped
from witgen.contract.verify import Claims, verify
from witgen.diagnostics import WitError
from witgen.inspect import as_document, as_text, gather, wit_text
from witgen.printer import package_bytes, package_text
from witgen.resolve import load


@pytest.fixture(autouse=True)
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here once is never read again."""
    monkeypatch.setenv("WITGEN_CACHE", "off")


def seeds() -> list[bytes]:
    stamp = Stamp("witgen 0", "a:b/w", WorldDigest(world_digest("a:b/w", {}, {}), {}, {}))
    module = core_module(producers(language={"C": "17"}), name="m")
    return [
        *(sample(name) for name in SAMPLES),
        *encoded_samples(),
        stamped(sample("composed"), stamp),
        op.PREAMBLE + section(op.CORE_MODULE, module) + producers(sdk={"x": "1"}) + custom(SECTION, b"{}"),
        core_module(custom("component-type:x", encoded_samples()[0]), producers(language={"C": "17"})),
    ]


SEEDS = seeds()


def loaded_and_printed(file: Path) -> None:
    loaded = load([file])
    package_text(loaded.resolve, loaded.main)
    package_bytes(loaded.resolve, loaded.main)


VERBS: dict[str, Callable[[Path], object]] = {
    "inspect": lambda file: as_text(gather(file)),
    "inspect --json": lambda file: as_document(gather(file)),
    "inspect --wit": wit_text,
    "wit": loaded_and_printed,
    "verify": lambda file: verify(file, Claims((CONTRACT,))),
}


def do_everything(file: Path, data: bytes, verbs: Iterable[str] = tuple(VERBS)) -> None:
    """Anything but an answer or a `WitError` is a failure."""
    file.write_bytes(data)
    for verb in verbs:
        try:
            VERBS[verb](file)
        except WitError as error:
            assert error.diagnostics


def place(error: WitError) -> int:
    """The byte that an error names."""
    return int(str(error).partition(": error: at offset 0x")[2].partition(":")[0], 16)


@pytest.mark.parametrize("data", SEEDS, ids=len)
def test_a_file_cut_off_at_any_byte_is_an_error_at_a_byte_that_is_there(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file.wasm"
    ends = section_ends(data)
    for length in range(len(data)):
        if length in ends:
            do_everything(file, data[:length])
            continue
        file.write_bytes(data[:length])
        for verb in (gather, wit_text):
            with pytest.raises(WitError) as caught:
                verb(file)
            assert place(caught.value) <= length


@pytest.mark.parametrize("data", SEEDS, ids=len)
def test_each_byte_may_be_another(data: bytes, tmp_path: Path) -> None:
    choice = random.Random(len(data))
    for at in range(4, len(data)):
        value = choice.choice((0, 0x7F, 0xFF, data[at] ^ 1, choice.randrange(256)))
        do_everything(tmp_path / "file.wasm", data[:at] + bytes((value,)) + data[at + 1 :])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(4, 2000), st.binary(max_size=6), st.integers(0, 6)), min_size=1, max_size=5),
)
def test_any_mutation_gives_an_answer_or_an_error(
    tmp_path: Path, data: bytes, changes: list[tuple[int, bytes, int]]
) -> None:
    for at, put, dropped in changes:
        data = data[:at] + put + data[at + dropped :]
    do_everything(tmp_path / "file.wasm", data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([op.PREAMBLE, CORE, b""]), st.binary(max_size=300))
def test_any_content_gives_an_answer_or_an_error(tmp_path: Path, start: bytes, content: bytes) -> None:
    do_everything(tmp_path / "file.wasm", start + content)


def test_a_real_component_may_be_changed_anywhere(tmp_path: Path) -> None:
    data = COMPONENT.read_bytes()
    choice = random.Random(0)
    # Most of its bytes are code, which nobody reads: what is read lies at both ends.
    places = [*range(0, 523, 7), *(choice.randrange(112_000, len(data)) for _ in range(100))]
    for at in places:
        do_everything(
            tmp_path / "file.wasm", data[:at] + bytes((data[at] ^ 1 << choice.randrange(8),)) + data[at + 1 :]
        )
        do_everything(tmp_path / "file.wasm", data[:at])


def modules_in_components(depth: int, modules: int) -> bytes:
    data = op.PREAMBLE + section(op.CORE_MODULE, CORE) * modules
    for _ in range(depth):
        data = op.PREAMBLE + section(op.COMPONENT, data)
    return data


BOMBS = {
    "a large type": used_often(18, 1),
    "a type often": used_often(10, 10_000),
    "a name often": one_long_name(100_000, 1_000),
    "instances": doubling_instances(60),
    "components in components": nested(100),
    "modules deep inside": modules_in_components(99, 3_000),
    "too many modules": modules_in_components(1, 25_000),
    "many worlds to link": CORE + custom("component-type:x", doubling_instances(60)) * 300,
    "sections without content": op.PREAMBLE + custom("x", b"") * 100_000,
    "many docs": op.PREAMBLE + custom("package-docs", b"\1{}") * 20_000,
    "a stamp of brackets": op.PREAMBLE + custom(SECTION, b"[" * 1_000_000),
    "a stamp of lists": op.PREAMBLE + custom(SECTION, b"[" + b"[]," * 300_000 + b"[]]"),
    "a huge version": op.PREAMBLE + custom(SECTION, b'{"version":1' + b"0" * 4_000 + b"}"),
    "a huge count": CORE + b"\x07\x05\xff\xff\xff\xff\x0f",
    "many producers": op.PREAMBLE + custom("producers", b"\1\1x" + vec([b"\1a\1b"] * 15_000)),
    "names without an end": types(b"\x42\0") + section(op.IMPORT, vec([named("a" + "-1" * 300_000 + "!", 5, 0)])),
    "packages without an end": types(b"\x42\0") + section(op.IMPORT, vec([named("a:" * 300_000, 5, 0)])),
    "many packages": types(b"\x42\0") + section(op.IMPORT, vec([named(f"a:b{i}/c", 5, 0) for i in range(5_000)])),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_made_to_hurt_needs_no_more_memory_than_a_large_honest_file(name: str, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        do_everything(tmp_path / "file.wasm", BOMBS[name], ["inspect", "wit"])
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
