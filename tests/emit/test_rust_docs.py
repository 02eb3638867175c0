"""The example of `docs/rust-guests.md`: its contract and its guest, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools import lint_rust
from witgen.files import write_all
from witgen.generate import generate, target_for

PAGE = Path(__file__).resolve().parents[2] / "docs/rust-guests.md"


def blocks(language: str) -> list[str]:
    """The blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("split", [False, True], ids=["file", "folder"])
def test_the_guest_of_the_page_compiles_without_a_warning(tmp_path: Path, split: bool) -> None:
    (contract,), (guest,) = blocks("wit"), blocks("rust")
    (tmp_path / "counting.wit").write_text(contract)
    target = target_for([tmp_path / "counting.wit"], None, "rust", tmp_path / "bindings.rs", split=split)
    write_all(generate([target], tmp_path))
    if split:
        guest = guest.replace('include!("bindings.rs");', "mod bindings;")
        guest = guest.replace("export!(Component);", "bindings::export!(Component with_types_in bindings);")
        guest = guest.replace("use exports::", "use bindings::exports::")
    (tmp_path / "lib.rs").write_text(guest)
    lint_rust(tmp_path / "lib.rs")
