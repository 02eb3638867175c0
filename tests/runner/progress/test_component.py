"""A component in Rust that speaks of its progress to the Runner, loaded by its manifest."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from runner.bindings import progress_client as wit
from runner.loading import load
from runner.progress import Progress

from tests.guests.family import CRATE, FAMILY, WORKSPACE
from tests.runner.progress.support import subscribe
from tests.tools import guest_compiler_or_skip, import_file
from witgen.build import build
from witgen.cli import main
from witgen.contract.lock_file import read_lock
from witgen.diagnostics import WitError
from witgen.files import write_all
from witgen.generate import generate, target_for

SOURCES = Path(__file__).parent / "worker"
ROOTS = [Path(__file__).resolve().parents[3] / "plugins/runner/wit/progress.wit", SOURCES / "worker.wit"]
MANIFEST = """
name = "worker"
version = "1.0.0"
world = "test:worker/worker@1.0.0"
digest = "{digest}"
capabilities = [{capabilities}]
"""
ALL = '"runner:progress"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the component, its lock and its adapter."""
    guest_compiler_or_skip()
    folder = tmp_path_factory.mktemp("worker")
    source = folder / "worker/src"
    source.mkdir(parents=True)
    (folder / "Cargo.toml").write_text(WORKSPACE.format(members='"worker"'))
    shutil.copy(FAMILY.parent / "echo/Cargo.lock", folder / "Cargo.lock")
    shutil.copy(SOURCES / "worker.rs", source / "lib.rs")
    shutil.copy(FAMILY / "support.rs", source)
    (folder / "worker/Cargo.toml").write_text(CRATE.format(name="worker"))
    targets = [
        target_for(ROOTS, "worker", "rust", source / "bindings.rs"),
        target_for(ROOTS, "worker", "python", folder / "worker_adapter.py", provided=["runner:progress"]),
    ]
    write_all(generate(targets, folder))
    (component,) = build("worker", root=folder, echo=lambda line: None)
    shutil.copy(component, folder / "worker.wasm")
    arguments = ["hash", *map(str, ROOTS), "--lock", str(folder / "wit.lock"), "--write"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return folder


def claim(folder: Path, capabilities: str = ALL) -> None:
    digest = read_lock(folder / "wit.lock").entries["test:worker@1.0.0", "world", "worker"]
    (folder / "component.toml").write_text(MANIFEST.format(digest=digest, capabilities=capabilities))


def worker(folder: Path, progress: Progress) -> Any:
    """An instance, with what its manifest grants."""
    loaded = load(folder, services=[progress.client().provider()])
    return import_file(folder / "worker_adapter.py", "worker_adapter").Worker(loaded.component, **loaded.options)


@pytest.mark.parametrize("sparse", [True, False])
def test_a_component_tells_of_its_work_and_reads_what_it_told(folder: Path, tmp_path: Path, sparse: bool) -> None:
    claim(folder)
    with Progress(tmp_path / "p.db", sparse_store=sparse) as progress, subscribe(progress) as everything:
        seen = worker(folder, progress).work("import", 3)
        assert seen == [
            "awake true",
            "0 0 1",
            "1 0.3333333333333333 1",
            "2 0.6666666666666666 1",
            "100 0.6666666666666666 1",
            "101 0 2",
            "queued 5",
            "step is Integer(0)",
        ]
        assert [update.timestamp for update in everything.recv(99).updates] == [0, 1, 2, 100, 101]
        status = progress.workbook.get_status(wit.Scope("worker", "import", None))
        assert (status.phase, status.progress, status.checkpoints) == (wit.Phase.EXECUTING, 0.0, ["begun"])
        assert progress.telemetry.heartbeat(1, []).subscriptions == 1


def test_errors_of_progress_reach_the_component(folder: Path) -> None:
    claim(folder)
    with Progress() as progress, subscribe(progress, capacity=2):
        with pytest.raises(Exception, match="holds 2 updates already"):
            worker(folder, progress).work("import", 3)
        with pytest.raises(Exception, match="the task is empty"):
            worker(folder, progress).work("", 3)
    with Progress(progress_bus=False) as progress, pytest.raises(Exception, match="progress_bus is off"):
        worker(folder, progress).work("import", 1)


def test_an_interface_that_the_manifest_does_not_grant_is_refused(folder: Path) -> None:
    claim(folder, '"runner:progress/workbook", "runner:progress/telemetry"')
    with Progress() as progress, pytest.raises(WitError) as caught:
        load(folder, services=[progress.client().provider()])
    (problem,) = caught.value.diagnostics
    assert problem.message.startswith("imports runner:progress/events@0.1.0 ([method]subscription.ack, ")
