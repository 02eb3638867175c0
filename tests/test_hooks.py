"""The hooks under the real pre-commit: this repository is the source, a repository made here is the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

WIT = """\
/// A shop.
package demo:shop@0.1.0;

/// What is sold.
interface store {
  /// How many things there are.
  count: func() -> u32;
}

/// A till.
world till {
  import store;
}
"""
PROJECT = """\
[contract.shop]
roots = ["wit/shop.wit"]

[[generate]]
contract = "shop"
python = "bindings"
"""


class Repository:
    """A repository in which the hooks are set up."""

    def __init__(self, folder: Path, source: Path, home: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "PRE_COMMIT_HOME": str(home),
            **{
                f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
            },
        }
        hooks = [{"id": hook["id"]} for hook in HOOKS]
        revision = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=source, text=True).strip()
        self.write(
            {
                "wit/shop.wit": WIT,
                "witgen.toml": PROJECT,
                ".pre-commit-config.yaml": yaml.safe_dump(
                    {"repos": [{"repo": str(source), "rev": revision, "hooks": hooks}]}
                ),
            }
        )
        self.git("init", "--quiet")
        for command in ("generate",), ("hash", "--write"):
            subprocess.run([sys.executable, "-m", "witgen.cli", *command], cwd=folder, check=True, capture_output=True)
        self.git("add", "--all")

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def git(self, *args: str) -> None:
        subprocess.run(["git", *args], cwd=self.folder, env=self._environment, check=True, capture_output=True)

    def run(self, *hooks: str) -> subprocess.CompletedProcess[str]:
        """Runs hooks on the files that are added, as a commit does."""
        command = [sys.executable, "-m", "pre_commit", "run", "--color", "never", *hooks]
        return subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it is now, committed or not, in a commit of its own."""
    folder = tmp_path_factory.mktemp("source")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for command in ("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "State"):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def home(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit has installed the hooks: all of them share one environment."""
    home = tmp_path_factory.mktemp("home")
    repository = Repository(tmp_path_factory.mktemp("first"), source, home)
    done = repository.run("witgen-fmt")
    if "CalledProcessError" in done.stdout and "pip" in done.stdout:
        pytest.skip("pre-commit can't install packages here")
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture
def repository(source: Path, home: Path, tmp_path: Path) -> Repository:
    return Repository(tmp_path, source, home)


def test_all_hooks_pass_where_all_is_well(repository: Repository) -> None:
    done = repository.run()
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == len(HOOKS)


@pytest.mark.parametrize(
    ("hook", "changes", "says"),
    [
        ("witgen-fmt", {"wit/shop.wit": WIT.replace("  count", "count")}, "files were modified by this hook"),
        ("witgen-lint", {"wit/shop.wit": WIT.replace("/// A till.\n", "")}, "[missing-docs]"),
        ("witgen-hash", {"wit/shop.wit": WIT.replace("u32", "u64")}, "has changed"),
        ("witgen-generate", {"bindings/till.py": "\n"}, "files were modified by this hook"),
        ("witgen-check", {"wit/shop.wit": WIT.replace("u32", "u64")}, "failed  generate"),
    ],
)
def test_a_hook_fails_where_something_is_wrong(
    repository: Repository, hook: str, changes: dict[str, str], says: str
) -> None:
    repository.write(changes)
    repository.git("add", "--all")
    done = repository.run(hook)
    assert done.returncode == 1 and says in done.stdout, done.stdout


def test_a_hook_that_changes_files_leaves_them_right(repository: Repository) -> None:
    repository.write({"wit/shop.wit": WIT.replace("  count", "count"), "bindings/till.py": "\n"})
    repository.git("add", "--all")
    assert repository.run().returncode == 1
    repository.git("add", "--all")
    done = repository.run()
    assert done.returncode == 0, done.stdout


def test_files_of_deps_are_left_alone(repository: Repository) -> None:
    repository.write({"wit/deps/other.wit": "package a:b;   interface i { }\n"})
    repository.git("add", "--all")
    done = repository.run("witgen-fmt")
    assert done.returncode == 0 and "no files to check" not in done.stdout


def test_the_action_and_the_workflow_are_yaml_that_names_what_there_is() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    assert {step["name"] for step in action["runs"]["steps"] if "name" in step} == {"Install witgen", "witgen check"}
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
    assert {"contracts", "test"} == set(workflow["jobs"])
