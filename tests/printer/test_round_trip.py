"""What is printed resolves to what was resolved, and is printed the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.packages import packages
from tests.printer.support import outline, resolved
from witgen.printer import package_text
from witgen.project import find_project
from witgen.resolve import Loaded, load

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared/corpus/wit-parser/pass"
CONTRACTS = find_project(ROOT).contracts


def files() -> list[Path]:
    found = sorted((ROOT / "tests/resolve/golden/pass").glob("*.wit"))
    found += sorted((ROOT / "tests/printer/golden").glob("*.wit"))
    if CORPUS.is_dir():
        found += sorted(CORPUS / path.name.removesuffix(".json") for path in CORPUS.glob("*.json"))
    return found


def order(loaded: Loaded) -> list[str]:
    """The packages in order, which depends on includes: in the text these are carried out."""
    return [str(package.name) for package in loaded.resolve.packages]


def check(loaded: Loaded) -> None:
    text = package_text(loaded.resolve, loaded.main)
    again = resolved(text)
    if order(again) == order(loaded):
        assert package_text(again.resolve, again.main) == text
    assert again.resolve.packages[again.main].name == loaded.resolve.packages[loaded.main].name
    assert outline(again.resolve) == outline(loaded.resolve)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_what_is_printed_says_the_same(path: Path) -> None:
    check(load([path], all_features=True))


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_contracts_of_several_roots_become_one_file(contract: object) -> None:
    check(load(contract.roots))  # type: ignore[attr-defined]


@settings(max_examples=150, deadline=None)
@given(packages())
def test_whatever_is_valid_says_the_same(text: str) -> None:
    check(resolved(text))
