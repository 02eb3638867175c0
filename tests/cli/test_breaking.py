"""`witgen breaking` on the command line, with real repositories of git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.breaking.rules import RULES
from witgen.cli import main
from witgen.printer import package_bytes
from witgen.resolve import load

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
PROGRESS = ROOT / "plugins/runner/wit/progress.wit"

SHOP = """package shop:stock@1.0.0;

interface store {
  record item { id: u32 }
  get: func(key: u32) -> item;
  put: func(item: item);
}

world shop {
  import store;
}
"""
PROJECT = '[contract.shop]\nroots = ["wit/shop.wit"]\n'


def git(*args: str) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "x"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    done = subprocess.run(["git", *args], check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def commit(name: str) -> None:
    git("add", "-A")
    git("commit", "-qm", name)
    git("tag", name)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, `one`, in the current folder."""
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    folder = tmp_path / "repository"
    (folder / "wit").mkdir(parents=True)
    monkeypatch.chdir(folder)
    git("init", "-q", "-b", "main")
    (folder / "wit/shop.wit").write_text(SHOP)
    (folder / "witgen.toml").write_text(PROJECT)
    commit("one")
    return folder


def breaking(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["breaking", *map(str, args)], catch_exceptions=False)


def edit(*changes: tuple[str, str], path: str = "wit/shop.wit") -> None:
    file = Path(path)
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


BREAKS = ("key: u32", "key: u64")
ADDS = ("  put:", "  count: func() -> u32;\n  put:")


def test_what_has_not_changed_is_fine(repository: Path) -> None:
    result = breaking("--against", "main")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "package shop:stock@1.0.0: unchanged\n", "")


def test_a_breaking_change_is_refused_at_its_place_until_the_version_allows_it(repository: Path) -> None:
    edit(BREAKS)
    result = breaking("--against", "main")
    assert result.exit_code == 1
    assert result.stdout == "package shop:stock@1.0.0: 1 breaking change; needs 2.0.0 or later\n"
    assert result.stderr == (
        "wit/shop.wit:5:13: error: store: parameter `key` of function `get` was `u32`, is `u64` "
        "[parameter-type-changed]\n"
        "    5 |   get: func(key: u64) -> item;\n"
        "      |             ^^^\n"
        "  note: it breaks implementers, callers, built components that import or export it\n"
        "  note: if it is meant, make it `shop:stock@2.0.0`\n"
    )
    edit(("@1.0.0", "@1.1.0"))
    assert breaking("--against", "main").exit_code == 1
    edit(("@1.1.0", "@2.0.0"))
    result = breaking("--against", "main")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "package shop:stock@1.0.0 → shop:stock@2.0.0: 1 breaking change; needs 2.0.0 or later\n"
        "  breaking  store: parameter `key` of function `get` was `u32`, is `u64` [parameter-type-changed]\n"
    )


def test_an_addition_needs_a_minor_version(repository: Path) -> None:
    edit(ADDS)
    result = breaking("--against", "main")
    assert result.exit_code == 1
    assert "[function-added]" in result.stderr and "make it `shop:stock@1.1.0`" in result.stderr
    edit(("@1.0.0", "@1.1.0"))
    assert breaking("--against", "main").exit_code == 0


def test_a_name_of_a_world_that_has_become_a_type_is_shown_at_the_type(repository: Path) -> None:
    edit(("import store;", "import key: func();"))
    commit("two")
    edit(("import key: func();", "type key = u8;"))
    assert breaking("--against", "two").stderr.startswith(
        "wit/shop.wit:10:8: error: shop: import `key` is a type, it was a function [item-kind-changed]\n"
    )


def test_what_is_gone_is_shown_as_it_was(repository: Path) -> None:
    edit(("  put: func(item: item);\n", ""))
    result = breaking("--against", "one")
    assert result.stderr.startswith("wit/shop.wit:3:11: error: store: function `put` is gone [function-removed]\n")
    assert "one:wit/shop.wit:6:3: note: it stood here at one\n    6 |   put: func(item: item);\n" in result.stderr


