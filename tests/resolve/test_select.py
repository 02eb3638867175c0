"""Which world is meant: the only one, or the one that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen.diagnostics import WitError
from witgen.resolve import Loaded, load, select_world

TWO = "package a:b@1.0.0;\nworld one {}\nworld two {}\n"


def loaded(folder: Path, text: str) -> Loaded:
    path = folder / "contract.wit"
    path.write_text(text)
    return load([path])


@pytest.mark.parametrize("name", ["two", "a:b/two", "a:b/two@1.0.0"])
def test_a_world_is_found_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path, TWO)
    assert found.resolve.worlds[select_world(found, name)].name == "two"


def test_the_only_world_needs_no_name(tmp_path: Path) -> None:
    found = loaded(tmp_path, "package a:b;\nworld only {}\n")
    assert found.resolve.worlds[select_world(found, None)].name == "only"


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (TWO, None, "one"),
        (TWO, "tow", "two"),
        (TWO, "a:b/two@2.0.0", "a:b"),
        (TWO, "x:y/two", "x:y"),
        ("package a:b;\ninterface i {}\n", None, "world"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path, text: str, name: str | None, says: str) -> None:
    found = loaded(tmp_path, text)
    with pytest.raises(WitError) as caught:
        select_world(found, name)
    assert says in str(caught.value)


def test_several_roots_see_each_other_and_the_last_is_meant(tmp_path: Path) -> None:
    library, main = tmp_path / "library.wit", tmp_path / "main.wit"
    library.write_text("package lib:types;\ninterface t { type id = u64; }\n")
    main.write_text(
        "package app:main;\ninterface i { use lib:types/t.{id}; f: func() -> id; }\nworld w { export i; }\n"
    )
    found = load([library, main])
    assert str(found.resolve.packages[found.main].name) == "app:main"
    with pytest.raises(WitError, match="lib:types"):
        load([main])


def test_a_folder_brings_its_deps_and_a_loop_of_links_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "deps/lib").mkdir(parents=True)
    (tmp_path / "deps/lib/t.wit").write_text("package lib:types;\ninterface t { type id = u64; }\n")
    (tmp_path / "deps/loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "main.wit").write_text("package app:main;\nworld w { import i: interface { use lib:types/t.{id}; } }\n")
    try:
        found = load([tmp_path])
    except WitError as error:
        assert "loop" in str(error)
    else:
        assert str(found.resolve.packages[found.main].name) == "app:main"
