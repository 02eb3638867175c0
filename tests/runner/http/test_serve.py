"""`runner serve http` as users meet it: applications behind the component and, in the same words, behind Python."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runner.bindings import progress_client as wit
from runner.progress import Progress

from tests.runner.driving import wait_until
from tests.runner.http.serving import COMPONENT, PATIENCE, PYTHON, ROOT, Process, component_with, serving

ASGI = "tests.runner.http.app:asgi"


@pytest.fixture(scope="module", params=[COMPONENT, PYTHON], ids=["component", "python"])
def both(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The application behind one and the other."""
    with serving(ROOT, "--flag", request.param, "--flag", "runner.http_metrics=true", app=ASGI) as process:
        yield process


def test_an_application_answers(both: Process) -> None:
    assert both.get("/") == (200, b"hello")


def test_the_application_sees_the_request(both: Process) -> None:
    status, body = both.get("/scope/a%20b/%C3%A9?x=1&y=%26", "PUT", b"", **{"X-Thing": "one"})
    scope = json.loads(body)
    assert status == 200
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("PUT", "/scope/a b/é", "/scope/a%20b/%C3%A9")
    assert (scope["query_string"], scope["http_version"], scope["scheme"]) == ("x=1&y=%26", "1.1", "http")
    assert ["x-thing", "one"] in scope["headers"]
    assert scope["server"] == ["127.0.0.1", both.port] and scope["client"][0] == "127.0.0.1"


def test_a_connection_is_used_again(both: Process) -> None:
    with contextlib.closing(both.client()) as client:
        for number in range(50):
            client.request("GET", f"/scope/{number}")
            answer = client.getresponse()
            assert json.loads(answer.read())["path"] == f"/scope/{number}"


