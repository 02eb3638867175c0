"""Paths: they lead to what they name, and never out of the folder where they begin."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wasi.folders import FOLLOW, NOFOLLOW, Code, granted, held, names, opened, ordinary_user, refused, refuses
from witgen.wasi.bindings import host
from witgen.wasi.paths import Walk

OUTSIDE = b"outside"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to grant, beside one that is not."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(OUTSIDE)
    inside = tmp_path / "inside"
    (inside / "a/b").mkdir(parents=True)
    (inside / "file").write_text("file")
    (inside / "a/file").write_text("a/file")
    (inside / "a/b/file").write_text("a/b/file")
    return inside


def content(descriptor: host.Descriptor) -> str:
    return bytes(descriptor.read(100, 0)[0]).decode()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("file", "file"),
        ("./file", "file"),
        ("a//file", "a/file"),
        ("a/./b/./file", "a/b/file"),
        ("a/../file", "file"),
        ("a/b/../file", "a/file"),
        ("a/b/../../file", "file"),
        ("a/b/../b/../../a/file", "a/file"),
    ],
)
def test_a_path_leads_to_the_file_that_it_names(folder: Path, path: str, found: str) -> None:
    assert content(opened(granted(folder), path)) == found


@pytest.mark.parametrize(
    ("path", "same"),
    [
        (".", "."),
        ("./", "."),
        ("a/..", "."),
        ("a/", "a"),
        ("a/.", "a"),
        ("a/b/..", "a"),
        ("a/b/../", "a"),
        ("./a", "a"),
    ],
)
def test_a_path_leads_to_the_directory_that_it_names(folder: Path, path: str, same: str) -> None:
    root = granted(folder)
    there = opened(root, path, "rd")
    assert there.is_same_object(opened(granted(folder / same), ".", "rd"))
    assert root.stat_at(NOFOLLOW, path) == there.stat()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc/passwd",
        "..",
        "../inside/file",
        "../outside/secret",
        "a/../..",
        "a/../../outside/secret",
        "a/b/../../../inside",
        "./..",
        "../",
    ],
)
def test_a_path_that_goes_out_is_not_permitted_even_if_it_comes_back(folder: Path, path: str) -> None:
    root = granted(folder)
    for operation in (root.stat_at, root.metadata_hash_at):
        assert refuses(operation, FOLLOW, path) is Code.NOT_PERMITTED
        assert refuses(operation, NOFOLLOW, path) is Code.NOT_PERMITTED
    changes = (root.create_directory_at, root.remove_directory_at, root.unlink_file_at, root.readlink_at)
    assert {refuses(operation, path) for operation in changes} == {Code.NOT_PERMITTED}
    for how in ("r", "w", "wc", "wx", "wt", "rd"):
        assert refuses(opened, root, path, how) is Code.NOT_PERMITTED
    now = host.NewTimestamp_Now()
    assert refuses(root.set_times_at, FOLLOW, path, now, now) is Code.NOT_PERMITTED
    assert refuses(root.symlink_at, "file", path) is Code.NOT_PERMITTED
    assert refuses(root.link_at, NOFOLLOW, path, root, "new") is Code.NOT_PERMITTED
    assert refuses(root.link_at, NOFOLLOW, "file", root, path) is Code.NOT_PERMITTED
    assert refuses(root.rename_at, path, root, "new") is Code.NOT_PERMITTED
    assert refuses(root.rename_at, "file", root, path) is Code.NOT_PERMITTED
    assert names(folder.parent) == ["inside", "outside"]


def test_a_directory_that_a_component_opened_is_a_root_of_its_own(folder: Path) -> None:
    below = opened(granted(folder), "a", "rd")
    assert content(opened(below, "file")) == "a/file"
    assert refuses(opened, below, "../file") is Code.NOT_PERMITTED


@pytest.mark.parametrize(
    ("link", "target", "path", "found"),
    [
        ("link", "file", "link", "file"),
        ("link", "a", "link/file", "a/file"),
        ("link", "a/b", "link/../file", "a/file"),
        ("link", "./a/./b/", "link/file", "a/b/file"),
        ("a/link", "../file", "a/link", "file"),
        ("a/b/link", "../..", "a/b/link/a/file", "a/file"),
        ("a/b/link", "..", "a/b/link/file", "a/file"),
        ("link", ".", "link/link/link/file", "file"),
        ("a/link", "b/../../file", "a/link", "file"),
    ],
)
def test_links_inside_the_folder_are_followed(folder: Path, link: str, target: str, path: str, found: str) -> None:
    (folder / link).symlink_to(target)
    assert (folder / path).read_text() == found
    assert content(opened(granted(folder), path)) == found


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("../outside/secret", "link"),
        ("../outside", "link/secret"),
        ("..", "link/outside/secret"),
        ("..", "link/inside/file"),
        ("../inside/file", "link"),
        ("a/../..", "link/outside/secret"),
        ("/etc/passwd", "link"),
        ("/", "link/etc/passwd"),
        ("{inside}/file", "link"),
        ("{inside}", "link/file"),
    ],
)
def test_links_out_of_the_folder_are_not_followed(folder: Path, target: str, path: str) -> None:
    (folder / "link").symlink_to(target.format(inside=folder))
    assert (folder / path).exists()
    root = granted(folder)
    for how in ("r", "w", "wc", "wt"):
        assert refuses(opened, root, path, how) is Code.NOT_PERMITTED
    assert refuses(root.stat_at, FOLLOW, path) is Code.NOT_PERMITTED


def test_nothing_is_made_at_the_end_of_a_link_out_of_the_folder(folder: Path) -> None:
    (folder / "link").symlink_to("../outside/new")
    (folder / "below").symlink_to("../outside")
    root = granted(folder)
    assert refuses(opened, root, "link", "wc") is Code.NOT_PERMITTED
    assert refuses(opened, root, "link", "wx") is Code.EXIST
    assert refuses(opened, root, "below/new", "wx") is Code.NOT_PERMITTED
    assert refuses(root.create_directory_at, "below/new") is Code.NOT_PERMITTED
    assert refuses(root.symlink_at, "x", "below/new") is Code.NOT_PERMITTED
    assert refuses(root.link_at, NOFOLLOW, "file", root, "below/new") is Code.NOT_PERMITTED
    assert refuses(root.rename_at, "file", root, "below/new") is Code.NOT_PERMITTED
    assert refuses(root.unlink_file_at, "below/secret") is Code.NOT_PERMITTED
    assert names(folder.parent / "outside") == ["secret"]


def test_a_file_is_made_at_the_end_of_a_link_inside(folder: Path) -> None:
    (folder / "link").symlink_to("a/new")
    opened(granted(folder), "link", "wc").write(b"made", 0)
    assert (folder / "a/new").read_text() == "made"


def test_a_link_at_the_end_is_followed_only_on_demand(folder: Path) -> None:
    (folder / "link").symlink_to("a")
    root = granted(folder)
    assert root.stat_at(FOLLOW, "link").type is host.DescriptorType.DIRECTORY
    assert root.stat_at(NOFOLLOW, "link").type is host.DescriptorType.SYMBOLIC_LINK
    assert root.stat_at(NOFOLLOW, "link/").type is host.DescriptorType.DIRECTORY
    assert root.stat_at(NOFOLLOW, "link/file").type is host.DescriptorType.REGULAR_FILE
    with refused(Code.LOOP):
        opened(root, "link", follow=False)
    assert opened(root, "link", follow=True).is_same_object(opened(root, "a", "d"))


def test_links_that_lead_in_circles_end(folder: Path) -> None:
    (folder / "self").symlink_to("self")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    (folder / "deep").symlink_to("deep/x")
    root = granted(folder)
    for path in ("self", "one", "deep", "self/file"):
        assert refuses(opened, root, path) is Code.LOOP
        assert refuses(root.stat_at, FOLLOW, path) is Code.LOOP


def test_as_many_links_are_followed_as_the_system_follows(folder: Path) -> None:
    (folder / "l0").symlink_to("file")
    for number in range(1, 41):
        (folder / f"l{number}").symlink_to(f"l{number - 1}")
    root = granted(folder)
    assert content(opened(root, "l39")) == "file"
    assert refuses(opened, root, "l40") is Code.LOOP


def test_paths_that_cost_without_end_are_given_up(folder: Path) -> None:
    (folder / "zigzag").symlink_to("a/../" * 800 + "zigzag")
    assert refuses(opened, granted(folder), "zigzag") is Code.LOOP
    deep = "d/" * 600
    (folder / "d/d").mkdir(parents=True)
    (folder / "d/d/d").symlink_to("../d")
    assert refuses(opened, granted(folder), deep + "../d/" * 400) is Code.LOOP


def test_deep_paths_hold_one_descriptor_at_a_time(folder: Path) -> None:
    depth = 500
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=inner)
        outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(os.open("end", os.O_WRONLY | os.O_CREAT, dir_fd=inner))
    os.close(inner)
    root = granted(folder)
    before = held()
    start = os.open(folder, os.O_RDONLY)
    with Walk(start, "d/" * depth + "end") as walk:
        assert walk.last() == b"end"
        assert held() == before + 2
    os.close(start)
    assert held() == before
    assert root.stat_at(NOFOLLOW, "d/" * depth + "end").size == 0


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", Code.NO_ENTRY),
        ("file\0", Code.INVALID),
        ("\0", Code.INVALID),
        ("x" * 256, Code.NAME_TOO_LONG),
        ("a/" * 3000, Code.NAME_TOO_LONG),
        ("missing", Code.NO_ENTRY),
        ("missing/../file", Code.NO_ENTRY),
        ("file/", Code.NOT_DIRECTORY),
        ("file/.", Code.NOT_DIRECTORY),
        ("file/..", Code.NOT_DIRECTORY),
        ("file/../file", Code.NOT_DIRECTORY),
        ("a/missing/b", Code.NO_ENTRY),
    ],
)
def test_paths_that_lead_nowhere(folder: Path, path: str, code: Code) -> None:
    root = granted(folder)
    assert refuses(opened, root, path) is code
    assert refuses(root.stat_at, FOLLOW, path) is code
    assert refuses(root.stat_at, NOFOLLOW, path) is code


def test_names_may_be_any_text(folder: Path) -> None:
    root = granted(folder)
    for name in ("ä", "日本語", "a b\n", "\\", "...", "-", "a:b", "\U0001f600", "\x7f\x01"):
        opened(root, name, "wx").write(name.encode(), 0)
        assert (folder / name).read_text() == name
        root.rename_at(name, root, f"a/{name}")
        root.unlink_file_at(f"a/{name}")
    assert names(folder / "a") == ["b", "file"]


def test_a_directory_that_may_be_passed_through_needs_not_be_readable(folder: Path) -> None:
    with ordinary_user(folder) as here:
        (here / "a").chmod(0o311)
        root = granted(here)
        assert content(opened(root, "a/file")) == "a/file"
        assert refuses(opened, root, "a", "rd") is Code.ACCESS
        (here / "a").chmod(0o600)
        assert refuses(opened, root, "a/file") is Code.ACCESS
        (here / "a").chmod(0o755)


def test_a_process_that_swaps_directories_and_links_leads_no_path_out(folder: Path) -> None:
    """Another thread swaps a directory for a link to the outside while paths go through it."""
    (folder / "a/secret").write_text("inside")
    (folder / "link").symlink_to("../outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (folder / "a").rename(folder / "b")
            (folder / "link").rename(folder / "a")
            (folder / "a").rename(folder / "link")
            (folder / "b").rename(folder / "a")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        root = granted(folder)
        seen = set()
        for _ in range(3000):
            for path in ("a/secret", "a/../a/secret", "a/b/../secret"):
                try:
                    seen.add(content(opened(root, path)))
                except host.TypesErrorCodeException as error:
                    seen.add(error.value.name)
    finally:
        stop.set()
        swapping.join()
    assert "inside" in seen
    assert seen <= {"inside", "NOT_PERMITTED", "NO_ENTRY", "NOT_DIRECTORY"}


NAMES = ("a", "b", "c")
SEGMENTS = st.sampled_from([*NAMES, ".", "..", ""])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=6).map("/".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nodes=st.dictionaries(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join),
        st.one_of(st.just("file"), st.just("directory"), PATHS),
        max_size=6,
    ),
    paths=st.lists(PATHS, min_size=1, max_size=8),
)
def test_a_path_leads_where_the_system_leads_it_or_nowhere(
    tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, str], paths: list[str]
) -> None:
    """The system's own resolution is the reference: the same object if it is inside at every step, else an error."""
    outer = tmp_path_factory.mktemp("tree").resolve()
    inside = outer / "a"
    inside.mkdir()
    for name in NAMES[1:]:
        (outer / name).mkdir()
    for path, node in nodes.items():
        place = inside / path
        try:
            if not place.parent.resolve().is_relative_to(outer):
                # Through a link that came before it.
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if node == "file":
                place.touch()
            elif node == "directory":
                place.mkdir()
            elif node:
                place.symlink_to(node)
        except (OSError, RuntimeError):
            continue
    root = granted(inside)
    for path in paths:
        try:
            # Not `Path`, which tidies paths up.
            wanted = os.stat(f"{inside}/{path}") if path and not path.startswith("/") else None  # noqa: PTH116
        except OSError:
            wanted = None
        try:
            found = opened(root, path)
        except host.TypesErrorCodeException as error:
            if wanted is not None:
                assert error.value is Code.NOT_PERMITTED and leaves(inside, path)
            continue
        real = Path(os.path.realpath(f"{inside}/{path}"))
        assert real == inside or inside in real.parents
        assert wanted is not None and not leaves(inside, path)
        assert os.path.samestat(wanted, real.stat())
        assert found.is_same_object(opened(granted(real.parent), real.name))


