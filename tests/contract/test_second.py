"""Two programs that know nothing of each other but the document find the same digests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.contract.second import digests_by_document
from tests.contract.test_vectors import VECTORS, Vector
from tests.packages import packages
from witgen import ir
from witgen.contract.digest import Digests
from witgen.project import Contract, find_project
from witgen.resolve import load
from witgen.resolve.json import to_json

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = find_project(ROOT).contracts


def digests(resolve: ir.Resolve) -> dict[str, str]:
    """witgen's, named as the other program's."""
    made = Digests(resolve)
    found: dict[str, str] = {}
    for package in resolve.packages:
        found |= {f"interface {package.name} {n}": made.interface(i).digest for n, i in package.interfaces.items()}
        found |= {f"world {package.name} {n}": made.world(i).digest for n, i in package.worlds.items()}
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.wit.split()[1].rstrip(";"))
def test_the_second_program_passes_the_test_vectors(vector: Vector, tmp_path: Path) -> None:
    path = tmp_path / "contract.wit"
    path.write_text(vector.wit)
    found = digests_by_document(to_json(load([path], all_features=True).resolve))
    assert set(found.values()) <= {digest for _, digest in vector.nodes}
    (world,) = [digest for name, digest in found.items() if name.startswith("world ")]
    assert world == vector.nodes[-1][1]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_both_agree_on_the_contracts_of_this_repository(contract: Contract) -> None:
    resolve = load(contract.roots).resolve
    assert digests_by_document(to_json(resolve)) == digests(resolve)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("second")


@settings(max_examples=200)
@given(text=packages())
def test_both_agree_on_random_packages(text: str, folder: Path) -> None:
    path = folder / "package.wit"
    path.write_text(text)
    resolve = load([path], all_features=True).resolve
    assert digests_by_document(to_json(resolve)) == digests(resolve)
