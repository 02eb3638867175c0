"""The main job on the real contracts: generate, hash, build, load, use, refuse. Run by ``make demo``."""

from __future__ import annotations

import ftplib
import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PREBUILT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
CONTRACT = ROOT / "plugins/runner/wit/progress.wit"


def say(text: str = "") -> None:
    """Prints a line at once, so that it keeps its place among the output of commands."""
    print(text, flush=True)


@contextmanager
def step(number: int, title: str) -> Iterator[None]:
    """Prints a heading before a step and the time that it took after it."""
    say(f"\n── {number}. {title}")
    start = time.perf_counter()
    yield
    say(f"   ({time.perf_counter() - start:.1f} s)")


def witgen(*args: str) -> subprocess.CompletedProcess[str]:
    """Runs witgen in the project folder, its output shown below the command."""
    say(f"   $ witgen {' '.join(args)}")
    done = subprocess.run(
        [sys.executable, "-m", "witgen.cli", *args],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for line in done.stdout.splitlines():
        say(f"     {line}")
    return done


def must(done: subprocess.CompletedProcess[str]) -> None:
    """Ends the demonstration where a command has failed."""
    if done.returncode:
        sys.exit(f"   the command ended with {done.returncode}")


def build_guest() -> Path:
    """Builds the guest, or takes the component that comes with the project where there is no compiler."""
    built = ROOT / "target/wasm32-wasip2/release/progress_runner.wasm"
    if shutil.which("cargo") or Path("~/.cargo/bin/cargo").expanduser().exists():
        done = witgen("build", "progress-runner")
        if not done.returncode:
            say(f"   built: {built.relative_to(ROOT)}, {built.stat().st_size} bytes")
            return built
        say("   The guest can't be built on this machine.")
    else:
        say("   There is no Rust compiler on this machine.")
    say(f"   Going on with the prebuilt component, {PREBUILT.relative_to(ROOT)}, {PREBUILT.stat().st_size} bytes.")
    return PREBUILT


def use(component: Path) -> None:
    """Loads the component with its generated adapter and follows a piece of work."""
    import runner.bindings.progress_runner as wit

    runner = wit.ProgressRunner.load(component)
    say(f"   loaded: its types agree with the contract, sha256:{runner.contract.digest[:16]}…")
    scope = wit.Scope(user="ada", task="import-42", tenant=None)
    everything = wit.Filter(user="ada", task=None, tenant=None, phases=wit.Phases(0))
    options = wit.SubscriptionOptions(everything, capacity=16, overflow=wit.Overflow.REFUSE)
    with runner.events.subscription.open(options) as subscription:
        say(f"   subscribed: token {subscription.token()}")
        begin = time.time_ns()

        def update(phase: wit.Phase, progress: float, *changes: wit.FieldChange) -> None:
            step = wit.Step(scope, phase, progress, begin + int(progress * 1e9), list(changes), failure=None)
            say(f"   update {runner.workbook.update(step)}: {phase.name.lower()}, {progress:.0%}")

        update(wit.Phase.PLANNING, 0.1, wit.FieldChange("plan", "files", wit.Value_Integer(3)))
        runner.workbook.checkpoint(scope, "planned")
        say("   checkpoint: planned")
        update(wit.Phase.EXECUTING, 0.5, wit.FieldChange("execution", "current", wit.Value_Text("b.csv")))
        with runner.workbook.edit(scope) as edit:
            edit.set("execution", "rate", wit.Value_Real(12.5))
            edit.clear("plan", "files")
            say(f"   edit of {edit.pending()} fields: update {runner.workbook.edit.commit(edit, begin + 10**9)}")
        batch = subscription.recv(16)
        for item in batch.updates:
            changed = ", ".join(f"{c.section}.{c.key} = {getattr(c.value, 'value', None)!r}" for c in item.changes)
            say(f"   received {item.id}: {item.phase.name.lower()}, {item.progress:.0%}, {changed}")
        say(f"   acknowledged: {subscription.ack(batch.updates[-1].id)}")
        rolled_back = runner.workbook.rollback(scope, "planned", begin + 2 * 10**9)
        say(f"   rolled back to planned: update {rolled_back}")
        (undone,) = subscription.recv(16).updates
        for change in undone.changes:
            say(f"     {change.section}.{change.key} = {getattr(change.value, 'value', None)!r}")
        subscription.ack(undone.id)
        status = runner.workbook.get_status(scope)
        fields = [f"{entry.section}.{entry.key}" for entry in status.entries]
        say(f"   status: {status.phase.name.lower()}, {status.progress:.0%}, fields {fields}")
        try:
            runner.workbook.rollback(scope, "nowhere", begin)
        except wit.ErrorException as error:
            say(f"   rollback to an unknown name: {error.value.kind.name.lower()}: {error.value.message}")
    pulse = runner.telemetry.heartbeat(time.time_ns(), ["runner.progress_bus"])
    say(f"   heartbeat {pulse.sequence}: {pulse.scopes} scope(s), {pulse.subscriptions} open subscription(s)")


def refuse(component: Path) -> None:
    """Changes one field of the contract and shows that the component is not believed any more."""
    from witgen.runtime import ContractError

    text = CONTRACT.read_text()
    changed = text.replace("progress: f64,", "progress: u8,", 1)
    if changed == text:
        sys.exit("   the contract has no such field any more")
    say("   changed in a copy of the contract: the first field `progress: f64` is now `progress: u8`")
    with tempfile.TemporaryDirectory() as folder:
        contract, adapter = Path(folder, "progress.wit"), Path(folder, "changed_contract.py")
        contract.write_text(changed)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "witgen.cli",
                "generate",
                str(contract),
                "--lang",
                "python",
                "--world",
                "progress-runner",
                "-o",
                str(adapter),
            ],
            text=True,
            capture_output=True,
        )
        if done.returncode:
            sys.exit(done.stderr)
        spec = importlib.util.spec_from_file_location("changed_contract", adapter)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        try:
            module.ProgressRunner.load(component)
        except ContractError as error:
            say(f"   refused: {error}".replace("\n", "\n   "))
        else:
            sys.exit("   the component was not refused")


