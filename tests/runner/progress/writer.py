"""A process that writes progress and follows it until it is killed. On stdout it says what it was promised.

``stored USER N``: the N-th update of this user is on the disk. ``acked ID``: so is the acknowledgement up to this id.
``got ID…``: these were delivered.
"""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path

from runner.bindings import progress_client as wit
from runner.progress import Progress

from tests.runner.progress.support import number, options, step

_printing = threading.Lock()


def say(*words: object) -> None:
    """Writes a line at once, whole."""
    with _printing:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()


def write(progress: Progress, user: str, first: int) -> None:
    """Updates one after the other, with posted ones between them; the workbook counts along."""
    for n in itertools.count(first):
        scope = wit.Scope(user, "task", None)
        if n % 3 == 1:
            progress.post(step(number("k", n), scope=scope, at=n))
        else:
            progress.workbook.update(step(number("k", n), scope=scope, at=n))
            say("stored", user, n)


def follow(progress: Progress) -> None:
    """Receives and acknowledges."""
    subscription = progress.events.subscribe(options(65_536), "audit")
    while True:
        subscription.wait(1)
        batch = subscription.recv(7)
        if batch.updates:
            say("got", *(f"{update.id}/{update.scope.user}/{update.timestamp}" for update in batch.updates))
            subscription.ack(batch.updates[-1].id)
            say("acked", batch.updates[-1].id)


def main() -> None:
    """``writer.py FILE FIRST``"""
    progress = Progress(Path(sys.argv[1]))
    first = int(sys.argv[2])
    for user in ("ada", "bob"):
        threading.Thread(target=write, args=(progress, user, first), daemon=True).start()
    follow(progress)


if __name__ == "__main__":
    main()
