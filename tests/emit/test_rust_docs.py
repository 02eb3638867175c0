"""The example of `docs/rust-guests.md`: its contract and its guest, as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from witgen.files import write_all
from witgen.generate import generate, target_for

PAGE = Path(__file__).resolve().parents[2] / "docs/rust-guests.md"


def blocks(language: str) -> list[str]:
    """The blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("split", [False, True], ids=["file", "folder"])
def test_the_guest_of_the_page_compiles_without_a_warning(tmp_path: Path, split: bool) -> None:
    compiler = next((name for name in ("clippy-driver", "rustc") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("there is no rustc on this machine")
    (contract,), (guest,) = blocks("wit"), blocks("rust")
    (tmp_path / "counting.wit").write_text(contract)
    target = target_for([tmp_path / "counting.wit"], None, "rust", tmp_path / "bindings.rs", split=split)
    write_all(generate([target], tmp_path))
    if split:
        guest = guest.replace('include!("bindings.rs");', "mod bindings;")
        guest = guest.replace("export!(Component);", "bindings::export!(Component with_types_in bindings);")
        guest = guest.replace("use exports::", "use bindings::exports::")
    (tmp_path / "lib.rs").write_text(guest)
    command = [compiler, "--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "-Dwarnings"]
    done = subprocess.run([*command, "--out-dir", tmp_path, tmp_path / "lib.rs"], capture_output=True, text=True)
    assert not done.returncode, done.stderr
