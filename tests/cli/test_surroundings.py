"""Whatever the surroundings are like (folders that can't be read or are gone, a full disk): an error in words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

GOOD = "package a:b;\n\ninterface i {}\n\nworld w {}\n"
#: Root, but without the right to read and write everything.
UNPRIVILEGED = "setpriv --bounding-set=-dac_override,-dac_read_search {}"


def witgen(*args: str, folder: Path, shell: str = "{}") -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in the place of ``{}``, and see that it ends without a traceback."""
    command = shell.replace("{}", " ".join([f"'{sys.executable}' -m witgen.cli", *args]))
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder in which there is one that can't be read."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root can read everything, and there is no setpriv to change that")
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wit").write_text(GOOD)
    (tmp_path / "witgen.toml").write_text('[contract.a]\nroots = ["open/a.wit"]\n')
    (tmp_path / "closed").chmod(0o000)
    yield tmp_path
    (tmp_path / "closed").chmod(0o755)


@pytest.mark.parametrize(
    "args",
    [
        ("wit", "closed"),
        ("wit", "closed/a.wit"),
        ("hash", "closed/a.wit", "--check"),
        ("hash", "open/a.wit", "--write", "--lock", "closed/wit.lock"),
        ("hash", "open/a.wit", "--check", "--lock", "closed/wit.lock"),
        ("fmt", "closed"),
        ("fmt", "closed/a.wit"),
        ("wit", "open/a.wit", "-o", "closed/b.wit"),
        ("generate", "open/a.wit", "--lang", "python", "-o", "closed/b.py"),
        ("breaking", "closed/a.wit", "--against", "open/a.wit"),
        ("breaking", "open/a.wit", "--against", "closed/a.wit"),
        ("breaking", "open/a.wit", "--against", "closed"),
        ("verify", "closed/a.wasm", "open/a.wit"),
        ("inspect", "closed/a.wasm"),
        ("stamp", "closed/a.wasm", "open/a.wit"),
        ("lint", "closed/a.wit"),
        ("check", "--report", "closed/report.xml", "--format", "junit"),
    ],
    ids=" ".join,
)
def test_a_folder_that_can_not_be_read_is_named(closed: Path, args: tuple[str, ...]) -> None:
    done = witgen(*args, folder=closed, shell=UNPRIVILEGED if os.geteuid() == 0 else "{}")
    assert done.returncode == 1
    assert done.stderr.startswith("closed") and "error: " in done.stderr


def test_an_unreadable_folder_keeps_none_of_the_others_from_being_formatted(closed: Path) -> None:
    (closed / "open/a.wit").write_text("package a:b;interface i{}world w{}")
    done = witgen("fmt", ".", folder=closed, shell=UNPRIVILEGED if os.geteuid() == 0 else "{}")
    assert done.returncode == 1
    assert "closed: error: can't be read: permission denied" in done.stderr
    assert (closed / "open/a.wit").read_text() == GOOD


@pytest.mark.parametrize(
    "args",
    [
        *(("fmt",), ("hash",), ("hash", "--check"), ("wit", "a.wit"), ("generate",), ("lint",), ("check",)),
        *(("breaking", "--against", "main"), ("breaking", "a.wit", "--against", "b.wit")),
    ],
    ids=" ".join,
)
def test_a_folder_that_is_gone_is_no_place_to_work_in(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "gone").mkdir()
    done = witgen(*args, folder=tmp_path, shell="cd gone && rmdir ../gone && {}")
    assert done.returncode == 1
    assert "error: " in done.stderr


@pytest.mark.parametrize(
    "args", [("wit", "a.wit"), ("check",), ("hash",), ("breaking", "a.wit", "--against", "a.wit")], ids=" ".join
)
def test_a_full_disk_is_an_error(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "a.wit").write_text(GOOD)
    (tmp_path / "witgen.toml").write_text('[contract.a]\nroots = ["a.wit"]\n')
    done = witgen(*args, folder=tmp_path, shell="{} > /dev/full")
    assert done.returncode == 1
    assert "no space left on device" in done.stderr


def test_a_reader_that_goes_away_is_none(tmp_path: Path) -> None:
    text = GOOD + "".join(f"interface i{n} {{}}\n" for n in range(20_000))
    (tmp_path / "a.wit").write_text(text)
    done = witgen("wit", "a.wit", folder=tmp_path, shell="{} | head -1")
    assert done.stdout == "package a:b;\n" and done.stderr == ""


def test_without_stdin_there_is_nothing_to_format(tmp_path: Path) -> None:
    done = witgen("fmt", "-", folder=tmp_path, shell="{} <&-")
    assert done.returncode == 2
    assert "stdin" in done.stderr
