"""The status page in a real browser: what it shows, and that it follows what happens."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.runner.http.browser import Browser
from tests.runner.http.serving import ROOT, serving

#: Where a screenshot is written, where the documents want a new one.
SCREENSHOT = os.environ.get("RUNNER_SCREENSHOT")


def test_the_page_follows_component_flags_requests_and_progress(tmp_path: Path) -> None:
    flags = tmp_path / "feature_flags.toml"
    flags.write_text("[default]\nrunner.http_component = true\n")
    options = ("--flags-file", str(flags), "--progress", str(tmp_path / "progress.db"))
    with serving(ROOT, *options, app="tests.runner.http.app:asgi") as process, Browser() as browser:
        browser.open(f"http://127.0.0.1:{process.status_port}/")
        assert browser.until("return document.getElementById('link').textContent == 'live'")
        text = browser.until("return document.getElementById('component').innerText")
        assert "http-component 0.1.0" in text and "the component" in text and "sha256:" in text
        shown = browser.run("return document.getElementById('flags').innerText")
        assert "runner.http_component" in shown and "[default]" in shown
        for _ in range(50):
            assert process.get("/")[0] == 200
        process.get("/slow/0.1")
        assert "exchange" in browser.until(
            "return document.getElementById('progress').innerText.includes('exchange') &&"
            " document.getElementById('progress').innerText"
        )
        assert browser.until(
            "return document.querySelectorAll('#latency polyline[points]').length == 3 &&"
            " document.querySelector('#latency .p99').getAttribute('points').length > 0"
        )
        if SCREENSHOT:
            browser.screenshot(Path(SCREENSHOT))
        flags.write_text("[default]\nrunner.http_component = false\n")
        assert browser.until("return document.getElementById('component').innerText.includes('Python')")
        assert browser.run("return document.title") == "Runner"
        document = json.loads(process.shown("/status.json")[1])
        assert document["component"]["mode"] == "python"
        process.process.kill()
        assert browser.until("return document.getElementById('link').textContent == 'not connected'")
        process.process.wait()
