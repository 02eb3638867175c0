"""A contract has the same digests in text, in the section that guests carry, and as a binary package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.test_digest import CONTRACT
from witgen import binary
from witgen.contract.digest import Digests, WorldDigest
from witgen.project import Target, find_project
from witgen.resolve import load, select_world

ROOT = Path(__file__).resolve().parents[2]
TARGETS = find_project(ROOT).targets


def functions(world: WorldDigest) -> dict[str, dict[str, str]]:
    """The digests of all functions by direction and interface."""
    return {
        f"{direction} {name}": dict(sorted(item.functions.items()))
        for direction, items in (("import", world.imports), ("export", world.exports))
        for name, item in items.items()
    }


def through_binary(roots: list[Path], world_name: str | None) -> tuple[WorldDigest, WorldDigest]:
    loaded = load(roots)
    world = select_world(loaded, world_name)
    section = binary.encode_component_type(loaded.resolve, world)
    resolve, decoded = binary.encoded_world(binary.decode(section))
    return Digests(loaded.resolve).world(world), Digests(resolve).world(decoded)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.world)
def test_the_section_of_a_guest_has_the_digests_of_its_contract(target: Target) -> None:
    text, section = through_binary(list(target.contract.roots), target.world)
    assert functions(section) == functions(text)
    assert section == text


def test_every_kind_of_type_survives(tmp_path: Path) -> None:
    path = tmp_path / "contract.wit"
    path.write_text(CONTRACT)
    text, section = through_binary([path], None)
    assert section == text
