"""A host's part of the FTP component on a `Tree`: who may log in, what becomes of each command, the data of transfers.

It runs in the thread of the driver, and answers at once what needs no transfer.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import runner.bindings.ftp_component as wit
from runner.host import Inlet, Outlet

from tests.runner.ftp.tree import Refused, Tree
from witgen import runtime as rt

if TYPE_CHECKING:
    from tests.runner.ftp.driver import Server

Reason = wit.RefusalReason
ACCEPTED = wit.Response_Accepted([])
PASSWORD = "secret"
#: Files of fewer bytes go inline.
SMALL = 512


@dataclass
class Upload:
    """What comes from a client, and where it goes when all of it has come."""

    keep: Callable[[bytes], None]
    pieces: list[bytes] = field(default_factory=list)
    inlet: Inlet = field(init=False)

    def __post_init__(self) -> None:
        self.inlet = Inlet(heard=lambda: self.pieces.append(self.inlet.read()))


class Application:
    """Serves a tree to all who know the password."""

    def __init__(self, tree: Tree | None = None) -> None:
        self.tree = tree or Tree()
        self.directories: dict[int, str] = {}
        self.logins: list[wit.Credentials] = []
        self.actions: list[wit.Action] = []
        #: Commands that wait for the end of their transfers, and what comes with them.
        self.waiting: dict[int, wit.Command] = {}
        self.uploads: dict[int, Upload] = {}
        #: Whether it is said how long sources are.
        self.says_length = False

    def command(self, server: Server, command: wit.Command) -> None:
        """Sees to a command."""
        self.actions.append(command.action)
        try:
            response = self.act(server, command)
        except Refused as refused:
            response = refused.response
        if response is not None:
            server.respond(command.exchange, response)

    def transfer(self, server: Server, end: wit.TransferEnd) -> None:
        """Answers the command whose transfer has ended."""
        command = self.waiting.pop(end.exchange, None)
        upload = self.uploads.pop(end.exchange, None)
        if command is None:
            return
        if isinstance(end.outcome, rt.Err):
            server.respond(command.exchange, wit.Response_Refused(wit.Refusal(Reason.TRANSFER, "")))
            return
        if upload is not None:
            upload.keep(b"".join(upload.pieces))
        server.respond(command.exchange, ACCEPTED)

    def act(self, server: Server, command: wit.Command) -> wit.Response | None:
        """The answer; none where it comes later. Raises `Refused`."""
        tree, here = self.tree, command.connection
        match command.action:
            case wit.Action_Login(credentials):
                return self.log_in(here, credentials)
            case wit.Action_ChangeDirectory(path):
                target = self._path(here, path)
                tree.folder(target)
                self.directories[here] = target
            case wit.Action_PrintDirectory():
                return wit.Response_Path(self._path(here, "."))
            case wit.Action_MakeDirectory(path):
                tree.make_directory(self._path(here, path))
                return wit.Response_Path(self._path(here, path))
            case wit.Action_RemoveDirectory(path):
                tree.remove_directory(self._path(here, path))
            case wit.Action_Delete(path):
                tree.delete(self._path(here, path))
            case wit.Action_RenameSource(path):
                tree.node(self._path(here, path))
            case wit.Action_Rename(names):
                tree.rename(self._path(here, names.old_path), self._path(here, names.new_path))
            case wit.Action_Size(path):
                return wit.Response_Size(len(tree.read(self._path(here, path))))
            case wit.Action_Modified(path):
                return wit.Response_Modified(tree.node(self._path(here, path)).modified)
            case wit.Action_Facts(path):
                target = self._path(here, path or ".")
                return wit.Response_Entries([tree.entry(path or "/", tree.node(target))])
            case wit.Action_Status(path):
                return wit.Response_Entries(tree.entries(self._path(here, path)))
            case wit.Action_Retrieve(retrieval):
                self.retrieve(server, command, retrieval)
                return None
            case wit.Action_Store(storing):
                self.store(server, command, storing)
                return None
            case wit.Action_Enumerate(listing):
                target = self._path(here, listing.path or ".")
                if listing.style is wit.ListingStyle.FACTS:
                    tree.folder(target)
                self.send(server, command, listing.data, wit.OutgoingData_Entries(tree.entries(target)))
                return None
        return ACCEPTED

    def log_in(self, connection: int, credentials: wit.Credentials) -> wit.Response:
        """Whether somebody may."""
        self.logins.append(credentials)
        self.directories[connection] = "/"
        if credentials.password != PASSWORD:
            raise Refused(Reason.CREDENTIALS)
        return ACCEPTED

    def retrieve(self, server: Server, command: wit.Command, retrieval: wit.Retrieval) -> None:
        """Sends a file."""
        data = self.tree.read(self._path(command.connection, retrieval.path))[retrieval.offset :]
        self.send(server, command, retrieval.data, self.outgoing(data))

    def outgoing(self, data: bytes) -> wit.OutgoingData:
        """Bytes for the client, inline or as a stream."""
        if len(data) < SMALL:
            return wit.OutgoingData_Inline(data)
        outlet = Outlet()
        outlet.feed(data)
        outlet.finish()
        return wit.OutgoingData_Streamed(wit.Source(outlet, len(data) if self.says_length else None))

    def store(self, server: Server, command: wit.Command, storing: wit.Storing) -> None:
        """Takes a file."""
        path, name = self._path(command.connection, storing.path or "unnamed"), None
        if storing.mode is wit.StoreMode.UNIQUE:
            folder, base = self.tree.place(path)
            name = base if base not in folder else next(n for i in range(1, 100) if (n := f"{base}.{i}") not in folder)
            path = posixpath.join(posixpath.dirname(path), name)
        self.tree.place(path)
        before = b""
        if storing.mode is wit.StoreMode.APPEND or storing.offset:
            try:
                before = self.tree.read(path)
            except Refused:
                before = b""
        if storing.offset:
            before = before[: storing.offset]
        upload = Upload(lambda data: self.tree.write(path, before + data))
        self.waiting[command.id] = command
        self.uploads[command.id] = upload
        server.transfer(lambda: server.guest.data_plane.recv_data(storing.data, upload.inlet, name))

    def send(self, server: Server, command: wit.Command, right: wit.Transfer, data: wit.OutgoingData) -> None:
        """Sends something."""
        self.waiting[command.id] = command
        server.transfer(lambda: server.guest.data_plane.send_data(right, data))

    def _path(self, connection: int, path: str) -> str:
        joined = posixpath.normpath(posixpath.join(self.directories.get(connection, "/"), path))
        return "/" + joined.lstrip("/")
