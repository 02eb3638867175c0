"""One rule of the style a file: ``golden/NAME.in.wit`` becomes ``golden/NAME.out.wit``.

To add a rule, add a file; ``WITGEN_GOLDEN=write pytest tests/fmt/test_golden.py`` writes what comes out anew, to be
read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fmt.support import check_laws, formatted

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("WITGEN_GOLDEN") == "write"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.in.wit")), ids=lambda path: path.name.removesuffix(".in.wit"))
def test_a_file_is_laid_out_as_expected(path: Path) -> None:
    expected = path.with_name(path.name.replace(".in.wit", ".out.wit"))
    found = formatted(path.read_text())
    if WRITE:
        expected.write_text(found)
    assert found == expected.read_text()
    check_laws(found)
