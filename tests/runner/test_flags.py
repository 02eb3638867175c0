"""Feature flags: what wins over what, what is refused and where, and what the command shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from runner.cli import main
from runner.flags import KNOWN, Flags, parse_override

from witgen.diagnostics import WitError

ROOT = Path(__file__).resolve().parents[2]
HTTP = "runner.http_component"
FILE = """
[default]
runner.http_component = false

[staging]   # runner.http_component here as well
runner.http_component = true
"runner.http_metrics" = true

[prod.runner]
ftp_component = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "feature_flags.toml"
    path.write_text(FILE)
    return path


def load(path: Path | None = None, environment: str | None = None, **environ: str) -> Flags:
    return Flags.load(path, environment, environ)


def test_without_anything_flags_are_what_the_runner_has_built_in() -> None:
    flags = load()
    assert dict(flags) == {name: flag.default for name, flag in KNOWN.items()}
    assert flags.active == ("runner.progress_bus", "runner.sparse_store")
    assert {flags.source(name) for name in flags} == {"built in"}


def test_each_place_wins_over_those_before_it(file: Path) -> None:
    variable = {KNOWN[HTTP].variable: "false"}
    assert load(file)[HTTP] is False
    assert load(file).source(HTTP).endswith("feature_flags.toml [default]")
    assert load(file, "staging")[HTTP] is True
    assert load(file, "staging").source(HTTP).endswith("feature_flags.toml [staging]")
    assert load(file, "staging", **variable)[HTTP] is False
    assert load(file, "staging", **variable).source(HTTP) == "variable FEATURE_runner_http_component"
    last = Flags.load(file, "staging", variable, dict([parse_override(f"{HTTP}=on")]))
    assert (last[HTTP], last.source(HTTP)) == (True, "command line")


def test_keys_may_be_dotted_quoted_or_nested(file: Path) -> None:
    assert load(file, "staging")["runner.http_metrics"] is True
    assert load(file, "prod")["runner.ftp_component"] is True
    assert load(file, "prod")["runner.http_metrics"] is False


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[default]\nrunner.http_componant = true\n", ":2:8:", "unknown flag: runner.http_componant"),
        ("[default]\nrunner.ftp_component = 1\n", ":2:8:", "runner.ftp_component must be true or false"),
        ("[default]\n[prod]\n# sparse\nrunner.sparse = true\n", ":4:8:", "unknown flag: runner.sparse"),
        ("[default]\nrunner.http_metrics = true\n[x]\nrunner.http_metrics = 'y'\n", ":4:8:", "must be true or false"),
        ("runner.http_component = true\n", ":1:1:", "stands in no table"),
        ("[default\n", ":1:9:", "expected"),
        ("[default]\nrunner = {}\n", ":2:1:", "unknown flag: runner"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    path = tmp_path / "feature_flags.toml"
    path.write_text(text)
    with pytest.raises(WitError) as caught:
        load(path)
    assert f"{path}{place} error: " in str(caught.value)
    assert message in str(caught.value)


def test_all_wrong_flags_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "feature_flags.toml"
    path.write_text("[default]\nrunner.one = true\nrunner.two = true\n")
    with pytest.raises(WitError) as caught:
        load(path)
    assert len(caught.value.diagnostics) == 2


def test_an_environment_without_a_table_is_refused_with_one_that_was_meant(file: Path) -> None:
    with pytest.raises(WitError, match=r"no table \[stagging\]") as caught:
        load(file, "stagging")
    assert "did you mean `staging`" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "word"),
    [
        ("FEATURE_runner_http", "true"),
        ("FEATURE_RUNNER_HTTP_COMPONENT", "true"),
        ("FEATURE_runner_http_component", "perhaps"),
        ("FEATURE_runner_http_component", ""),
    ],
)
def test_variables_that_are_meant_for_the_runner_and_wrong_are_refused(variable: str, word: str) -> None:
    with pytest.raises(WitError, match=f"^{variable}: error: "):
        Flags.load(environ={variable: word})


def test_variables_of_other_programs_are_left_alone() -> None:
    assert dict(load(FEATURE_dark_mode="whatever", FEATURE="x")) == dict(load())


@pytest.mark.parametrize("text", ["runner.http_component", "runner.http_component=maybe", "runner.other=true", "=true"])
def test_overrides_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(WitError, match=r"^--flag: error: "):
        parse_override(text)


def test_the_command_shows_values_and_sources(file: Path) -> None:
    environ = {KNOWN["runner.ftp_component"].variable: "true"}
    arguments = ["flags", "--flags-file", str(file), "-E", "staging", "--flag", "runner.progress_bus=false"]
    result = CliRunner().invoke(main, arguments, env=environ)
    assert result.exit_code == 0, result.output
    rows = {row.split(None, 2)[0]: row.split(None, 2)[1:] for row in result.stdout.splitlines()}
    assert rows["runner.http_component"] == ["on", f"{file} [staging]"]
    assert rows["runner.ftp_component"] == ["on", "variable FEATURE_runner_ftp_component"]
    assert rows["runner.progress_bus"] == ["off", "command line"]
    assert rows["runner.sparse_store"] == ["on", "built in"]
    document = json.loads(CliRunner().invoke(main, [*arguments, "--json"], env=environ).stdout)
    assert document["environment"] == "staging"
    assert document["flags"]["runner.progress_bus"]["value"] is False


def test_the_command_reports_and_ends_with_1(tmp_path: Path) -> None:
    for arguments in (["--flags-file", str(tmp_path / "none.toml")], ["--flag", "runner.x=true"]):
        result = CliRunner().invoke(main, ["flags", *arguments])
        assert result.exit_code == 1
        assert ": error: " in result.stderr


@pytest.mark.parametrize("environment", [None, "staging", "prod"])
def test_the_file_of_the_repository_is_right(environment: str | None) -> None:
    flags = Flags.load(ROOT / "feature_flags.toml", environment, {})
    assert flags[HTTP] is (environment == "staging")


def test_flags_and_loading_need_no_package_of_the_extra() -> None:
    program = """
import sys
for name in ("structlog", "prometheus_client", "uvicorn", "opentelemetry"):
    sys.modules[name] = None
from runner.cli import main
import runner.loading
main(["flags"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "runner.sparse_store" in done.stdout
