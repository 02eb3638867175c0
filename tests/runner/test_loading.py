"""Loading by manifest: what agrees runs with what it was granted, all else is refused with the whole list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from runner.bindings import progress_runner
from runner.cli import main
from runner.loading import find_lock, inspect, load

from tests.runner.components import CAPABILITIES, App, make_app
from witgen import runtime as rt
from witgen.contract.stamp import stamped
from witgen.contract.stamping import stamp_of
from witgen.diagnostics import WitError

ROOT = Path(__file__).resolve().parents[2]
PREBUILT = ROOT / "plugins/progress-runner/prebuilt"


@pytest.fixture
def app(tmp_path: Path) -> App:
    return make_app(tmp_path)


def complaints(app: App) -> list[str]:
    """What is said of a component that is refused, without places."""
    with pytest.raises(WitError) as caught:
        load(app.manifest)
    return [diagnostic.message for diagnostic in caught.value.diagnostics]


def test_a_component_that_agrees_runs_with_what_it_was_granted(app: App) -> None:
    loaded = load(app.manifest)
    world = app.adapter().App(loaded.component, **loaded.options)
    assert world.dice.roll() != world.dice.roll()
    assert loaded.manifest.name == "app"
    assert loaded.inspected.imports == ("wasi:clocks/monotonic-clock@0.2.6", "wasi:random/random@0.2.6")
    loaded.close()


def test_a_folder_stands_for_the_manifest_in_it(app: App) -> None:
    assert load(app.folder).manifest.name == "app"


def test_the_component_of_the_repository_is_loaded_by_its_manifest() -> None:
    loaded = load(PREBUILT)
    runner = progress_runner.ProgressRunner(loaded.component, **loaded.options)
    assert runner.telemetry.heartbeat(1, []).sequence == 1
    assert loaded.limits.seconds == 5
    assert loaded.inspected.stamped


def test_all_imports_without_a_capability_are_in_the_list(app: App) -> None:
    app.claim(capabilities=())
    assert complaints(app) == [
        "imports wasi:clocks/monotonic-clock@0.2.6 (now), which its manifest does not grant",
        "imports wasi:random/random@0.2.6 (get-random-u64), which its manifest does not grant",
    ]
    app.claim(capabilities=("wasi:random/insecure", "wasi:clocks"))
    assert complaints(app) == ["imports wasi:random/random@0.2.6 (get-random-u64), which its manifest does not grant"]


def test_what_is_granted_of_a_package_is_an_interface_and_not_its_neighbours(app: App) -> None:
    loaded = load(app.manifest)
    (provider,) = loaded.providers
    source = {name.partition("@")[0] for name in provider.functions} - provider.withheld
    assert {name for name in source if not name.startswith("wasi:random/")} == {"wasi:clocks/monotonic-clock"}


def test_a_digest_that_the_lock_does_not_have_is_told_with_its_line(app: App) -> None:
    app.claim(digest="0" * 64)
    with pytest.raises(WitError) as caught:
        load(app.manifest)
    assert f"{app.manifest}:4:1: error: " in str(caught.value)
    assert f"with another digest: sha256:{app.digests()[0]}" in str(caught.value)


def test_digests_of_interfaces_are_compared_one_by_one(app: App) -> None:
    app.claim("[interfaces]", f'"test:app/dice@1.0.0" = "{"1" * 64}"', f'"test:app/cards@1.0.0" = "{"1" * 64}"')
    first, second = complaints(app)
    assert "has test:app/dice@1.0.0 with another digest: sha256:" in first
    assert second == "world test:app/app@1.0.0 does not have test:app/cards@1.0.0"


def test_claims_are_not_believed_where_the_component_has_other_types(app: App) -> None:
    app.compile("(i32.wrap_i64 (call $draw))", "u32")
    assert complaints(app) == ["export test:app/dice@1.0.0#roll: its type differs from the contract's"]


def test_everything_that_is_wrong_is_told_at_once(app: App) -> None:
    app.compile("(i32.wrap_i64 (call $draw))", "u32")
    app.claim(digest="0" * 64, capabilities=("wasi:random",))
    assert len(complaints(app)) == 3


def test_a_world_that_the_lock_does_not_have_is_refused(app: App) -> None:
    app.claim(world="test:app/other@1.0.0")
    (line,) = complaints(app)
    assert line.endswith("does not have world test:app/other@1.0.0")


def test_a_stamp_for_another_state_of_the_world_is_refused(tmp_path: Path) -> None:
    lock = (ROOT / "wit.lock").read_text()
    digest = load(PREBUILT).manifest.digest
    manifest = (PREBUILT / "component.toml").read_text()
    (tmp_path / "wit.lock").write_text(lock.replace(digest, "0" * 64))
    (tmp_path / "component.toml").write_text(manifest.replace(digest, "0" * 64))
    (tmp_path / "progress_runner.wasm").write_bytes((PREBUILT / "progress_runner.wasm").read_bytes())
    with pytest.raises(WitError, match="its stamp is for world runner:progress/progress-runner"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["[netwrok]"], "unknown key or table: netwrok"),
        (["[network]", "bind = ['tcp://*:80']"], "[network] grants nothing without the capability wasi:sockets"),
        (["[environment]", "A = 'b'"], "[environment] grants nothing without the capability wasi:cli/environment"),
        (["[[folder]]", "guest = '/'", "path = '.'"], "[folder] grants nothing without the capability wasi:filesystem"),
        (["[limits]", "memory = 0"], "limits: memory is 0: a limit is more than 0, and None where there is none"),
        (["[limits]", "memory = 'much'"], "limits: memory is a number or None, not 'much'"),
        (["[limits]", "memories = 1", "secnds = 1"], "limits: unknown key: secnds"),
    ],
)
def test_what_is_wrong_in_tables_of_the_manifest_is_told(app: App, lines: Sequence[str], message: str) -> None:
    app.claim(*lines)
    assert complaints(app) == [message]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bind = ['tcp://*']", "network: bind[0], 'tcp://*': it has no ports"),
        ("bind = ['example.org:80']", "network: bind[0], 'example.org:80': 'example.org' is a name: bind to addresses"),
        ("connect = 'tcp://*:1'", "network: connect must be a list of strings"),
        ("lookup = ['a b']", "network: lookup[0], 'a b'"),
        ("max-sockets = 0", "network: max-sockets must be 1 or more"),
    ],
)
def test_rules_for_the_network_are_read_before_anything_is_made(app: App, line: str, message: str) -> None:
    app.claim("[network]", line, capabilities=(*CAPABILITIES, "wasi:sockets"))
    (found,) = complaints(app)
    assert found.startswith(message)


def test_capabilities_that_there_are_not_are_refused_with_one_that_was_meant(app: App) -> None:
    app.claim(capabilities=(*CAPABILITIES, "wasi:sokets", "wasi:io/stream", "acme:db"))
    assert complaints(app) == [
        "unknown capability: wasi:sokets",
        "unknown capability: wasi:io/stream",
        "unknown capability: acme:db",
    ]
    with pytest.raises(WitError, match="did you mean `wasi:sockets`"):
        load(app.manifest)


def test_limits_of_the_manifest_bind_the_instance(app: App) -> None:
    app.compile("(loop $l (br $l)) (i64.const 0)")
    app.claim("[limits]", "fuel = 100000")
    loaded = load(app.manifest)
    with pytest.raises(rt.Trap, match="fuel"):
        app.adapter().App(loaded.component, **loaded.options).dice.roll()


def test_files_that_are_not_there_or_no_components_are_named(app: App, tmp_path: Path) -> None:
    (app.folder / "app.wasm").write_bytes(b"\0asm\1\0\0\0")
    assert "component" in complaints(app)[0]
    (app.folder / "app.wasm").unlink()
    assert complaints(app) == ["can't be read: no such file or directory"]
    app.claim('file = "../app.wasm"', "[interfaces]")
    app.manifest.write_text('file = "../app.wasm"\n' + app.manifest.read_text().replace('file = "../app.wasm"\n', ""))
    assert complaints(app) == ["file must be the name of a file beside the manifest"]
    app.manifest.unlink()
    assert complaints(app) == ["can't be read: no such file or directory"]


def test_without_a_lock_nothing_is_believed(app: App) -> None:
    (app.folder / "wit.lock").unlink()
    assert "no wit.lock" in complaints(app)[0]


def test_the_lock_is_the_nearest_above_or_the_one_that_is_named(app: App, tmp_path: Path) -> None:
    assert find_lock(app.manifest) == app.folder / "wit.lock"
    with pytest.raises(WitError, match="does not have world"):
        load(app.manifest, lock=ROOT / "wit.lock")


def test_folders_are_granted_relative_to_the_manifest(app: App) -> None:
    (app.folder / "data").mkdir()
    capabilities = (*CAPABILITIES, "wasi:filesystem")
    app.claim("[[folder]]", "guest = '/d'", "path = 'data'", capabilities=capabilities)
    load(app.manifest).close()
    app.claim("[[folder]]", "guest = '/d'", "path = 'gone'", capabilities=capabilities)
    with pytest.raises(FileNotFoundError):
        load(app.manifest)


def test_the_command_says_what_would_be_granted(app: App) -> None:
    app.claim(
        "[network]", "connect = ['tcp://*:443']", "lookup = true", capabilities=(*CAPABILITIES, "wasi:sockets/tcp")
    )
    result = CliRunner().invoke(main, ["inspect", str(app.folder)])
    assert result.exit_code == 0, result.output
    assert "imports    wasi:random/random@0.2.6: granted" in result.stdout
    assert "connect    tcp://*:443" in result.stdout
    found = json.loads(CliRunner().invoke(main, ["inspect", str(app.manifest), "--json"]).stdout)
    assert found["network"]["lookup"] is True
    assert found["stamped"] is False
    app.claim(capabilities=())
    refused = CliRunner().invoke(main, ["inspect", str(app.folder)])
    assert refused.exit_code == 1
    assert refused.stderr.count(": error: imports ") == 2


def test_inspecting_compiles_nothing(app: App, fresh_cache: Path) -> None:
    inspect(app.manifest)
    assert not list(fresh_cache.rglob("compiled/*"))


def test_a_draft_of_a_manifest_loads_what_it_was_made_of(tmp_path: Path) -> None:
    (tmp_path / "wit.lock").write_text((ROOT / "wit.lock").read_text())
    for name in ("progress_runner.wasm", "another.wasm"):
        (tmp_path / name).write_bytes((PREBUILT / "progress_runner.wasm").read_bytes())
        drafted = CliRunner().invoke(main, ["manifest", str(tmp_path / name)])
        assert drafted.exit_code == 0, drafted.output
        (tmp_path / "component.toml").write_text(drafted.stdout)
        assert load(tmp_path).inspected.path == tmp_path / name


def test_a_draft_names_each_import_and_needs_a_stamp(app: App) -> None:
    refused = CliRunner().invoke(main, ["manifest", str(app.folder / "app.wasm")])
    assert refused.exit_code == 1
    assert "is not stamped" in refused.stderr
    data = (app.folder / "app.wasm").read_bytes()
    (app.folder / "app.wasm").write_bytes(stamped(data, stamp_of((app.folder / "app.wit",), None)))
    drafted = CliRunner().invoke(main, ["manifest", str(app.folder / "app.wasm")])
    app.manifest.write_text(drafted.stdout)
    loaded = load(app.manifest)
    assert loaded.manifest.capabilities == ("wasi:clocks/monotonic-clock", "wasi:random/random")
    assert loaded.inspected.stamped
