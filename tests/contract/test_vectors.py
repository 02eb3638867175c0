"""The test vectors of ``docs/interface-digest.md``, read from it: witgen finds these digests and no others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from witgen import binary, ir
from witgen.contract.digest import FORM, Digests, InterfaceDigest
from witgen.resolve import load, select_world

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/interface-digest.md"

_FENCED = r"^```{0}\n(.*?)^```$"
_CONTRACT = re.compile(_FENCED.format("wit"), re.MULTILINE | re.DOTALL)
_NODE = re.compile(_FENCED.format("text") + r"\n\n    sha256:([0-9a-f]{64})$", re.MULTILINE | re.DOTALL)
_REFERENCE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Vector:
    """A contract, and its nodes as text and digest."""

    wit: str
    nodes: tuple[tuple[str, str], ...]


def vectors() -> list[Vector]:
    """What the section of that name holds."""
    section = DOCUMENT.read_text().partition("\n## Test vectors\n")[2].partition("\n## ")[0]
    contracts = list(_CONTRACT.finditer(section))
    ends = [*(found.start() for found in contracts[1:]), len(section)]
    return [
        Vector(found[1], tuple((node[1], node[2]) for node in _NODE.finditer(section, found.end(), end)))
        for found, end in zip(contracts, ends, strict=True)
    ]


VECTORS = vectors()
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.wit.split()[1].rstrip(";"))


def found_in(resolve: ir.Resolve) -> set[str]:
    """The digests of all that a model holds."""
    digests = Digests(resolve)
    worlds = [digests.world(ir.WorldId(i)) for i in range(len(resolve.worlds))]
    named = [digests.interface(ir.InterfaceId(i)) for i, row in enumerate(resolve.interfaces) if row.name is not None]
    of_worlds = [item for world in worlds for item in (*world.imports.values(), *world.exports.values())]
    texts = [digests.type(ir.TypeId(i)) for i in range(len(resolve.types))]
    found = {world.digest for world in worlds} | {digest for text in texts for digest in _REFERENCE.findall(text)}
    for interface in (*named, *of_worlds):
        found.update(_of_interface(interface))
    return found


def _of_interface(interface: InterfaceDigest) -> Iterator[str]:
    yield interface.digest
    yield from interface.functions.values()


def test_the_vectors_are_of_the_form_that_witgen_computes_and_have_a_node_of_each_kind() -> None:
    heads = {text.partition("\n")[0] for vector in VECTORS for text, _ in vector.nodes}
    kinds = ("record", "variant", "enum", "flags", "resource", "structure", "function", "interface", "world")
    assert heads == {f"{FORM} {kind}" for kind in kinds}
    assert DOCUMENT.read_text().startswith(f"# Interface digests: `{FORM}`\n")


@each_vector
def test_a_digest_is_that_of_the_text_above_it_which_names_only_earlier_ones(vector: Vector) -> None:
    known: set[str] = set()
    for text, digest in vector.nodes:
        assert hashlib.sha256(text.encode()).hexdigest() == digest, text
        assert known.issuperset(_REFERENCE.findall(text)), text
        known.add(digest)


@each_vector
def test_the_contract_of_a_vector_has_its_digests_and_no_others(vector: Vector, tmp_path: Path) -> None:
    path = tmp_path / "contract.wit"
    path.write_text(vector.wit)
    assert found_in(load([path], all_features=True).resolve) == {digest for _, digest in vector.nodes}


@each_vector
def test_a_component_for_the_world_of_a_vector_carries_types_with_its_digest(vector: Vector, tmp_path: Path) -> None:
    path = tmp_path / "contract.wit"
    path.write_text(vector.wit)
    loaded = load([path], all_features=True)
    section = binary.encode_component_type(loaded.resolve, select_world(loaded, None))
    resolve, world = binary.encoded_world(binary.decode(section))
    text, digest = vector.nodes[-1]
    assert text.startswith(f"{FORM} world\n")
    assert Digests(resolve).world(world).digest == digest
