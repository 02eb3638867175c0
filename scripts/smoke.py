"""Cases of `scripts/run_component_smoke.sh`: a component behind the Runner, and clients that others have written.

Usage: smoke.py http|ftp FOLDER, where FOLDER has the component with its manifest. A client that is not on this machine
is named in the table, and nothing fails for it.
"""

from __future__ import annotations

import contextlib
import ftplib
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
_OF_PYTHON = ("http.client", "ftplib")
USER, PASSWORD = "smoke", "no fire without it"
#: Larger than what goes inline, and not one block.
LARGE = hashlib.shake_128(b"smoke").digest(3_000_001)


class Failed(Exception):
    """A case has failed; the text says how."""


def must(condition: bool, message: str) -> None:
    """Fails the case where a condition does not hold."""
    if not condition:
        raise Failed(message)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service is, and a folder for files of clients; `root` has those of FTP."""

    port: int
    folder: Path
    root: Path


@dataclass(frozen=True, slots=True)
class Case:
    """Something that a client does; `client` is a program, or a module of Python."""

    name: str
    client: str
    run: Callable[[Place], None]

    @property
    def there(self) -> bool:
        """Whether the client is on this machine."""
        return self.client in _OF_PYTHON or shutil.which(self.client) is not None


def command(*words: str | Path) -> bytes:
    """What a program prints, which has to end well."""
    done = subprocess.run(list(map(str, words)), capture_output=True, timeout=2 * PATIENCE)
    must(done.returncode == 0, f"ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


# HTTP


def url(place: Place, path: str = "/") -> str:
    """The address of a page."""
    return f"http://127.0.0.1:{place.port}{path}"


def curl(*words: str | Path) -> bytes:
    """What curl prints."""
    return command("curl", "-sS", "--http1.1", "--max-time", f"{PATIENCE:g}", *words)


def asks(place: Place) -> None:
    must(curl("-w", "%{http_code}", url(place)).endswith(b"200"), "the answer is not 200")


def posts(place: Place) -> None:
    must(curl("--data-binary", "a=b&c", url(place, "/echo")) == b"a=b&c", "another content came back")


def uploads_in_chunks(place: Place) -> None:
    (place.folder / "large").write_bytes(LARGE)
    found = curl("-T", place.folder / "large", "-H", "Transfer-Encoding: chunked", url(place, "/echo"))
    must(found == LARGE, f"{len(found)} bytes came back of {len(LARGE)}")


def is_told_to_continue(place: Place) -> None:
    (place.folder / "large").write_bytes(LARGE)
    heads = place.folder / "heads"
    curl("-T", place.folder / "large", "-H", "Expect: 100-continue", "-D", heads, "-o", os.devnull, url(place, "/echo"))
    must(" 100 " in heads.read_text().splitlines()[0] + " ", "the first answer is not 100")


def finds_nothing(place: Place) -> None:
    must(curl("-o", os.devnull, "-w", "%{http_code}", url(place, "/nowhere")) == b"404", "the answer is not 404")


def keeps_a_connection(place: Place) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", place.port, timeout=PATIENCE)) as client:
        client.connect()
        kept = client.sock
        for number in range(20):
            client.request("POST", "/echo", str(number).encode())
            must(client.getresponse().read() == str(number).encode(), f"answer {number} is another")
            must(client.sock is kept, f"the connection was ended after answer {number}")


def asks_head(place: Place) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", place.port, timeout=PATIENCE)) as client:
        client.request("HEAD", "/")
        answer = client.getresponse()
        must(answer.status == 200 and answer.read() == b"", "the answer to HEAD has content, or is not 200")


def asks_at_the_same_time(place: Place) -> None:
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", place.port, PATIENCE)))
            for _ in range(50)
        ]
        for number, client in enumerate(clients):
            client.request("POST", "/echo", str(number).encode())
        for number, client in enumerate(clients):
            must(client.getresponse().read() == str(number).encode(), f"client {number} got another's answer")


# FTP


@contextlib.contextmanager
def session(place: Place) -> Iterator[ftplib.FTP]:
    """A client of Python, logged in."""
    with ftplib.FTP(timeout=PATIENCE, encoding="utf-8") as client:
        client.connect("127.0.0.1", place.port)
        client.login(USER, PASSWORD)
        yield client


def fetched(client: ftplib.FTP, name: str, rest: int | None = None) -> bytes:
    """A file, or what follows a position in it."""
    parts: list[bytes] = []
    client.retrbinary(f"RETR {name}", parts.append, rest=rest)
    return b"".join(parts)


def refuses_a_wrong_password(place: Place) -> None:
    with ftplib.FTP(timeout=PATIENCE) as client:
        client.connect("127.0.0.1", place.port)
        try:
            client.login(USER, "wrong")
        except ftplib.error_perm as error:
            must(str(error).startswith("530"), f"the reply is {error}")
        else:
            raise Failed("the login was accepted")


def stores_and_fetches(place: Place) -> None:
    with session(place) as client:
        client.storbinary("STOR large", io.BytesIO(LARGE))
        must((place.root / "large").read_bytes() == LARGE, "the file on the disk is another")
        must(fetched(client, "large") == LARGE, "another file came back")
        must(fetched(client, "large", rest=1_000_000) == LARGE[1_000_000:], "what follows REST is another")


def fetches_actively(place: Place) -> None:
    (place.root / "active").write_bytes(LARGE)
    with session(place) as client:
        client.set_pasv(False)
        must(fetched(client, "active") == LARGE, "another file came back")


def lists(place: Place) -> None:
    (place.root / "listed").write_bytes(b"12345")
    with session(place) as client:
        facts = dict(client.mlsd())
        must("listed" in client.nlst(), "NLST does not name the file")
        must(facts.get("listed", {}).get("size") == "5", f"MLSD says {facts.get('listed')}")


def changes_names(place: Place) -> None:
    with session(place) as client:
        client.mkd("folder")
        client.cwd("folder")
        client.storbinary("STOR one", io.BytesIO(b"1"))
        client.rename("one", "two")
        must((place.root / "folder/two").read_bytes() == b"1", "the file has not its new name")
        client.delete("two")
        client.cwd("..")
        client.rmd("folder")
    must(not (place.root / "folder").exists(), "the directory is still there")


def stays_below_its_root(place: Place) -> None:
    (place.root.parent / "outside").write_bytes(b"not for clients")
    with session(place) as client:
        try:
            fetched(client, "../outside")
        except ftplib.error_perm as error:
            must(str(error).startswith("550"), f"the reply is {error}")
        else:
            raise Failed("a file outside of the root was given out")


def uploads_with_curl(place: Place) -> None:
    (place.folder / "up").write_bytes(LARGE)
    login = ("--user", f"{USER}:{PASSWORD}", "-sS", "--max-time", f"{PATIENCE:g}")
    command("curl", *login, "-T", place.folder / "up", f"ftp://127.0.0.1:{place.port}/up")
    must((place.root / "up").read_bytes() == LARGE, "the file on the disk is another")
    must(command("curl", *login, f"ftp://127.0.0.1:{place.port}/up") == LARGE, "another file came back")


def mirrors_with_lftp(place: Place) -> None:
    (place.root / "tree/deep").mkdir(parents=True)
    (place.root / "tree/deep/file").write_bytes(LARGE)
    lines = (
        f"set net:timeout {PATIENCE:g}; set net:max-retries 1; set ftp:ssl-allow no; mirror tree {place.folder}/tree"
    )
    command("lftp", "-u", f"{USER},{PASSWORD}", "-e", f"{lines}; bye", f"ftp://127.0.0.1:{place.port}")
    must((place.folder / "tree/deep/file").read_bytes() == LARGE, "the file that was mirrored is another")


CASES: dict[str, Sequence[Case]] = {
    "http": (
        Case("asks for a page", "curl", asks),
        Case("posts a form", "curl", posts),
        Case("uploads 3 MB in chunks", "curl", uploads_in_chunks),
        Case("is told to continue", "curl", is_told_to_continue),
        Case("finds nothing: 404", "curl", finds_nothing),
        Case("keeps a connection for 20 requests", "http.client", keeps_a_connection),
        Case("asks HEAD", "http.client", asks_head),
        Case("asks on 50 connections at a time", "http.client", asks_at_the_same_time),
    ),
    "ftp": (
        Case("is refused with a wrong password", "ftplib", refuses_a_wrong_password),
        Case("stores 3 MB, fetches them, and a part", "ftplib", stores_and_fetches),
        Case("fetches in active mode", "ftplib", fetches_actively),
        Case("lists a directory", "ftplib", lists),
        Case("makes, renames and removes", "ftplib", changes_names),
        Case("stays below the root", "ftplib", stays_below_its_root),
        Case("uploads and fetches 3 MB", "curl", uploads_with_curl),
        Case("mirrors a tree", "lftp", mirrors_with_lftp),
    ),
}


# The service


class Service:
    """`runner serve` with the component, until the end of a ``with`` statement."""

    def __init__(self, protocol: str, component: Path, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self._lines: list[str] = []
        self._news = threading.Condition()
        address = ["--bind", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
        files = ["--root", str(self.root), "--accounts", str(_accounts(folder))] if protocol == "ftp" else []
        flags = ["--flag", f"runner.{protocol}_component=true", "--component", str(component), "--lock", "wit.lock"]
        words = [sys.executable, "-m", "runner.cli", "serve", protocol, *address, *flags, *files]
        self.process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self._wait_for(r"listening on \w+://127\.0\.0\.1:(\d+)"))
        self.status_port = int(self._wait_for(r"status on http://127\.0\.0\.1:(\d+)"))
        self._wait_for('"event": "(serving)"')

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _wait_for(self, pattern: str) -> str:
        def found() -> re.Match[str] | None:
            return next(filter(None, (re.search(pattern, line) for line in self._lines)), None)

        with self._news:
            self._news.wait_for(lambda: found() or not self._reader.is_alive(), PATIENCE)
            match = found()
        if match is None:
            self.process.kill()
            sys.exit("smoke: the service does not start:\n" + "".join(self._lines))
        return match[1]

    def component(self) -> tuple[str, str]:
        """What serves, and why."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/status.json", timeout=PATIENCE) as got:
            found = json.load(got)["component"]
        failures = f"; the component failed {found['failures']} time(s)" if found["failures"] else ""
        return ("python" if failures else found["mode"]), found["reason"] + failures

    def stop(self) -> int:
        """Ends it; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(2 * PATIENCE)

    def log(self) -> str:
        """What it has said."""
        return "".join(self._lines)


def _accounts(folder: Path) -> Path:
    file = folder / "accounts.toml"
    words = [sys.executable, "-m", "runner.cli", "accounts", "add", str(file), USER]
    subprocess.run(words, input=PASSWORD + "\n", text=True, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return file


def attempt(case: Case, place: Place) -> tuple[str, float]:
    """The result of a case, and the seconds that it took."""
    if not case.there:
        return "not on this machine", 0.0
    start = time.perf_counter()
    try:
        case.run(place)
    except (Failed, OSError, EOFError, ftplib.Error, http.client.HTTPException, subprocess.TimeoutExpired) as error:
        return f"FAILED: {error or type(error).__name__}", time.perf_counter() - start
    return "ok", time.perf_counter() - start


def main(protocol: str, component: Path) -> int:
    """Runs the cases and prints the table; gives the exit status."""
    folder = component / "run"
    (folder / "clients").mkdir(parents=True)
    service = Service(protocol, component.resolve(), folder.resolve())
    place = Place(service.port, folder / "clients", service.root)
    failed = 0
    try:
        print(f"\n{'case':<40} {'client':<12} {'time':>8}  result")
        for case in CASES[protocol]:
            result, seconds = attempt(case, place)
            failed += result.startswith("FAILED")
            print(f"{case.name:<40} {case.client:<12} {seconds * 1000:>5.0f} ms  {result}", flush=True)
        mode, reason = service.component()
    finally:
        status = service.stop()
    print(f"\nserved by: {mode} ({reason}); exit status of the service: {status}")
    (folder / "service.log").write_text(service.log())
    if failed or status or mode != "component":
        print(f"smoke: {protocol} FAILED; the log is {folder / 'service.log'}", file=sys.stderr)
        return 1
    print(f"smoke: {protocol} is well")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
