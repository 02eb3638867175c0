"""What is said of the file system on which a folder lies, beside what `stat` says of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from runner.storage.mounts import is_of_this_machine

#: Names of coreutils for file systems of this machine.
_NEAR = {"btrfs", "ext2/ext3", "f2fs", "overlayfs", "ramfs", "tmpfs", "xfs", "zfs"}


@pytest.mark.parametrize("folder", ["/proc", "/sys", "/dev/shm", "/dev/pts", "/tmp", "/var/tmp"])
def test_folders_of_this_machine_are_told_from_others(folder: str) -> None:
    if not Path(folder).is_dir():
        pytest.skip(f"there is no {folder}")
    found = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True)
    assert is_of_this_machine(Path(folder)) == (found.stdout.strip() in _NEAR)


def test_what_is_mounted_below_a_folder_counts_as_well() -> None:
    assert Path("/proc").is_mount()
    assert not is_of_this_machine(Path("/"))


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    assert not is_of_this_machine(tmp_path / "link")
