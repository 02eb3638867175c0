"""How packages are printed: one printed form a package.

The packages are those of ``tests/resolve/golden/pass`` and the ``*.wit`` beside this file's ``golden`` forms;
``golden/NAME.printed`` is what ``NAME.wit`` is printed as. ``WITGEN_GOLDEN=write pytest tests/printer/test_golden.py``
writes what is expected anew, to be read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from witgen.printer import package_text
from witgen.resolve import load

GOLDEN = Path(__file__).parent / "golden"
PACKAGES = [*sorted((GOLDEN.parents[1] / "resolve/golden/pass").glob("*.wit")), *sorted(GOLDEN.glob("*.wit"))]
WRITE = os.environ.get("WITGEN_GOLDEN") == "write"


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.stem)
def test_a_package_has_its_printed_form(path: Path) -> None:
    loaded = load([path], all_features=True)
    found = package_text(loaded.resolve, loaded.main)
    expected = GOLDEN / f"{path.stem}.printed"
    if WRITE:
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_printed_form_is_of_a_package() -> None:
    assert {path.stem for path in GOLDEN.glob("*.printed")} == {path.stem for path in PACKAGES}
