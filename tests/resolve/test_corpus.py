"""wit-parser's own conformance cases, where they lie beside the project: the same verdicts, tables and lines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from witgen.diagnostics import WitError
from witgen.resolve import load
from witgen.resolve.json import to_json

CORPUS = Path(__file__).resolve().parents[3] / "shared/corpus/wit-parser"
_PLACE = re.compile(r":(\d+):(\d+)")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the conformance corpus does not lie beside the project")


def cases(kind: str, suffix: str) -> list[str]:
    return sorted(path.name.removesuffix(suffix) for path in (CORPUS / kind).glob(f"*{suffix}"))


@pytest.mark.parametrize("name", cases("pass", ".json"))
def test_valid_packages_resolve_to_the_same_tables(name: str) -> None:
    found = to_json(load([CORPUS / "pass" / name], features=["active"]).resolve)
    assert json.loads(json.dumps(found)) == json.loads((CORPUS / "pass" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", cases("fail", ".result"))
def test_invalid_packages_are_refused_on_the_same_line(name: str) -> None:
    expected = _PLACE.search((CORPUS / "fail" / f"{name}.result").read_text())
    with pytest.raises(WitError) as caught:
        load([CORPUS / "fail" / name], features=["active"])
    if expected is not None:
        found = _PLACE.search(str(caught.value))
        assert found is not None
        assert found[1] == expected[1]
