"""WASI 0.2 as it is published: formatting, printing and parsing again change nothing of what it says."""

from __future__ import annotations

from pathlib import Path

from tests.fmt.support import check_laws
from tests.printer.support import outline, resolved
from witgen import ir
from witgen.fmt.files import format_paths
from witgen.printer import package_text
from witgen.resolve import load
from witgen.resolve.json import to_json


def test_every_file_keeps_the_laws(wasi: Path) -> None:
    files = sorted(wasi.rglob("*.wit"))
    assert len(files) > 20
    for file in files:
        check_laws(file.read_text())


def test_formatted_as_a_whole_it_is_the_same_model(wasi: Path, tmp_path: Path) -> None:
    outcome = format_paths([wasi, wasi / "deps"])
    assert not outcome.errors
    for file in outcome.files:
        assert file.path is not None
        place = tmp_path / file.path.relative_to(wasi.resolve())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.text)
    assert to_json(load([tmp_path], all_features=True).resolve) == to_json(load([wasi], all_features=True).resolve)


def test_printed_it_is_the_same_model(wasi: Path) -> None:
    loaded = load([wasi], all_features=True)
    for number in range(len(loaded.resolve.packages)):
        again = resolved(package_text(loaded.resolve, ir.PackageId(number)))
        assert outline(again.resolve) == outline(loaded.resolve)