def test_the_project_file_says_what_to_compare_with_and_what_to_ignore(repository: Path) -> None:
    edit(BREAKS)
    text = PROJECT + '[breaking]\nagainst = "one"\n'
    Path("witgen.toml").write_text(text)
    assert breaking().exit_code == 1
    assert breaking("wit/shop.wit").exit_code == 1
    Path("witgen.toml").write_text(text + 'ignore = ["parameter-type-changed"]\n')
    assert breaking().exit_code == 0
    Path("witgen.toml").write_text(text)
    assert breaking("--ignore", "parameter-type-changed").exit_code == 0


def test_a_path_in_the_project_file_is_relative_to_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree("wit", "old")
    Path("witgen.toml").write_text(PROJECT + '[breaking]\nagainst = "old"\n')
    edit(BREAKS)
    monkeypatch.chdir("wit")
    assert "[parameter-type-changed]" in breaking().stderr


def test_without_anything_to_compare_with_that_is_said(repository: Path) -> None:
    result = breaking()
    assert result.exit_code == 2 and "give --against" in result.stderr


def test_a_contract_that_is_not_there_is_named(repository: Path) -> None:
    for path in ("nowhere/a.wit", "wit/nothing.wit"):
        result = breaking(path, "--against", "main")
        assert result.exit_code == 1 and result.stderr.startswith(f"main:{path}: error: there was no such file")
    edit(ADDS)
    commit("two")
    Path("wit/shop.wit").unlink()
    assert "wit/shop.wit: error: no such file or folder" in breaking("--against", "main").stderr


def test_a_contract_that_is_new_is_no_error_and_one_that_is_gone_is(repository: Path) -> None:
    Path("wit/log.wit").write_text("package shop:log@0.1.0;\ninterface log { }\n")
    Path("witgen.toml").write_text(PROJECT + '[contract.log]\nroots = ["wit/log.wit"]\n')
    result = breaking("--against", "one")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "package shop:log@0.1.0: is new")
    commit("two")
    Path("witgen.toml").write_text(PROJECT)
    result = breaking("--against", "two")
    assert result.exit_code == 1
    assert result.stderr.startswith("two:wit/log.wit:1:9: error: package `shop:log@0.1.0` is gone [package-removed]\n")


def test_a_contract_that_has_moved_is_found_by_the_project_file_of_then(repository: Path) -> None:
    Path("contracts").mkdir()
    git("mv", "wit/shop.wit", "contracts/shop.wit")
    Path("witgen.toml").write_text(PROJECT.replace("wit/shop.wit", "contracts/shop.wit"))
    assert breaking("--against", "one").stdout == "package shop:stock@1.0.0: unchanged\n"
    result = breaking("contracts/shop.wit", "--against", "one")
    assert result.exit_code == 1
    assert result.stderr.startswith("one:contracts/shop.wit: error: there was no such file or folder at that commit\n")
    assert breaking("contracts/shop.wit", "--against", "one:wit/shop.wit").exit_code == 0
    assert breaking("contracts/shop.wit", "--against", "one:wit").exit_code == 0


def test_a_contract_that_was_there_before_the_project_named_it_is_compared(repository: Path) -> None:
    Path("wit/log.wit").write_text("package shop:log@0.1.0;\ninterface log { say: func(); }\n")
    commit("two")
    Path("witgen.toml").write_text(PROJECT + '[contract.log]\nroots = ["wit/log.wit"]\n')
    edit(("say: func()", "say: func(x: u8)"), path="wit/log.wit")
    assert "[parameter-added]" in breaking("--against", "two").stderr


def test_the_whole_folder_with_its_dependencies_and_links_is_taken_from_the_commit(repository: Path) -> None:
    package = Path("package")
    (package / "deps").mkdir(parents=True)
    (package / "a.wit").write_text("package a:b@1.0.0;\ninterface i { use c:d/j.{t}; get: func() -> t; }\n")
    Path("shared").mkdir()
    Path("shared/d.wit").write_text("package c:d;\ninterface j { type t = u8; }\n")
    (package / "deps/d.wit").symlink_to("../../shared/d.wit")
    commit("two")
    assert breaking("package", "--against", "two").exit_code == 0
    edit(("u8", "u16"), path="shared/d.wit")
    result = breaking("package", "--against", "two")
    assert result.exit_code == 1
    assert "[used-type-changed]" in result.stderr and "[type-target-changed]" in result.stderr