def test_requests_that_come_at_once_are_answered_in_order(both: Process) -> None:
    with both.connect() as client:
        client.sendall(b"".join(f"GET /scope/{n} HTTP/1.1\r\nhost: a\r\n\r\n".encode() for n in range(20)))
        client.sendall(b"GET /scope/last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        text = _all(client).decode("latin-1")
    assert re.findall(r'"path": "/scope/(\w+)"', text) == [*map(str, range(20)), "last"]


def test_head_has_no_content(both: Process) -> None:
    with contextlib.closing(both.client()) as client:
        client.request("HEAD", "/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"")


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 70_000, 5_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_content_of_any_size_arrives(both: Process, size: int, chunked: bool) -> None:
    data = hashlib.shake_128(b"content").digest(size)
    body = iter([data[at : at + 10_007] for at in range(0, size, 10_007)]) if chunked else data
    status, answer = both.get("/digest", "POST", body)
    found_size, digest, _ = answer.decode().split()
    assert (status, int(found_size), digest) == (200, size, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("size", [10, 100_000, 3_000_000])
def test_what_comes_is_sent_back_while_it_comes(both: Process, size: int) -> None:
    data = hashlib.shake_128(b"echo").digest(size)
    assert both.get("/echo", "POST", data) == (200, data)


@pytest.mark.parametrize(("count", "size"), [(1, 10), (3, 70_000), (2000, 100), (200, 65536)])
def test_an_answer_in_pieces_arrives(both: Process, count: int, size: int) -> None:
    assert both.get(f"/many/{count}/{size}") == (200, b"".join(bytes([n % 251]) * size for n in range(count)))


def test_an_application_that_fails_is_a_500_and_serving_goes_on(both: Process) -> None:
    assert both.get("/fail")[0] == 500
    assert both.get("/silent")[0] == 500
    assert both.get("/")[0] == 200
    both.wait_for("the application is broken")


def test_an_answer_that_breaks_off_is_noticed(both: Process) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        both.get("/cut")
    assert both.get("/")[0] == 200


def test_the_application_hears_that_the_client_has_gone(both: Process) -> None:
    with both.connect() as client:
        # It ends with a reset: who only says that no more comes may still wait for the answer.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /until-gone/1 HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.1)
    deadline = time.monotonic() + PATIENCE
    while "/until-gone/1" not in json.loads(both.get("/gone")[1]):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_many_clients_are_served_at_once(both: Process) -> None:
    found: list[tuple[int, bytes]] = []
    threads = [threading.Thread(target=lambda: found.append(both.get("/slow/0.5"))) for _ in range(50)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(200, b"at last")] * 50
    assert time.monotonic() - begun < 0.5 * 25


def test_a_thousand_slow_clients_do_not_stop_others(both: Process) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(both.connect()) for _ in range(1000)]
        for client in slow:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")
        for number in range(20):
            for client in slow[number::20]:
                client.sendall(b"y")
            assert both.get("/") == (200, b"hello")


def test_figures_and_health_are_shown(both: Process) -> None:
    both.get("/")
    status, text = both.shown("/metrics")
    assert status == 200
    assert re.search(r'runner_requests_total\{component="http-component",status="200"\} [1-9]', text)
    assert re.search(r'runner_flag\{flag="runner.sparse_store"\} 1.0', text)
    instances = 1.0 if json.loads(both.shown("/status.json")[1])["component"]["mode"] == "component" else 0.0
    assert f'runner_instances{{component="http-component"}} {instances}' in text
    assert ('runner_instance_memory_bytes{component="http-component"} 0.0' in text) == (instances == 0.0)
    assert both.shown("/healthz") == (200, "ok\n")
    assert both.shown("/nothing")[0] == 404
    document = json.loads(both.shown("/status.json")[1])
    assert document["flags"]["runner.http_component"]["source"] == "command line"


def _all(client: socket.socket) -> bytes:
    found = b""
    while data := client.recv(65536):
        found += data
    return found


@pytest.mark.parametrize("flag", [COMPONENT, PYTHON])
def test_an_application_of_wsgi_answers(flag: str) -> None:
    with serving(ROOT, "--flag", flag, app="tests.runner.http.app:wsgi") as process:
        assert process.get("/a%20b?c=d", "POST", b"12345") == (200, b"POST /a b?c=d 5")


@pytest.mark.parametrize("flag", [COMPONENT, PYTHON])
def test_an_application_may_know_no_lifespan(flag: str) -> None:
    with serving(ROOT, "--flag", flag, app="tests.runner.http.app:without_lifespan") as process:
        assert process.get() == (200, b"plain")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("tests.runner.http.app:refusing", "runner: error: there is no database"),
        ("tests.runner.http.app:nothing", "runner: error: module 'tests.runner.http.app' has no attribute 'nothing'"),
        ("no.such.module:app", "runner: error: there is no module 'no.such.module'"),
        ("app", "runner: error: 'app' is not of the form module:attribute"),
        ("tests.runner.http.app:gone", "runner: error: tests.runner.http.app:gone is not an application"),
    ],
)
def test_an_application_that_can_not_be_had_is_an_error(app: str, message: str, workers: str) -> None:
    process = Process(ROOT, "--workers", workers, app=app)
    process.wait_for(re.escape(message))
    assert process.process.wait(PATIENCE) == 1
    assert "Traceback" not in "\n".join(process.lines)


def test_a_time_without_end_is_no_grace() -> None:
    for grace in ("nan", "inf", "-1"):
        command = [sys.executable, "-m", "runner.cli", "serve", "http", "--bind", "127.0.0.1:0", "--grace", grace]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
        assert found.returncode == 2 and "Traceback" not in found.stderr


def test_an_address_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "runner.cli", "serve", "http", "--bind", address]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (found.returncode, found.stderr) == (
        1,
        f"runner: error: {address} can't be listened on: Address already in use\n",
    )


# Signals and changes


