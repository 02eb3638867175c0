"""One rule a file: what resolves, and to what; what is refused, where, and in which words.

``golden/pass/NAME.wit`` resolves to the tables in ``NAME.json``, ``golden/fail/NAME.wit`` is refused with the message
in ``NAME.error``; where a rule needs several files, ``NAME`` is a folder. To add a rule, add a file;
``WITGEN_GOLDEN=write pytest tests/resolve/test_golden.py`` writes what is expected anew, to be read before it is
committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from witgen.diagnostics import WitError
from witgen.resolve import load
from witgen.resolve.json import to_json

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("WITGEN_GOLDEN") == "write"


def cases(kind: str) -> list[Path]:
    return sorted(path for path in (GOLDEN / kind).iterdir() if path.suffix == ".wit" or path.is_dir())


def expect(path: Path, found: str) -> None:
    if WRITE:
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("path", cases("pass"), ids=lambda path: path.stem)
def test_what_is_right_resolves(path: Path) -> None:
    document = to_json(load([path]).resolve)
    expect(path.with_suffix(".json"), json.dumps(document, indent=2) + "\n")


@pytest.mark.parametrize("path", cases("fail"), ids=lambda path: path.stem)
def test_what_is_wrong_is_refused_at_its_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(WitError) as caught:
        load([Path(path.name)])
    expect(path.with_suffix(".error"), f"{caught.value}\n")
