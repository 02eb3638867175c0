"""Finds the WIT files of WASI 0.2 on this machine, or fetches them: prints their folder, or the reason why not.

They come with the crates `wasi` (0.14) and `wasip2`, which the sources of Rust's standard library have among their
dependencies. Where neither those nor cargo's folder has them, cargo fetches the crate into ``target/wasi``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FETCHED = ROOT / "target/wasi"

#: The manifest of a package that does nothing but depend on the crate.
MANIFEST = """\
[package]
name = "wasi-files"
version = "0.0.0"
edition = "2021"

[lib]
path = "lib.rs"

[dependencies]
wasi = "=0.14.2"

[workspace]
"""


def find() -> Path | None:
    """The root package folder that has all of WASI 0.2 in its ``deps``, if there is one on this machine."""
    for folder in _vendor_folders():
        for crate in ("wasi-0.14.*", "wasi", "wasip2-1.*", "wasip2"):
            for path in sorted(folder.glob(f"{crate}/wit"), reverse=True):
                if {"cli", "http"} <= {entry.stem for entry in (path / "deps").glob("*")}:
                    return path
    return None


def _vendor_folders() -> Iterator[Path]:
    """Folders that have a folder for each crate."""
    yield FETCHED / "vendor"
    yield from sorted(Path("/usr/src").glob("rustc-*/library/vendor"))
    rustup = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    yield from sorted(rustup.glob("toolchains/*/lib/rustlib/src/rust/library/vendor"))
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    yield from sorted(cargo.glob("registry/src/*"))


def fetch() -> Path:
    """Have cargo fetch the crate. Raises OSError or CalledProcessError where it can't."""
    FETCHED.mkdir(parents=True, exist_ok=True)
    (FETCHED / "Cargo.toml").write_text(MANIFEST)
    (FETCHED / "lib.rs").write_text("")
    subprocess.run(["cargo", "vendor", "--quiet", "vendor"], cwd=FETCHED, check=True, stdout=subprocess.DEVNULL)
    found = find()
    if found is None:
        raise FileNotFoundError("the crate that cargo fetched has no WIT files of WASI in it")
    return found


def main() -> int:
    """0 with the folder on stdout, 3 with the reason on stderr."""
    try:
        print(find() or fetch())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"the WIT files of WASI 0.2 are not on this machine and could not be fetched: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
