"""On what sort of file system a folder lies, as the table of mounts has it (proc_pid_mountinfo(5), on Linux)."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_of_this_machine"]

_TABLE = Path("/proc/self/mountinfo")
#: Those whose files are on disks of this machine or in its memory, so that nobody waits for a network.
_OF_THIS_MACHINE = frozenset(
    ["bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"]
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def is_of_this_machine(folder: Path) -> bool:
    """Whether all that is below a folder is on this machine, as far as that is known; else it may be anywhere.

    What is mounted there later is not seen.
    """
    try:
        table = _TABLE.read_text(errors="surrogateescape")
        real = folder.resolve()
    except OSError:
        return False
    kind, depth = "", -1
    for line in table.splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), mount.split(" ")[4]))
        mounted = source.split(" ")[0]
        # Of several at one place the last one is seen.
        if real.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = mounted, len(point.parts)
        elif point.is_relative_to(real) and mounted not in _OF_THIS_MACHINE:
            return False
    return kind in _OF_THIS_MACHINE
