"""A headless browser, driven by the WebDriver protocol (W3C, "WebDriver"): Debian's Chromium."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

import pytest

__all__ = ["Browser"]

_PATIENCE = 60.0
_ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1100,1000"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
]


class Browser:
    """A browser with one window, until the end of a `with` statement. Skips the test where there is none."""

    def __init__(self) -> None:
        driver = shutil.which("chromedriver")
        if driver is None or shutil.which("chromium") is None:
            pytest.skip("chromium or chromedriver is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._address = f"http://127.0.0.1:{port}"
        options = {"args": [*_ARGUMENTS, f"--user-data-dir={self._folder.name}"], "binary": shutil.which("chromium")}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                session = self._ask("POST", "/session", wanted)
                break
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    self._end()
                    raise
                time.sleep(0.1)
        self._session = f"/session/{session['sessionId']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("DELETE", self._session)
        finally:
            self._end()

    def open(self, url: str) -> None:
        """Goes to a page."""
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """What a script gives back."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def until(self, script: str) -> Any:
        """What a script gives back, once that is neither false nor empty."""
        deadline = time.monotonic() + _PATIENCE
        while not (found := self.run(script)):
            assert (
                time.monotonic() < deadline
            ), f"{script} never became true:\n{self.run('return document.body.innerText')}"
            time.sleep(0.1)
        return found

    def screenshot(self, path: Path) -> None:
        """Writes what can be seen as PNG."""
        path.write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"content-type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            return json.loads(answer.read())["value"]

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(_PATIENCE)
        self._folder.cleanup()