def test_the_working_tree_and_the_index_stay_as_they_are(repository: Path) -> None:
    edit(BREAKS)
    Path("new.txt").write_text("x")
    before = git("status", "--porcelain")
    breaking("--against", "one")
    assert git("status", "--porcelain") == before


def test_a_contract_at_the_top_and_a_command_from_below(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("top.wit").write_text("package a:top;\ninterface i { f: func(); }\n")
    commit("two")
    edit(("func()", "func(x: u8)"), path="top.wit")
    assert "[parameter-added]" in breaking(".", "--against", "two").stderr
    monkeypatch.chdir("wit")
    result = breaking("--against", "two")
    assert (result.exit_code, result.stdout) == (0, "package shop:stock@1.0.0: unchanged\n")


def test_in_a_hook_of_git_the_repository_is_that_of_the_contract(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other-index")
    monkeypatch.chdir("wit")
    assert breaking("--against", "main").exit_code == 0


def test_commits_that_are_not_there_are_named(repository: Path) -> None:
    result = breaking("--against", "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("git: error: there is no commit `nowhere`\n")
    assert breaking("--against", "--help=x").exit_code == 1


def test_a_shallow_clone_says_that_it_is_one(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(ADDS)
    commit("two")
    git("clone", "-q", "--depth", "1", f"file://{repository}", "../clone")
    monkeypatch.chdir("../clone")
    assert "this clone is shallow" in breaking("--against", "one").stderr


def test_outside_of_a_repository_there_are_no_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    Path("a.wit").write_text(SHOP)
    result = breaking("a.wit", "--against", "main")
    assert result.exit_code == 1 and "is in no git repository" in result.stderr


def test_without_git_that_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    result = breaking("--against", "main")
    assert result.exit_code == 1 and result.stderr.startswith("git: error: is not installed")


def test_a_root_outside_of_the_repository_has_no_past_in_it(repository: Path) -> None:
    Path("../outside.wit").write_text(SHOP)
    result = breaking("../outside.wit", "wit/shop.wit", "--against", "main")
    assert result.exit_code == 1


def test_an_old_contract_that_is_wrong_is_named_with_its_commit(repository: Path) -> None:
    edit(("get: func", "get func"))
    commit("two")
    edit(("get func", "get: func"))
    result = breaking("--against", "two")
    assert result.exit_code == 1 and result.stderr.startswith("two:wit/shop.wit:5:7: error: ")


def test_a_contract_that_is_wrong_is_named_as_seen_from_where_the_command_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(".", "../older")
    edit(("get: func", "get func"))
    for command in (["breaking", "--against", "main"], ["hash"], ["hash", "--check"]):
        result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert result.exit_code == 1 and result.stderr.startswith("wit/shop.wit:5:7: error: "), command
    # The files of a commit, put into a folder below the current one, are still those of the commit.
    commit("two")
    edit(("get func", "get: func"))
    (repository / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(repository / "temporary"))
    assert breaking("--against", "two").stderr.startswith("two:wit/shop.wit:5:7: error: ")
    monkeypatch.chdir("wit")
    edit(("get: func", "get func"), path="shop.wit")
    assert breaking("--against", "one").stderr.startswith("shop.wit:5:7: error: ")
    # What is wrong with a project elsewhere is named as that is.
    edit(("get func", "get: func"), path="shop.wit")
    edit(("get: func", "get func"), path="../../older/wit/shop.wit")
    assert breaking("--against", "../../older").stderr.startswith("../../older/wit/shop.wit:5:7: error: ")


def test_a_file_a_folder_or_a_project_elsewhere_can_be_the_older_state(repository: Path) -> None:
    shutil.copytree(".", "../older")
    edit(BREAKS)
    for old in ("../older/wit/shop.wit", "../older/wit", "../older"):
        result = breaking("--against", old)
        assert result.exit_code == 1 and "[parameter-type-changed]" in result.stderr, old


def test_a_name_that_is_a_path_and_a_commit_is_refused(repository: Path) -> None:
    Path("main").mkdir()
    result = breaking("--against", "main")
    assert result.exit_code == 1 and "write `./main`" in result.stderr
    assert breaking("--against", "refs/heads/main").exit_code == 0


def test_a_binary_package_can_be_the_older_state(repository: Path) -> None:
    loaded = load([Path("wit/shop.wit")])
    Path("old.wasm").write_bytes(package_bytes(loaded.resolve, loaded.main))
    assert breaking("wit/shop.wit", "--against", "old.wasm").exit_code == 0
    edit(BREAKS)
    assert "[parameter-type-changed]" in breaking("wit/shop.wit", "--against", "old.wasm").stderr


def progress(folder: Path, *changes: tuple[str, str]) -> Path:
    path = folder / "progress.wit"
    shutil.copy(PROGRESS, path)
    edit(*changes, path=str(path))
    return path


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("world progress-runner {", "world progress-runner { export more: func();"), "export-added"),
        (("interface telemetry {", "interface telemetry { more: func();"), "exported-function-added"),
        (
            ("interface telemetry {", "@unstable(feature = x) interface more { more: func(); }\ninterface telemetry {"),
            "",
        ),
        (("interface telemetry {", "interface more { more: func(); }\ninterface telemetry {"), ""),
        (("world progress-runner {", "world progress-runner { import more: func();"), ""),
    ],
)
def test_of_a_component_only_what_keeps_it_from_linking_is_told(
    tmp_path: Path, change: tuple[str, str], rule: str
) -> None:
    result = breaking(progress(tmp_path, change), "--against", COMPONENT)
    assert result.exit_code == (1 if rule else 0)
    assert f"[{rule}]" in result.stderr if rule else not result.stderr


def test_a_component_has_no_contract_to_be_held_against(tmp_path: Path) -> None:
    result = breaking(COMPONENT, "--against", PROGRESS)
    assert result.exit_code == 1 and "`witgen verify`" in result.stderr


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_machines_get_a_report(repository: Path, form: str) -> None:
    edit(BREAKS)
    result = breaking("--against", "main", "--format", form)
    assert result.exit_code == 1
    if form == "github":
        title = "witgen%3A parameter-type-changed"
        assert result.stderr.startswith(f"::error title={title},file=wit/shop.wit,line=5,col=13,")
    else:
        assert '"parameter-type-changed"' in json.dumps(json.loads(result.stderr))


def test_a_package_without_a_version_may_gain_but_not_break(repository: Path) -> None:
    edit(("@1.0.0", ""))
    commit("two")
    edit(ADDS)
    assert breaking("--against", "two").exit_code == 0
    edit(BREAKS)
    result = breaking("--against", "two")
    assert result.exit_code == 1 and "give the package a version" in result.stderr
    assert breaking("--against", "two", "--allow-unversioned").exit_code == 0
    Path("witgen.toml").write_text(PROJECT + "[breaking]\nallow-unversioned = true\n")
    assert breaking("--against", "two").exit_code == 0


def test_features_bring_gated_items_into_the_comparison(repository: Path) -> None:
    edit(("  put:", "  @unstable(feature = late)\n  late: func();\n  put:"))
    commit("two")
    edit(("late: func();", "late: func(x: u8);"))
    assert breaking("--against", "two").exit_code == 0
    for options in (("--features", "a,late"), ("--all-features",)):
        assert "[parameter-added]" in breaking("--against", "two", *options).stderr


def test_all_rules_are_listed() -> None:
    result = breaking("--list-rules")
    assert result.exit_code == 0
    assert all(rule.id in result.stdout for rule in RULES)


def test_a_rule_that_does_not_exist_is_a_usage_error(repository: Path) -> None:
    assert breaking("--against", "main", "--ignore", "nothing").exit_code == 2


def test_this_repository_does_not_differ_from_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = breaking("--against", ROOT)
    assert result.exit_code == 0, result.stderr
    assert all(line.endswith(": unchanged") for line in result.stdout.splitlines())


def test_all_of_wasi_does_not_differ_from_itself(wasi: Path, tmp_path: Path) -> None:
    shutil.copytree(wasi, tmp_path / "copy")
    result = breaking(wasi, "--against", tmp_path / "copy")
    assert result.exit_code == 0
    assert "wasi:http" in result.stdout and result.stdout.count(": unchanged") == len(result.stdout.splitlines())