@contextmanager
def served(protocol: str, *args: str) -> Iterator[str]:
    """A service behind the component of a protocol, and its address."""
    options = ["serve", protocol, "--bind", "127.0.0.1:0", "--flag", f"runner.{protocol}_component=true", *args]
    say(f"   $ runner {' '.join(options)}")
    command = [sys.executable, "-m", "runner.cli", *options]
    with subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            address = ""
            for line in process.stderr:
                say(f"     {line.rstrip()}")
                address = line.split()[-1] if line.startswith("listening on") else address
                if '"serving"' in line:
                    break
            if process.poll() is not None or '"mode": "component"' not in line:
                sys.exit("   the component does not serve")
            yield address
        finally:
            process.terminate()
    say(f"   ended with {process.returncode}")


def transfer() -> None:
    """Stores a file through the FTP component, lists it and fetches it."""
    with tempfile.TemporaryDirectory() as folder:
        accounts = Path(folder, "accounts.toml")
        say("   $ runner accounts add accounts.toml ada")
        command = [sys.executable, "-m", "runner.cli", "accounts", "add", str(accounts), "ada"]
        subprocess.run(command, cwd=ROOT, input="engine\n", text=True, check=True)
        root = Path(folder, "files")
        root.mkdir()
        with served("ftp", "--root", str(root), "--accounts", str(accounts)) as address, ftplib.FTP() as client:
            host = urllib.parse.urlsplit(address)
            client.connect(str(host.hostname), host.port or 0, timeout=30)
            say(f"   login: {client.login('ada', 'engine')}")
            content = b"notes on the engine\n" * 1000
            say(f"   STOR notes: {client.storbinary('STOR notes', io.BytesIO(content))}")
            client.retrlines("LIST", lambda line: say(f"   LIST: {line}"))
            back = io.BytesIO()
            say(f"   RETR notes: {client.retrbinary('RETR notes', back.write)}")
            if not back.getvalue() == content == (root / "notes").read_bytes():
                sys.exit("   the file is not what was stored")


def serve() -> None:
    """Serves the Runner's demonstration application by the component, and asks it something."""
    with served("http") as address:
        for path, body in (("/headers?who=ada", None), ("/echo", b"what is sent comes back")):
            request = urllib.request.Request(address + path, data=body)
            with urllib.request.urlopen(request, timeout=30) as answer:
                say(f"   {request.get_method()} {path}: {answer.status} {answer.reason}")
                for text in answer.read().decode().splitlines():
                    say(f"     {text}")


def main() -> None:
    """The demonstration, from contracts to a request."""
    with step(1, "Adapters and stubs from the contracts"):
        must(witgen("generate"))
    with step(2, "The digest of every interface and world, agreed in wit.lock; the form of the contracts"):
        must(witgen("hash"))
        must(witgen("hash", "--check"))
        must(witgen("fmt", "--check"))
    with step(3, "The guest, a component for wasm32-wasip2"):
        component = build_guest()
    with step(4, "The component at work behind its generated adapter"):
        use(component)
    with step(5, "The same component against a changed contract"):
        refuse(component)
    with step(6, "Files behind the FTP component"):
        transfer()
    with step(7, "An application of ASGI behind the HTTP component"):
        serve()
    say("\nDone.")


if __name__ == "__main__":
    main()