def leaves(inside: Path, path: str) -> bool:
    """Whether a path that leads somewhere goes out on its way: step by step, by names, with the system's `readlink`."""
    ahead, here, links = path.split("/")[::-1], inside, 0
    if path.startswith("/"):
        return True
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        here = here.parent if name == ".." else here / name
        if here != inside and inside not in here.parents:
            return True
        if here.is_symlink():
            links += 1
            target = os.readlink(here)  # noqa: PTH115
            if target.startswith("/"):
                return True
            ahead += target.split("/")[::-1]
            here = here.parent
        assert links < 100
    return False


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["write", "mkdir", "rmdir", "unlink", "symlink", "link", "rename", "times", "list"]),
            PATHS,
            PATHS,
        ),
        max_size=25,
    )
)
def test_nothing_outside_changes_whatever_is_done(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    outer = tmp_path_factory.mktemp("outer")
    (outer / "a").mkdir()
    for name in NAMES[1:]:
        (outer / name).mkdir()
        (outer / name / "a").write_text("outside")
    (outer / "a/a").symlink_to("../b")
    (outer / "a/b").mkdir()
    os.utime(outer, ns=(1, 1))
    before = state(outer)
    root = granted(outer / "a")
    operations: dict[str, Callable[[str, str], Any]] = {
        "write": lambda one, two: opened(root, one, "wct").write(two.encode(), 0),
        "mkdir": lambda one, two: root.create_directory_at(one),
        "rmdir": lambda one, two: root.remove_directory_at(one),
        "unlink": lambda one, two: root.unlink_file_at(one),
        "symlink": lambda one, two: root.symlink_at(one, two),
        "link": lambda one, two: root.link_at(FOLLOW, one, root, two),
        "rename": lambda one, two: root.rename_at(one, root, two),
        "times": lambda one, two: root.set_times_at(FOLLOW, one, host.NewTimestamp_Now(), host.NewTimestamp_Now()),
        "list": lambda one, two: opened(opened(root, one, "rd"), two, "wc").write(b"x", 0),
    }
    for operation, one, two in steps:
        with contextlib.suppress(host.TypesErrorCodeException):
            operations[operation](one, two)
    assert state(outer) == before


def state(outer: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """All that is in a folder but in its `a`, with what changes when something is done to it."""
    found = {}
    for path in [outer, *(path for name in NAMES[1:] for path in ((outer / name), *(outer / name).rglob("*")))]:
        seen = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (seen.st_ino, seen.st_nlink if data else 0, seen.st_mtime_ns, data)
    return found
