"""The laws of digests for random contracts: blind to what nobody can notice, changed by each thing that somebody can.

`tests.mutations` makes the changes. An interface or world that a package has more or less is no part of any other, so
that it shows as a digest more or less; the version of a package shows in its worlds alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fmt.support import BETWEEN, formatted, with_between
from tests.mutations import Mutation, mutations, shuffled
from tests.packages import packages
from witgen import binary, ir
from witgen.contract.digest import Digests, InterfaceDigest, WorldDigest
from witgen.diagnostics import Source, WitError
from witgen.printer import package_bytes, package_text
from witgen.resolve import Loaded, load
from witgen.syntax.tokens import read_tokens

#: Changes to which interfaces and worlds there are.
OF_PACKAGES = {"interface-added", "interface-removed", "world-added", "world-removed"}
OF_VERSIONS = {"version-added", "version-lowered", "version-removed"}
RANDOM = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


def loaded(text: str, folder: Path) -> Loaded:
    path = folder / "package.wit"
    path.write_bytes(text.encode())
    return load([path], all_features=True)


def digests(resolve: ir.Resolve) -> dict[str, InterfaceDigest | WorldDigest]:
    """The digests of all that packages hold, by kind and by name without the package's version."""
    made = Digests(resolve)
    found: dict[str, InterfaceDigest | WorldDigest] = {}
    for number, package in enumerate(resolve.packages):
        # There may be several versions of a package, and a change may be to the version.
        name = f"{number} {package.name.namespace}:{package.name.name}"
        found |= {f"interface {name}/{item}": made.interface(id_) for item, id_ in package.interfaces.items()}
        found |= {f"world {name}/{item}": made.world(id_) for item, id_ in package.worlds.items()}
    return found


def of_package(loaded: Loaded) -> dict[str, InterfaceDigest | WorldDigest]:
    """The digests of what the main package holds."""
    resolve, made = loaded.resolve, Digests(loaded.resolve)
    package = resolve.packages[loaded.main]
    interfaces = {f"interface {name}": made.interface(id_) for name, id_ in package.interfaces.items()}
    return {**interfaces, **{f"world {name}": made.world(id_) for name, id_ in package.worlds.items()}}


def differing(
    old: Mapping[str, InterfaceDigest | WorldDigest], new: Mapping[str, InterfaceDigest | WorldDigest]
) -> set[str]:
    """What is there both times with other digests."""
    return {name for name in old.keys() & new.keys() if old[name].digest != new[name].digest}


# What nobody can notice


@given(text=packages(), between=st.lists(st.sampled_from(BETWEEN), min_size=1), random=RANDOM)
def test_comments_docs_and_white_space_between_any_two_words_change_nothing(
    text: str, between: list[str], random: Random, folder: Path
) -> None:
    before = of_package(loaded(text, folder))
    other = with_between(text, (random.choice(between) for _ in itertools.count()))
    assert of_package(loaded(other, folder)) == before


@given(text=packages())
def test_formatting_and_printing_change_nothing(text: str, folder: Path) -> None:
    as_it_was = loaded(text, folder)
    before = of_package(as_it_was)
    assert of_package(loaded(formatted(text), folder)) == before
    assert of_package(loaded(package_text(as_it_was.resolve, as_it_was.main), folder)) == before


@given(text=packages(), random=RANDOM)
def test_the_order_of_declarations_changes_nothing(text: str, random: Random, folder: Path) -> None:
    resolve = loaded(text, folder).resolve
    assert digests(shuffled(resolve, random)) == digests(resolve)


