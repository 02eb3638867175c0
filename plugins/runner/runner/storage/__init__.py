"""Files for services that give and take them: one root, uploads that are all or nothing, and what somebody may do."""

from runner.storage.entries import ALL, READING, Entry, Kind, Permissions, parse_permissions
from runner.storage.errors import Reason, StorageError
from runner.storage.opening import open_tree
from runner.storage.session import Session
from runner.storage.tree import Source, Tree, Upload

__all__ = [
    "ALL",
    "READING",
    "Entry",
    "Kind",
    "Permissions",
    "Reason",
    "Session",
    "Source",
    "StorageError",
    "Tree",
    "Upload",
    "open_tree",
    "parse_permissions",
]
