"""A registry of one's own: Debian's docker-registry on a port of this machine, with its storage in a folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from runner.cli import main

ROOT = Path(__file__).resolve().parents[3]
UNPACKED = ROOT / "target/registry/docker-registry"
#: For localhost and 127.0.0.1, with its key.
CERTIFICATE = ROOT / "tests/runner/http/localhost.pem"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Registry:
    """A registry that runs."""

    port: int
    storage: Path
    is_secure: bool = False

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def get(self, path: str) -> tuple[int, bytes]:
        """What it answers to us; not by way of the client that is tested."""
        connection: http.client.HTTPConnection
        if self.is_secure:
            context = ssl.create_default_context(cafile=str(CERTIFICATE))
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection("localhost", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Accept": MANIFEST})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def tags(self, name: str) -> list[str]:
        status, body = self.get(f"/v2/{name}/tags/list")
        return sorted(json.loads(body)["tags"] or []) if status == 200 else []

    def manifest(self, name: str, tag: str) -> dict[str, Any]:
        status, body = self.get(f"/v2/{name}/manifests/{tag}")
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def stored(self, digest: str) -> Path:
        """The file in which the registry keeps the bytes of a digest."""
        hexadecimal = digest.partition(":")[2]
        return self.storage / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"


def binary_or_skip() -> str:
    found = shutil.which("docker-registry") or (str(UNPACKED) if UNPACKED.exists() else None)
    if found is None:
        pytest.skip("there is no docker-registry on this machine (scripts/setup_registry.sh)")
    return found


@contextlib.contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Registry]:
    """A registry with further settings of its own, as its configuration has them."""
    program = binary_or_skip()
    tls: Mapping[str, Any] = settings.pop("tls", {})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    storage = folder / "storage"
    configuration = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        # Both loopback addresses: a name may stand for either.
        "http": {"addr": f"localhost:{port}", "secret": "a secret", "tls": tls},
        **settings,
    }
    # JSON is YAML.
    (folder / "registry.yml").write_text(json.dumps(configuration))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "registry.yml")], stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "registry.log")
        yield Registry(port, storage, bool(tls))
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def run(*arguments: object, code: int = 0) -> Result:
    """The command of the Runner, which has to end with a code."""
    done = CliRunner().invoke(main, [str(item) for item in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    assert "Traceback" not in done.output
    return done


def errors(*arguments: object) -> list[str]:
    """What a command that fails says, without notes."""
    return [line for line in run(*arguments, code=1).stderr.splitlines() if not line.startswith("  note")]