@given(text=packages(), random=RANDOM)
def test_neither_does_their_order_in_the_text_nor_their_spread_over_files(
    text: str, random: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("spread")
    header, items = divided(text)
    random.shuffle(items)
    count = random.randint(1, 4)
    for number in range(count):
        share = "".join(items[number::count])
        # Any file may say the name of the package; one has to.
        head = header if number == 0 or random.random() < 0.5 else ""
        (root / f"file-{number}.wit").write_bytes((head + share).encode())
    (root / "whole").mkdir()
    assert of_package(load([root], all_features=True)) == of_package(loaded(text, root / "whole"))


def divided(text: str) -> tuple[str, list[str]]:
    """The header of a file, and its items, nested packages among them, each with the comments before it.

    The header without them: only one file may say what a package is for.
    """
    words = read_tokens(Source("a.wit", text)).words
    pieces, start, depth = [], words[0][0], 0
    for first, last in words:
        word = text[first:last]
        depth += (word == "{") - (word == "}")
        if depth == 0 and word in (";", "}"):
            pieces.append(f"{text[start:last]}\n")
            start = last
    return pieces[0], pieces[1:]


def test_a_text_is_divided_into_its_items() -> None:
    text = (
        "/// A.\npackage a:b; /* } */ interface i { f: func(); } // ;\nworld w { }\npackage c:d { interface j { } }\n"
    )
    assert divided(text) == (
        "package a:b;\n",
        [
            " /* } */ interface i { f: func(); }\n",
            " // ;\nworld w { }\n",
            "\npackage c:d { interface j { } }\n",
        ],
    )


@given(text=packages())
def test_a_package_has_its_digests_as_a_binary_and_each_world_in_a_component(text: str, folder: Path) -> None:
    as_text = loaded(text, folder)
    resolve = as_text.resolve
    package = resolve.packages[as_text.main]
    if not package.interfaces and not package.worlds:
        # The binary form of an empty package does not hold its name.
        return
    path = folder / "package.wasm"
    try:
        path.write_bytes(package_bytes(resolve, as_text.main))
        sections = {id_: binary.encode_component_type(resolve, id_) for id_ in package.worlds.values()}
    except WitError:
        # There are packages that the binary form can't hold; each reason has a test of its own.
        return
    assert of_package(load([path], all_features=True)) == of_package(as_text)
    for id_, section in sections.items():
        decoded, world = binary.encoded_world(binary.decode(section))
        assert Digests(decoded).world(world) == Digests(resolve).world(id_)


# What somebody can notice


@given(text=packages(), random=RANDOM)
def test_each_single_change_shows_in_the_digest_of_its_interface_or_world(
    text: str, random: Random, folder: Path
) -> None:
    resolve = loaded(text, folder).resolve
    before = digests(resolve)
    for mutation in mutations(resolve, random):
        check_change(resolve, before, mutation)


def check_change(resolve: ir.Resolve, before: Mapping[str, InterfaceDigest | WorldDigest], mutation: Mutation) -> None:
    """A change shows where it is, and in each world of which that is a part."""
    after = digests(mutation.resolve)
    changed = differing(before, after)
    if mutation.rules <= OF_PACKAGES:
        assert before.keys() != after.keys(), mutation.what
        return
    if mutation.rules <= OF_VERSIONS:
        assert changed and all(name.startswith("world ") for name in changed), mutation.what
        return
    assert changed, mutation.what
    for name in changed & {name for name in before if name.startswith("interface ")}:
        assert changed >= users(resolve, name), (mutation.what, name)


def users(resolve: ir.Resolve, name: str) -> set[str]:
    """The worlds that import or export an interface."""
    number, _, full = name.removeprefix("interface ").partition(" ")
    id_ = resolve.packages[int(number)].interfaces[full.partition("/")[2]]
    return {
        f"world {at} {package.name.namespace}:{package.name.name}/{world}"
        for at, package in enumerate(resolve.packages)
        for world, world_id in package.worlds.items()
        if id_ in set(interfaces_of(resolve.worlds[world_id]))
    }


def interfaces_of(world: ir.World) -> Iterator[ir.InterfaceId]:
    for item in (*world.imports.values(), *world.exports.values()):
        if isinstance(item, ir.InterfaceItem):
            yield item.id
