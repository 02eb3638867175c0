"""The laws of comparing: nothing where nobody can notice anything, and everything where somebody can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.breaking.support import compared
from tests.mutations import mutations, shuffled
from tests.packages import packages, random_package
from witgen import ir
from witgen.breaking.packages import Change, Side, compare_sides
from witgen.breaking.rule import Level
from witgen.breaking.rules import RULES
from witgen.breaking.shapes import Model
from witgen.contract.digest import Digests
from witgen.contract.verification import world_differences
from witgen.diagnostics import WitError
from witgen.fmt.files import format_text
from witgen.printer import package_bytes, package_text
from witgen.resolve import load


def resolved(text: str, folder: Path) -> ir.Resolve:
    path = folder / "package.wit"
    path.write_text(text)
    return load([path], all_features=True).resolve


def between(old: ir.Resolve, new: ir.Resolve) -> list[Change]:
    def side(resolve: ir.Resolve) -> Side:
        names = [package.name for package in resolve.packages]
        return Side(dict.fromkeys(names, Model(resolve)), names)

    return compare_sides(side(old), side(new), features=None)


def rules(changes: list[Change]) -> list[str]:
    return [difference.rule.id for change in changes for difference in change.differences]


def digests(resolve: ir.Resolve) -> dict[str, str]:
    """The digests of all that packages hold."""
    found = Digests(resolve)

    def each() -> Iterator[tuple[str, str]]:
        for package in resolve.packages:
            name = ir.PackageName(package.name.namespace, package.name.name)
            version = package.name.version
            for interface, id_ in package.interfaces.items():
                yield f"{name}/{interface}@{version}", found.interface(id_).digest
            for world, world_id in package.worlds.items():
                yield f"{name}/{world}@{version}", found.world(world_id).digest

    return dict(each())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@given(text=packages())
def test_a_package_does_not_differ_from_itself_however_it_is_written(text: str, folder: Path) -> None:
    old, new = folder / "old.wit", folder / "new.wit"
    old.write_text(text)
    new.write_text("".join(file.text for file in format_text("x.wit", text.encode()).files))
    assert rules(compared(old, new, all_features=True)) == []
    loaded = load([old], all_features=True)
    new.write_text(package_text(loaded.resolve, loaded.main))
    assert rules(compared(old, new, all_features=True)) == []


@given(text=packages())
def test_a_package_does_not_differ_from_its_binary_form(text: str, folder: Path) -> None:
    path, binary = folder / "package.wit", folder / "package.wasm"
    path.write_text(text)
    loaded = load([path], all_features=True)
    try:
        binary.write_bytes(package_bytes(loaded.resolve, loaded.main))
    except WitError:
        return
    package = loaded.resolve.packages[loaded.main]
    if not package.interfaces and not package.worlds:
        # The binary form of an empty package does not hold its name.
        return
    main = package.name
    for old, new in ((path, binary), (binary, path)):
        found = [change for change in compared(old, new, all_features=True) if main in (change.old, change.new)]
        assert rules(found) == []


@given(text=packages(), random=st.randoms(use_true_random=False))
def test_the_order_of_what_has_none_is_no_difference(text: str, random: Random, folder: Path) -> None:
    resolve = resolved(text, folder)
    assert rules(between(resolve, shuffled(resolve, random))) == []


@given(text=packages(), random=st.randoms(use_true_random=False))
def test_all_that_can_be_noticed_is_told_by_a_rule_for_it(text: str, random: Random, folder: Path) -> None:
    resolve = resolved(text, folder)
    before = digests(resolve)
    for mutation in mutations(resolve, random):
        assert digests(mutation.resolve) != before, mutation.what
        assert mutation.rules & set(rules(between(resolve, mutation.resolve))), mutation.what


@given(text=packages(), random=st.randoms(use_true_random=False))
def test_several_changes_at_once_are_told_in_both_directions(text: str, random: Random, folder: Path) -> None:
    old = new = resolved(text, folder)
    for _ in range(3):
        # Back to a higher version is no difference of a package.
        candidates = [m for m in mutations(new, random) if m.what not in ("version-lowered", "version-removed")]
        new = random.choice(candidates).resolve
    if digests(old) != digests(new):
        assert rules(between(old, new))
        assert rules(between(new, old))


@given(text=packages(), random=st.randoms(use_true_random=False))
def test_what_keeps_built_components_from_loading_is_told_as_that(text: str, random: Random, folder: Path) -> None:
    """Held against the comparison that runs when a component is loaded."""
    resolve = resolved(text, folder)
    for mutation in mutations(resolve, random):
        if refused(resolve, mutation.resolve):
            found = between(resolve, mutation.resolve)
            assert any(d.rule.built and d.rule.level is Level.BREAKING for c in found for d in c.differences), mutation


def refused(old: ir.Resolve, new: ir.Resolve) -> list[str]:
    """Why components that keep worlds of `old` in full do not keep those of `new`."""
    before, after = Digests(old), Digests(new)
    lines = []
    for package in old.packages:
        other = next((p for p in new.packages if p.name == package.name), None)
        for name, id_ in package.worlds.items():
            if other is not None and name in other.worlds:
                lines += world_differences(before.world(id_), after.world(other.worlds[name]))
    return lines


def test_mutations_make_changes_of_all_kinds(folder: Path) -> None:
    kinds: set[str] = set()
    for seed in range(60):
        found = mutations(resolved(random_package(Random(seed)), folder), Random(seed))
        kinds |= {rule for mutation in found for rule in mutation.rules}
    subjects = ("function", "parameter", "result", "field", "case", "flag", "type", "resource", "import", "export")
    wanted = {rule.id for rule in RULES if rule.id.startswith(subjects)}
    assert wanted - kinds == {
        *("import-version-raised", "import-version-changed", "export-version-raised", "export-version-changed"),
        *("type-renamed", "resource-moved"),
    }
