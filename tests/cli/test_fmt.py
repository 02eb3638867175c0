"""`witgen fmt`: which files it changes, what it says, and what it leaves alone."""

from __future__ import annotations

import errno
import itertools
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

UGLY = "package a:b;\ninterface i{f:func( );}\n"
FINE = "package a:b;\n\ninterface i {\n  f: func();\n}\n"
BROKEN = "package a:b;\ninterface i { f func(); }\n"


def fmt(*args: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["fmt", *(str(arg) for arg in args)], input=stdin, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wit(path: Path, text: str = UGLY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_a_file_is_formatted_once_and_then_left_alone(folder: Path) -> None:
    path = wit(folder / "a.wit")
    assert fmt("a.wit").stdout == "  formatted  a.wit\n"
    assert path.read_text() == FINE
    stamp = path.stat().st_mtime_ns, path.stat().st_ino
    again = fmt("a.wit")
    assert again.exit_code == 0 and again.output == ""
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == stamp


def test_check_names_what_would_change_and_writes_nothing(folder: Path) -> None:
    path = wit(folder / "a.wit")
    wit(folder / "b.wit", FINE)
    result = fmt(".", "--check")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "a.wit:2:1: error: this is not formatted: run `witgen fmt`",
        "    2 | interface i{f:func( );}",
        "      | ^",
    ]
    assert result.stdout == ""
    assert path.read_text() == UGLY
    assert fmt("b.wit", "--check").exit_code == 0


def test_diff_prints_what_would_change_and_writes_nothing(folder: Path) -> None:
    path = wit(folder / "a.wit")
    result = fmt("a.wit", "--diff")
    assert result.exit_code == 0
    assert result.stdout == (
        "--- a.wit\n+++ a.wit\n@@ -1,2 +1,5 @@\n package a:b;\n"
        "-interface i{f:func( );}\n+\n+interface i {\n+  f: func();\n+}\n"
    )
    assert path.read_text() == UGLY
    assert fmt("a.wit", "--diff", "--check").exit_code == 1


def test_roots_that_are_binaries_have_no_form(folder: Path) -> None:
    (folder / "witgen.toml").write_text('[contract.x]\nroots = ["lib.wat", "a.wit"]\n')
    (folder / "lib.wat").write_text("(component)")
    path = wit(folder / "a.wit")
    assert fmt().exit_code == 0
    assert path.read_text() == FINE
    assert "WebAssembly" in fmt("lib.wat").stderr


def test_links_in_a_folder_are_left_alone(folder: Path) -> None:
    path = wit(folder / "outside.wit")
    wit(folder / "inside/a.wit", FINE)
    (folder / "inside/b.wit").symlink_to(path)
    assert fmt("inside").output == ""
    assert path.read_text() == UGLY
    assert fmt("inside/b.wit").exit_code == 0
    assert path.read_text() == FINE


def test_what_cannot_be_parsed_is_reported_and_the_rest_is_formatted(folder: Path) -> None:
    good, bad, worse = wit(folder / "w/a.wit"), wit(folder / "w/b.wit", BROKEN), folder / "w/c.wit"
    worse.write_bytes(b"package a:b; // \xff\n")
    result = fmt("w", "none.wit")
    assert result.exit_code == 1
    assert "w/b.wit:2:17: error: expected" in result.stderr
    assert "w/c.wit:1:17: error: this is not UTF-8" in result.stderr
    assert "none.wit: error: no such file" in result.stderr
    assert "Traceback" not in result.output
    assert good.read_text() == FINE
    assert bad.read_text() == BROKEN
    assert fmt("w", "--check").exit_code == 1


def test_folders_are_searched_but_for_what_belongs_to_others(folder: Path) -> None:
    ours = [wit(folder / name) for name in ("w/a.wit", "w/deep/er/b.wit")]
    theirs = [wit(folder / "w" / name) for name in ("deps/c/c.wit", ".git/d.wit", "target/e.wit", "deep/deps/f.wit")]
    other = wit(folder / "w/notes.txt")
    assert fmt("w").exit_code == 0
    assert {path.read_text() for path in ours} == {FINE}
    assert {path.read_text() for path in [*theirs, other]} == {UGLY}
    assert fmt("w/deps").stdout == "  formatted  w/deps/c/c.wit\n"
    assert theirs[0].read_text() == FINE


def test_a_folder_without_wit_files_is_an_error(folder: Path) -> None:
    result = fmt(".")
    assert result.exit_code == 1
    assert "there is no WIT file in this folder" in result.stderr


def test_a_file_that_is_named_twice_is_formatted_once(folder: Path) -> None:
    wit(folder / "w/a.wit")
    assert fmt("w/a.wit", "w", folder / "w").stdout == "  formatted  w/a.wit\n"


def test_modes_stay_and_links_stay_links(folder: Path) -> None:
    path, link = wit(folder / "real/a.wit"), folder / "link.wit"
    path.chmod(0o640)
    link.symlink_to(path)
    assert fmt("link.wit").exit_code == 0
    assert link.is_symlink()
    assert path.read_text() == FINE
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["a.wit"]


def test_line_breaks_stay_what_they_are_and_the_byte_order_mark_goes(folder: Path) -> None:
    path = wit(folder / "a.wit", "\ufeff" + UGLY.replace("\n", "\r\n"))
    assert fmt("a.wit").exit_code == 0
    assert path.read_bytes() == FINE.replace("\n", "\r\n").encode()
    assert fmt("a.wit", "--check").exit_code == 0


def test_stdin_is_formatted_to_stdout() -> None:
    assert fmt("-", stdin=UGLY.encode()).stdout == FINE
    crlf = fmt("-", stdin=UGLY.replace("\n", "\r\n").encode())
    assert crlf.stdout_bytes == FINE.replace("\n", "\r\n").encode()
    unformatted = fmt("-", "--check", stdin=UGLY.encode())
    assert unformatted.exit_code == 1 and unformatted.stdout == ""
    assert fmt("-", "--check", stdin=FINE.encode()).exit_code == 0
    assert fmt("-", "--diff", stdin=UGLY.encode()).stdout.startswith("--- <stdin>\n")
    broken = fmt("-", stdin=BROKEN.encode())
    assert broken.exit_code == 1 and broken.stdout == ""
    assert broken.stderr.startswith("<stdin>:2:17: error: ")
    assert fmt("-", stdin=b"\xff").exit_code == 1


def test_stdin_stands_alone() -> None:
    assert fmt("-", "a.wit").exit_code == 2


def test_without_paths_the_roots_of_the_project_are_formatted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "witgen.toml").write_text(
        '[contract.a]\nroots = ["wit/deps/io", "wit/a.wit"]\n[contract.b]\nroots = ["wit/deps/io", "wit/b.wit"]\n'
    )
    for name in ("deps/io/io.wit", "a.wit", "b.wit", "unnamed.wit"):
        wit(folder / "wit" / name)
    monkeypatch.chdir(folder / "wit")
    result = fmt()
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["deps/io/io.wit", "a.wit", "b.wit"]
    assert (folder / "wit/unnamed.wit").read_text() == UGLY


def test_without_paths_and_without_a_project_there_is_an_error(folder: Path) -> None:
    result = fmt()
    assert result.exit_code == 1
    assert "witgen.toml" in result.stderr


def test_where_a_file_cannot_be_written_none_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = wit(folder / "a.wit"), wit(folder / "b.wit")
    make, made = tempfile.mkstemp, itertools.count()

    def refuse(dir: Path, prefix: str) -> tuple[int, str]:
        if next(made):
            raise OSError(errno.ENOSPC, "No space left on device")
        return make(dir=dir, prefix=prefix)

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    result = fmt("a.wit", "b.wit")
    assert result.exit_code == 1
    assert "b.wit: error: can't be written: no space left on device" in result.stderr
    assert first.read_text() == second.read_text() == UGLY
