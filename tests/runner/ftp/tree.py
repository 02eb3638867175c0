"""A tree of files in memory, as a host of the FTP component has one: it resolves paths and answers commands.

Nothing of it knows the protocol. What a command is answered with is a `wit.Response`; for transfers, a function that
gives bytes or takes them.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from zlib import crc32

import runner.bindings.ftp_component as wit

Reason = wit.RefusalReason
MAY_ALL = ~wit.Permissions(0)


class Refused(Exception):
    """Something can't be done."""

    def __init__(self, reason: wit.RefusalReason, message: str = "") -> None:
        super().__init__(reason)
        self.response = wit.Response_Refused(wit.Refusal(reason, message))


@dataclass
class Node:
    """A file, or a directory where `children` is not None."""

    data: bytes = b""
    children: dict[str, Node] | None = None
    modified: int = 784_111_777_000_000_000


@dataclass
class Tree:
    """Directories and files below a root."""

    root: Node = field(default_factory=lambda: Node(children={}))

    @property
    def top(self) -> dict[str, Node]:
        """What is in the root."""
        return self.folder("/")

    def node(self, path: str) -> Node:
        """What is at an absolute path. Raises `Refused`."""
        found = self.root
        for name in filter(None, path.split("/")):
            if found.children is None or name not in found.children:
                raise Refused(Reason.NOT_FOUND)
            found = found.children[name]
        return found

    def folder(self, path: str) -> dict[str, Node]:
        """What is in a directory. Raises `Refused`."""
        children = self.node(path).children
        if children is None:
            raise Refused(Reason.WRONG_KIND)
        return children

    def file(self, path: str) -> Node:
        """A file. Raises `Refused`."""
        node = self.node(path)
        if node.children is not None:
            raise Refused(Reason.WRONG_KIND)
        return node

    def place(self, path: str) -> tuple[dict[str, Node], str]:
        """The directory and the name of what is to be made. Raises `Refused`."""
        above, name = posixpath.split(path)
        if not name:
            raise Refused(Reason.BAD_NAME)
        return self.folder(above), name

    def write(self, path: str, data: bytes) -> None:
        """Puts a file there."""
        folder, name = self.place(path)
        folder[name] = Node(data)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self.file(path).data

    def make_directory(self, path: str) -> None:
        """Makes one. Raises `Refused`."""
        folder, name = self.place(path)
        if name in folder:
            raise Refused(Reason.ALREADY_EXISTS)
        folder[name] = Node(children={})

    def remove_directory(self, path: str) -> None:
        """Removes an empty one. Raises `Refused`."""
        if self.folder(path):
            raise Refused(Reason.NOT_EMPTY)
        folder, name = self.place(path)
        del folder[name]

    def delete(self, path: str) -> None:
        """Removes a file. Raises `Refused`."""
        self.file(path)
        folder, name = self.place(path)
        del folder[name]

    def rename(self, old: str, new: str) -> None:
        """Moves what is there. Raises `Refused`."""
        node = self.node(old)
        folder, name = self.place(new)
        if name in folder:
            raise Refused(Reason.ALREADY_EXISTS)
        above, before = self.place(old)
        folder[name] = node
        del above[before]

    def entry(self, name: str, node: Node) -> wit.Entry:
        """What is told of a file or directory."""
        is_file = node.children is None
        return wit.Entry(
            name=name,
            kind=wit.EntryKind.FILE if is_file else wit.EntryKind.DIRECTORY,
            size=len(node.data) if is_file else None,
            modified=node.modified,
            permissions=MAY_ALL,
            unix_mode=0o644 if is_file else 0o755,
            owner="ada",
            group="users",
            unique=f"{crc32(name.encode()):x}",
        )

    def entries(self, path: str) -> list[wit.Entry]:
        """What is in a directory, or the file itself. Raises `Refused`."""
        node = self.node(path)
        if node.children is None:
            return [self.entry(posixpath.basename(path), node)]
        return [self.entry(name, child) for name, child in sorted(node.children.items())]
