"""Flags that follow their file: it is read again every second, and when somebody asks for it.

A file that is broken or gone keeps the values as they were, and is warned of once. It does not know what flags switch:
who wants to know of a change is called with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import structlog

from runner.flags import Flags
from witgen.diagnostics import Source, WitError
from witgen.toml import read_text

__all__ = ["Listener", "Watcher"]

#: Is called with the name of a flag, what it was, and what it is.
Listener: TypeAlias = Callable[[str, bool, bool], None]

_log = structlog.get_logger("runner.flags")


class Watcher:
    """The flags of a running Runner. `flags` is what they are now; a reader sees all of a change or nothing of it.

    ``with`` starts and stops the thread that looks after the file.
    """

    def __init__(
        self,
        path: Path | None,
        environment: str | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, bool] | None = None,
        *,
        interval: float = 1.0,
    ) -> None:
        """Reads the flags, as `Flags.load` does and with its errors. `interval` is in seconds, at most 60."""
        if not 0 < interval <= 60:
            raise ValueError(f"an interval of {interval} s: flags are read again within a minute")
        self._path = path
        self._arguments = environment, environ, overrides
        self._interval = interval
        self._listeners: list[Listener] = []
        self._checking = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = "" if path is None else read_text(path).text
        self._warned = ""
        self.flags = self._of(self._seen)

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def on_change(self, listener: Listener) -> None:
        """Has `listener` called for each change, in the thread that found it, after `flags` has the new values."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begins to look after the file, if there is one."""
        if self._path is None or self._thread is not None:
            return
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="flags", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks after the file no more; returns when a change that was found has been told."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def check(self) -> bool:
        """Reads the file now, as on SIGHUP. Returns whether a flag has changed. Raises nothing for a wrong file."""
        with self._checking:
            return self._check()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.check()

    def _check(self) -> bool:
        if self._path is None:
            return False
        try:
            # The file is small, and its bytes are the one thing that can't lie about a change.
            text = read_text(self._path).text
            if text == self._seen and not self._warned:
                return False
            new = self._of(text)
        except WitError as error:
            self._warn(str(error))
            return False
        self._seen, self._warned = text, ""
        changes, self.flags = self.flags.changes(new), new
        for change in changes:
            _log.info("flag changed", flag=change.name, old=change.old, new=change.new, origin=new.source(change.name))
            self._tell(change.name, change.old, change.new)
        return bool(changes)

    def _of(self, text: str) -> Flags:
        return Flags.of(None if self._path is None else Source(str(self._path), text), *self._arguments)

    def _warn(self, problem: str) -> None:
        if problem != self._warned:
            self._warned = problem
            _log.warning("flags file is broken; the old values stay", problem=problem)

    def _tell(self, name: str, old: bool, new: bool) -> None:
        for listener in self._listeners:
            try:
                listener(name, old, new)
            except Exception:
                # One that fails must not keep the others from hearing of it, nor end the watching.
                _log.exception("a listener of flags failed", flag=name)
