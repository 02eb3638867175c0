"""Rust guests: what generating their stubs costs, and how large components come out.

Generating is held against starting Python and against the reference generator, where that is on the PATH; components
against the same guests on the reference's bindings, where cargo can fetch its crate. The guests are compiled unchanged.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measure import ROOT, ms, processes, seconds

sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))
from fetch_wasi import fetch, find

from tests.guests.family import NOT_EVERYWHERE, WORLDS, make_workspace
from witgen.binary import encode_component_type
from witgen.build import build
from witgen.diagnostics import WitError
from witgen.emit import rust
from witgen.resolve import load, select_world

TITLE = "Rust guests"
HEAD = ("What", "witgen", "Peer or floor", "", "Ratio")

#: The release of the reference's crate that guests are built on.
CRATE = "0.63.0"
WITGEN = [sys.executable, "-m", "witgen.cli"]
WORLD = """\
package bench:whole;

world whole {
  include wasi:cli/command@%version;
  include wasi:http/proxy@%version;
}
"""
#: What the crate leaves to the C library, which guests without `std` don't have.
REALLOC = """
#[no_mangle]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    use ::core::alloc::Layout;
    match (old_size, size) {
        (0, 0) => align as *mut u8,
        (0, _) => ::alloc::alloc::alloc(Layout::from_size_align_unchecked(size, align)),
        _ => ::alloc::alloc::realloc(old, Layout::from_size_align_unchecked(old_size, align), size),
    }
}
"""
DEPENDENCY = f"""
[dependencies.wit-bindgen]
version = "={CRATE}"
default-features = false
features = ["macros", "realloc", "bitflags"]
"""


def conditions() -> str:
    """What the measurements depend on, beside the machine."""
    compiler = shutil.which("rustc")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout if compiler else "no rustc"
    return f"{version.strip()}, wit-bindgen {CRATE}"


def rows() -> Iterator[Sequence[str]]:
    """Each measurement with its peer or floor."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _generation(Path(folder))
    try:
        yield from _sizes(ROOT / "target/bench-guests")
    except WitError as error:
        yield ("components on the reference's bindings", "", f"not measured: {error.diagnostics[0].message}", "", "")


def _generation(folder: Path) -> Iterator[Sequence[str]]:
    """Generating the stubs of all of WASI 0.2."""
    try:
        wasi = find() or fetch()
    except (OSError, subprocess.CalledProcessError):
        yield ("Rust for all of WASI 0.2", "", "not measured: neither on this machine nor fetched", "", "")
        return
    shutil.copytree(wasi / "deps", folder / "deps")
    version = next(p.name.version for p in load([wasi]).resolve.packages if p.name.name == "cli")
    (folder / "whole.wit").write_text(WORLD.replace("%version", str(version)))
    loaded = load([folder])
    world = select_world(loaded, None)

    def emit() -> str:
        section = encode_component_type(loaded.resolve, world)
        return rust.emit(loaded.resolve, world, rust.Stub(section, "", "whole.wit"))

    what = f"Rust for all of WASI 0.2 ({len(emit()) // 1000:,} kB)"
    text = "".join(path.read_text() for path in sorted(folder.rglob("*.wit")))
    os.environ["WITGEN_CACHE"] = "off"
    ours, floor = seconds(emit), seconds(lambda: load([folder]))
    del os.environ["WITGEN_CACHE"]
    yield (
        f"{what}, emitting",
        ms(ours),
        f"parse and resolve {len(text) // 1000} kB",
        ms(floor),
        f"{ours / floor:.2f}",
    )
    command = [*WITGEN, "generate", str(folder), "--lang", "rust", "-o", str(folder / "out")]
    peers = {"`python -c pass`": [sys.executable, "-c", "pass"]}
    if (reference := shutil.which("wit-bindgen")) is not None:
        peers["wit-bindgen, formatted"] = [
            *(reference, "rust", str(folder), "--generate-all", "--format", "--out-dir", str(folder / "peer"))
        ]
    with _silence():
        ours, *theirs = processes([command, *peers.values()], rounds=8)
    for name, peer in zip(peers, theirs, strict=True):
        yield (f"{what}, whole process", ms(ours), name, ms(peer), f"{ours / peer:.1f}")


def _sizes(folder: Path) -> Iterator[Sequence[str]]:
    """Components of the family and of `progress-runner`, on both bindings."""
    os.environ["CARGO_TARGET_DIR"] = str(folder / "target")
    names = [name for name in WORLDS if name not in NOT_EVERYWHERE]
    ours = _built(folder / "ours", names)
    ours["progress-runner"] = _progress_runner(folder / "progress-runner", reference=False)
    theirs: dict[str, int | str] = {}
    for name in [*names, "progress-runner"]:
        try:
            if name == "progress-runner":
                theirs[name] = _progress_runner(folder / "progress-runner-reference", reference=True)
            else:
                theirs[name] = _built(folder / "reference" / name, [name], reference=True)[name]
        except WitError:
            theirs[name] = "does not compile"
    for name, size in ours.items():
        peer = theirs[name]
        is_built = isinstance(peer, int)
        ratio = f"{size / peer:.2f}" if isinstance(peer, int) else ""
        yield (f"component `{name}`", _bytes(size), "on wit-bindgen", _bytes(peer) if is_built else str(peer), ratio)


def _built(folder: Path, names: list[str], reference: bool = False) -> dict[str, int]:
    """The sizes of components of the family, in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make_workspace(folder, names)
    (folder / "witgen.toml").unlink()
    if reference:
        for name in names:
            _on_reference(folder / name, f'path: "{name}.wit", generate_all')
    found = {path.stem: path.stat().st_size for path in _build(folder)}
    return {name: found[name.replace("-", "_")] for name in names}


def _progress_runner(folder: Path, *, reference: bool) -> int:
    """The size of the component `progress-runner`, in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("Cargo.toml", "Cargo.lock", "plugins/progress-runner", "plugins/runner/wit"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    # The other guests of the workspace are not here.
    manifest = (folder / "Cargo.toml").read_text()
    (folder / "Cargo.toml").write_text(re.sub("members = .*", 'members = ["plugins/progress-runner"]', manifest))
    if reference:
        options = 'path: "../runner/wit/progress.wit", world: "progress-runner", generate_all, '
        _on_reference(folder / "plugins/progress-runner", f"{options}additional_derives: [PartialEq]")
    (path,) = _build(folder)
    return path.stat().st_size


def _on_reference(crate: Path, options: str) -> None:
    (crate / "src/bindings.rs").write_text(f"wit_bindgen::generate!({{ {options} }});\n{REALLOC}")
    with (crate / "Cargo.toml").open("a") as manifest:
        manifest.write(DEPENDENCY)


def _build(folder: Path) -> list[Path]:
    """The components of a workspace. Raises `WitError` where it can't be built."""
    with _silence():
        return build(None, root=folder, echo=lambda line: None)


@contextmanager
def _silence() -> Iterator[None]:
    """What other programs say on stderr goes nowhere."""
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _bytes(value: int | str) -> str:
    return f"{value:,} bytes"
