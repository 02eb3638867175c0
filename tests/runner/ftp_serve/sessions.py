"""Clients of FTP that come and go, and what they have stored."""

from __future__ import annotations

import ftplib
import threading
import time

from tests.runner.ftp_serve.serving import PATIENCE, Process, fetched, stored


class Sessions:
    """Clients that log in, store, list and fetch, again and again, as long as a ``with`` lasts."""

    def __init__(self, process: Process, clients: int = 4) -> None:
        self._process = process
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[number]) for number in range(clients)]
        self.stored: dict[str, bytes] = {}
        self.errors: list[str] = []

    def __enter__(self) -> Sessions:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when no client wants anything any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Returns when so many more files were stored."""
        wanted, end = len(self.stored) + count, time.monotonic() + PATIENCE
        while len(self.stored) < wanted:
            assert time.monotonic() < end and self._process.process.poll() is None, self.errors[-3:]
            time.sleep(0.02)

    def _run(self, number: int) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            try:
                self._visit(f"{number}-{count}")
            except ftplib.error_temp as error:
                # What a server says that ends: come again.
                if not str(error).startswith("421"):
                    self.errors.append(repr(error))
            except (OSError, EOFError, ftplib.Error) as error:
                self.errors.append(repr(error))

    def _visit(self, name: str) -> None:
        with self._process.ftp() as client:
            content = name.encode() * 1000
            stored(client, name, content)
            self.stored[name] = content
            client.nlst()
            if fetched(client, name) != content:
                self.errors.append(f"{name} came back as something else")