@pytest.mark.parametrize("flag", [COMPONENT, PYTHON])
def test_told_to_end_it_answers_what_it_has_begun(flag: str) -> None:
    with serving(ROOT, "--flag", flag, app=ASGI) as process, process.connect() as client, process.connect() as idle:
        client.sendall(b"GET /slow/1 HTTP/1.1\r\nhost: a\r\n\r\n")
        idle.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        process.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(OSError):
            process.connect()
        assert b"at last" in _all(client)
        assert process.process.wait(PATIENCE) == 0


def test_grace_is_the_most_that_a_request_gets() -> None:
    with serving(ROOT, "--flag", COMPONENT, "--grace", "0.3", app=ASGI) as process, process.connect() as client:
        client.sendall(b"GET /slow/20 HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.2)
        assert process.stop() == 0
        assert _all(client) == b""


def test_a_flag_changes_the_server_and_no_client_notices(tmp_path: Path) -> None:
    flags = tmp_path / "feature_flags.toml"
    flags.write_text("[default]\nrunner.http_component = true\n")
    with serving(ROOT, "--flags-file", str(flags), app=ASGI) as process, contextlib.closing(process.client()) as client:
        stop, wrong, answered = threading.Event(), [], []

        def ask() -> None:
            while not stop.is_set():
                try:
                    answered.append(process.get("/")[0])
                except OSError as error:
                    wrong.append(error)

        client.request("GET", "/slow/2")
        thread = threading.Thread(target=ask)
        thread.start()
        for number, value in enumerate(("false", "true", "false"), 1):
            flags.write_text(f"[default]\nrunner.http_component = {value}\n")
            process.wait_for('"event": "flag changed"', number)
            process.wait_for('"event": "serving"', number + 1)
        assert client.getresponse().read() == b"at last"
        stop.set()
        thread.join()
        assert wrong == [] and set(answered) == {200}
        modes = [json.loads(line)["mode"] for line in process.lines if '"event": "serving"' in line]
        assert modes == ["component", "python", "component", "python"]


def test_a_broken_file_of_flags_changes_nothing(tmp_path: Path) -> None:
    flags = tmp_path / "feature_flags.toml"
    flags.write_text("[default]\nrunner.http_component = true\n")
    with serving(ROOT, "--flags-file", str(flags), app=ASGI) as process:
        flags.write_text("[default]\nrunner.http_component = maybe\n")
        process.wait_for("the old values stay")
        assert process.get("/") == (200, b"hello")
        assert json.loads(process.shown("/status.json")[1])["component"]["mode"] == "component"


def test_a_flag_that_is_on_in_vain_is_told_with_the_reason(tmp_path: Path) -> None:
    folder, flags = component_with(tmp_path / "component"), tmp_path / "feature_flags.toml"
    (folder / "http_component.wasm").write_bytes(b"\0asm")
    flags.write_text("[default]\nrunner.http_component = false\n")
    with serving(ROOT, "--flags-file", str(flags), "--component", str(folder), app=ASGI) as process:
        flags.write_text("[default]\nrunner.http_component = true\n")
        said = json.loads(process.wait_for('{.*"event": "serving".*', 2)[0])
        assert said["mode"] == "python"
        assert "the component can't be used: " in said["reason"] and "http_component.wasm" in said["reason"]
        assert process.get("/") == (200, b"hello")


def test_it_can_be_told_to_load_the_component_anew(tmp_path: Path) -> None:
    folder = component_with(tmp_path / "component")
    options = ("--flag", COMPONENT, "--component", str(folder))
    with serving(ROOT, *options, app=ASGI) as process, contextlib.closing(process.client()) as client:
        client.request("GET", "/slow/1")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for("it was loaded anew")
        assert process.get("/") == (200, b"hello")
        assert client.getresponse().read() == b"at last"
        (folder / "http_component.wasm").write_bytes(b"\0asm")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for("the component can't be loaded anew: .*http_component.wasm")
        assert process.get("/") == (200, b"hello")


def test_several_workers_share_an_address() -> None:
    options = ("--workers", "2", "--flag", COMPONENT, "--flag", "runner.http_metrics=true")
    with serving(ROOT, *options, app=ASGI) as process:
        process.wait_for('"event": "serving"', 2)
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
        workers = [int(pid) for pid in children.split()]
        for _ in range(40):
            assert process.get("/") == (200, b"hello")
        victim = min(workers)
        os.kill(victim, signal.SIGKILL)
        process.wait_for(rf"worker \d \(process {victim}\) ended with -9")
        process.wait_for('"event": "serving"', 3)
        for _ in range(40):
            assert process.get("/") == (200, b"hello")
        text = process.shown("/metrics")[1]
        counts = re.findall(r'runner_requests_total\{.*status="200"\} ([\d.]+)', text)
        assert sum(map(float, counts)) >= 40
        assert process.stop() == 0


def test_connections_of_a_worker_that_died_are_counted_no_more() -> None:
    with serving(ROOT, "--workers", "2", "--flag", COMPONENT, app=ASGI) as process, contextlib.ExitStack() as stack:
        process.wait_for('"event": "serving"', 2)
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
        second = int(children.split()[1])
        for _ in range(30):
            stack.enter_context(process.connect())
        wait_until(lambda: open_connections(process) == 30)
        # The first shows the figures.
        os.kill(second, signal.SIGKILL)
        process.wait_for(rf"\(process {second}\) ended")
        wait_until(lambda: open_connections(process) < 30)
        assert process.get("/") == (200, b"hello")


def test_workers_whose_supervisor_was_killed_end_with_their_requests() -> None:
    with serving(ROOT, "--workers", "2", "--flag", COMPONENT, app=ASGI) as process:
        process.wait_for('"event": "serving"', 2)
        with contextlib.closing(process.client()) as client:
            client.request("GET", "/slow/1")
            time.sleep(0.2)
            process.process.kill()
            assert client.getresponse().read() == b"at last"
        # Standard error ends with the last process that has it.
        process.wait_for("the supervisor is gone", 2)
        wait_until(lambda: not process._reader.is_alive())


def open_connections(process: Process) -> float:
    found = re.search(r"runner_connections\{.*\} ([\d.]+)", process.shown("/metrics")[1])
    return 0 if found is None else float(found[1])


# Progress


def stored(path: Path) -> list[wit.ProgressUpdate]:
    """What is in a file of progress."""
    with Progress(path) as progress:
        return progress.latest(most=1000)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_every_request_and_change_of_state_is_an_update_whatever_ends_the_server(tmp_path: Path, how: int) -> None:
    path = tmp_path / "progress.db"
    with serving(ROOT, "--flag", COMPONENT, "--progress", str(path), app=ASGI) as process:
        for number in range(30):
            assert process.get(f"/scope/{number}")[0] == 200
        assert process.get("/fail")[0] == 500
        deadline = time.monotonic() + PATIENCE
        while not re.search(r"progress_updates_published_total (3[0-9]|[4-9]\d)", process.shown("/metrics")[1]):
            assert time.monotonic() < deadline, process.shown("/metrics")[1]
            time.sleep(0.1)
        assert "progress_heartbeats_total" in process.shown("/metrics")[1]
        process.stop(how)
    updates = stored(path)
    requests = [update for update in updates if any(item.section == "request" for item in update.changes)]
    states = [update for update in updates if any(item.section == "service" for item in update.changes)]
    statuses = [
        item.value.value
        for update in requests
        for item in update.changes
        if item.key == "status" and item.value is not None
    ]
    assert len(requests) == 31
    # An update says what has changed.
    assert statuses == [200, 500]
    assert "component" in [item.value.value for item in states[0].changes if item.value is not None]


# Traces


@pytest.mark.parametrize("flag", [COMPONENT, PYTHON])
def test_every_request_is_a_span_below_that_of_who_asked(flag: str) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    received: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
        try:
            with serving(ROOT, "--flag", flag, "--trace", app=ASGI, env=env) as process:
                trace = "0af7651916cd43dd8448eb211c80319c"
                assert process.get("/scope/traced", traceparent=f"00-{trace}-b7ad6b7169203331-01")[0] == 200
                assert process.stop() == 0
        finally:
            collector.shutdown()
            thread.join()
    data = b"".join(received)
    assert b"GET /scope/traced" in data and bytes.fromhex(trace) in data


# A component that fails


def test_a_component_that_traps_is_replaced_and_its_clients_are_told(tmp_path: Path) -> None:
    folder = component_with(tmp_path / "component", fuel=1_500_000)
    with (
        serving(ROOT, "--flag", COMPONENT, "--component", str(folder), app=ASGI) as process,
        process.connect() as waiting,
        process.connect() as idle,
    ):
        idle.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        waiting.sendall(b"GET /slow/30 HTTP/1.1\r\nhost: a\r\n\r\n")
        time.sleep(0.2)
        assert process.get("/", **{f"x-{n}": "v" * 600 for n in range(90)})[0] == 503
        process.wait_for("all fuel consumed")
        assert _all(waiting).startswith(b"HTTP/1.1 503 ")
        assert _all(idle) == b""
        assert process.get("/") == (200, b"hello")
        assert 'runner_replacements_total{component="http-component",reason="Trap"} 1.0' in process.shown("/metrics")[1]
        assert json.loads(process.shown("/status.json")[1])["component"]["failures"] == 1


def test_a_component_that_keeps_failing_is_given_up_for_python(tmp_path: Path) -> None:
    folder = component_with(tmp_path / "component", fuel=1_500_000)
    with serving(ROOT, "--flag", COMPONENT, "--component", str(folder), app=ASGI) as process:
        large = {f"x-{n}": "v" * 600 for n in range(90)}
        answers = [process.get("/", **large)[0] for _ in range(8)]
        process.wait_for('"mode": "python", "reason": "the component failed')
        assert answers == [503] * 6 + [200] * 2
        assert process.get("/", **large) == (200, b"hello")


def test_a_component_that_is_refused_is_replaced_by_python_with_the_list_of_reasons(tmp_path: Path) -> None:
    folder = component_with(tmp_path / "component")
    manifest = folder / "component.toml"
    manifest.write_text(
        manifest.read_text().replace('    "runner:host",\n', "").replace('digest = "', 'digest = "0', 1)
    )
    manifest.write_text(re.sub(r'digest = "0(\w{63})\w"', r'digest = "0\1"', manifest.read_text()))
    with serving(ROOT, "--flag", COMPONENT, "--component", str(folder), app=ASGI) as process:
        line = json.loads(next(line for line in process.lines if '"event": "serving"' in line))
        assert line["mode"] == "python"
        assert "with another digest" in line["reason"]
        assert "imports runner:host/readiness@0.1.0" in line["reason"] and "does not grant" in line["reason"]
        assert process.get("/") == (200, b"hello")


def test_a_worker_that_can_not_start_any_more_says_why_in_a_line_and_is_tried_again(tmp_path: Path) -> None:
    application = tmp_path / "shop.py"
    application.write_text("from tests.runner.http.app import asgi\n")
    with serving(tmp_path, "--workers", "2", app="shop:asgi", env={"PYTHONPATH": str(ROOT)}) as process:
        process.wait_for('"event": "serving"', 2)
        application.write_text("sold_out = True\n")
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
        os.kill(int(children.split()[1]), signal.SIGKILL)
        process.wait_for(r"^runner: error: module 'shop' has no attribute 'asgi'$", 2)
        process.wait_for(r"worker 2 \(process \d+\) ended with 1; started again in 1 s")
        assert not [line for line in process.lines if "Traceback" in line]
        application.write_text("from tests.runner.http.app import asgi\n")
        process.wait_for('"event": "serving"', 3)
        assert process.stop() == 0
