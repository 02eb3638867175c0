"""What commands do: a `Visit` is a client that is there, a `Work` one of its commands.

What waits for a disk or for a password is done by threads; what the storage says to be prompt is done at once, as long
as it is (`runner.ftp.pace`). A connection has one command at a time. What the protocol is, the component knows; what
files are, the storage; here they meet.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import types
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

import runner.bindings.ftp_component as wit
from runner.accounts.accounts import Accounts
from runner.accounts.file import Account
from runner.ftp.entries import entry_of
from runner.ftp.pace import Pace
from runner.host.files import FetchedSource, FileSink, FileSource
from runner.storage import Kind, Permissions, Reason, Session, Source, StorageError, Tree, Upload
from witgen import runtime as rt

__all__ = ["Place", "Shift", "Visit", "Work"]

T = TypeVar("T")
#: What becomes of a transfer: how many bytes went, or why not all did.
Outcome: TypeAlias = "rt.Ok[int] | rt.Err[wit.TypesError]"

_REASON = wit.RefusalReason
_DONE = wit.Response_Accepted([])
_GONE: Outcome = rt.Err(wit.TypesError(wit.TypesErrorKind.CLOSED, "the client has gone"))


@dataclass(frozen=True, slots=True)
class Place:
    """The files, who may use them, and the threads that do what may block."""

    tree: Tree
    accounts: Accounts
    pool: Executor
    #: Threads for passwords alone: who tries many of them holds up nobody who has logged in.
    doors: Executor
    #: Bytes up to which a file is sent in one piece.
    inline: int
    #: Commands that are being carried out.
    works: set[Work] = field(default_factory=set)
    pace: Pace = field(default_factory=Pace)


class Shift(Protocol):
    """What a work asks of the instance that gave its command."""

    def send(self, transfer: wit.Transfer, data: wit.OutgoingData) -> bool:
        """Begins to send; says whether there is anybody to send to."""
        raise NotImplementedError

    def receive(self, transfer: wit.Transfer, sink: wit.OutputStream, name: str | None) -> bool:
        """Begins to receive; says whether there is anybody to receive from."""
        raise NotImplementedError

    def respond(self, exchange: wit.Exchange, response: wit.Response) -> None:
        """Answers a command; an answer that nobody waits for is dropped."""

    def discard(self, transfer: wit.Transfer) -> None:
        """Gives the right to a transfer back, unless it was used."""

    def failed(self, work: Work, error: BaseException) -> None:
        """Storage or accounts have failed in a way that nobody has foreseen."""

    def ended(self, work: Work) -> None:
        """A command has been carried out."""


class Visit:
    """A client that is there: who it is, and where in the tree."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = "/"
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The user's files. The component passes no other command on before the login."""
        if self._session is None:
            raise StorageError(Reason.FORBIDDEN, "nobody is logged in")
        return self._session

    def log_in(self, user: str, password: str) -> bool:
        """Lets a user in, or nobody where the password is another; whoever was there before has left."""
        self._session = None
        account = self.place.accounts.login(user, password)
        if account is None:
            return False
        self.welcome(account)
        return True

    def welcome(self, account: Account) -> None:
        """Lets a user in, who is who he says."""
        self._session = Session(self.place.tree, account.home, account.permissions, account.quota)
        self.folder = "/"

    def path(self, given: str | None) -> str:
        """A path that a client has sent, as an absolute one."""
        return self.session.resolve(self.folder, given or ".")


class Work:
    """A command that is being carried out.

    It is a coroutine that waits for two things, which are there for it alone: a thread, and the end of its transfer.
    So it needs no task, and goes on at once when one of them is there.
    """

    def __init__(self, command: wit.Command, visit: Visit, shift: Shift) -> None:
        self.id = command.id
        self._command = command
        self._visit = visit
        self._shift = shift
        self._loop = asyncio.get_running_loop()
        self._steps = self._run()
        #: Whether it waits for the end of its transfer, and that end where it came before.
        self._awaits_end = False
        self._end: Outcome | None = None
        self._over: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Has it carried out, as far as there is nothing to wait for."""
        self._visit.place.works.add(self)
        self._go_on(functools.partial(self._steps.send, None))

    def over(self) -> asyncio.Future[None]:
        """What is done when the command has been carried out. It is not yet."""
        if self._over is None:
            self._over = self._loop.create_future()
        return self._over

    def _go_on(self, step: Callable[[], object]) -> None:
        """Runs to where it waits next, or to the end."""
        try:
            step()
        except StopIteration:
            self._visit.place.works.discard(self)
            if self._over is not None and not self._over.done():
                self._over.set_result(None)

    async def _run(self) -> None:
        """Carries the command out, and answers it."""
        try:
            self._shift.respond(self._command.exchange, await self._answer())
        except Exception as error:
            self._shift.failed(self, error)
        finally:
            transfer = getattr(getattr(self._command.action, "value", None), "data", None)
            if transfer is not None:
                self._shift.discard(transfer)
            self._shift.ended(self)

    def transferred(self, outcome: Outcome) -> None:
        """The transfer has come to its end."""
        if self._awaits_end:
            self._awaits_end = False
            self._go_on(functools.partial(self._steps.send, outcome))
        elif self._end is None:
            self._end = outcome

    def gone(self) -> None:
        """Nobody waits for the answer any more; a transfer that goes on has failed."""
        self.transferred(_GONE)

    async def _answer(self) -> wit.Response:
        action = self._command.action
        try:
            return await _ACTS[type(action)](self, getattr(action, "value", None))
        except StorageError as error:
            return _refused(getattr(_REASON, error.reason.name), str(error))
        except Exception as error:  # Whatever is wrong with a storage, the client gets an answer.
            self._shift.failed(self, error)
            return _refused(_REASON.STORAGE)

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        """Has a thread do something."""
        return await self._do_in(self._visit.place.pool, work, *args)

    async def _do_in(self, pool: Executor, work: Callable[..., T], *args: Any) -> T:
        pool.submit(self._call, functools.partial(work, *args))
        found: T = await _pause()
        return found

    def _call(self, work: Callable[[], object]) -> None:
        """Does something, and has the command go on with what came of it; in a thread."""
        step: Callable[[], object]
        try:
            step = functools.partial(self._steps.send, work())
        except BaseException as error:
            step = functools.partial(self._steps.throw, error)
        # The loop may have ended without waiting any longer.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._go_on, step)

    async def _try(self, prompt: bool, work: Callable[..., T], *args: Any) -> T:
        """Does something at once if it is prompt; else a thread does it."""
        pace = self._visit.place.pace
        return pace.do(work, *args) if prompt and pace.is_prompt else await self._do(work, *args)

    async def _look(self, work: Callable[..., T], *args: Any) -> T:
        """Does something that is prompt if the storage is."""
        return await self._try(self._visit.session.prompt, work, *args)

    # Who, and where

    async def _log_in(self, given: wit.Credentials) -> wit.Response:
        place = self._visit.place
        account = place.accounts.remembered(given.user, given.password)
        if account is not None:
            self._visit.welcome(account)
            return _DONE
        accepted = await self._do_in(place.doors, self._visit.log_in, given.user, given.password)
        return _DONE if accepted else _refused(_REASON.CREDENTIALS)

    async def _change_directory(self, given: str) -> wit.Response:
        path = self._visit.path(given)
        await self._look(self._visit.session.enter, path)
        self._visit.folder = path
        return _DONE

    async def _print_directory(self, _: None) -> wit.Response:
        return wit.Response_Path(self._visit.folder)

    # What is there

    async def _size(self, given: str) -> wit.Response:
        found = await self._look(self._visit.session.stat, self._visit.path(given))
        if found.kind is not Kind.FILE or found.size is None:
            return _refused(_REASON.WRONG_KIND)
        return wit.Response_Size(found.size)

    async def _modified(self, given: str) -> wit.Response:
        found = await self._look(self._visit.session.stat, self._visit.path(given))
        return _refused(_REASON.UNSUPPORTED) if found.modified is None else wit.Response_Modified(found.modified)

    async def _facts(self, given: str | None) -> wit.Response:
        path, session = self._visit.path(given), self._visit.session
        found = await self._look(session.stat, path)
        # One entry is shown with its whole path (RFC 3659, 7.2).
        return wit.Response_Entries([entry_of(found, session.may(found), path)])

    async def _status(self, given: str) -> wit.Response:
        return wit.Response_Entries(await self._do(self._entries, self._visit.path(given)))

    def _entries(self, path: str) -> list[wit.Entry]:
        """What is in a folder, or the file of that path; in a thread."""
        session = self._visit.session
        return [entry_of(item, session.may(item)) for item in session.list(path)]

    async def _enumerate(self, given: wit.Listing) -> wit.Response:
        path = self._visit.path(given.path)
        if given.style is wit.ListingStyle.FACTS:
            await self._look(self._visit.session.enter, path)
        entries = await self._do(self._entries, path)
        return await self._send(given.data, wit.OutgoingData_Entries(entries))

    # What is changed

    async def _make_directory(self, given: str) -> wit.Response:
        path = self._visit.path(given)
        await self._do(self._visit.session.make_directory, path)
        return wit.Response_Path(path)

    async def _remove_directory(self, given: str) -> wit.Response:
        await self._do(self._visit.session.remove_directory, self._visit.path(given))
        return _DONE

    async def _delete(self, given: str) -> wit.Response:
        await self._do(self._visit.session.delete, self._visit.path(given))
        return _DONE

    async def _rename_source(self, given: str) -> wit.Response:
        found = await self._look(self._visit.session.stat, self._visit.path(given))
        allowed = self._visit.session.may(found) & Permissions.RENAME
        return _DONE if allowed else _refused(_REASON.FORBIDDEN)

    async def _rename(self, given: wit.Renaming) -> wit.Response:
        old, new = self._visit.path(given.old_path), self._visit.path(given.new_path)
        await self._do(self._visit.session.rename, old, new)
        return _DONE

    # Transfers

    async def _retrieve(self, given: wit.Retrieval) -> wit.Response:
        path, prompt = self._visit.path(given.path), self._visit.session.prompt
        opened = await self._try(prompt, self._open, path, given.offset, prompt)
        if isinstance(opened, bytes):
            return await self._send(given.data, wit.OutgoingData_Inline(opened))
        file, source = opened
        try:
            return await self._send(given.data, wit.OutgoingData_Streamed(wit.Source(source, file.length)))
        finally:
            self._later(lambda: _close(source, file))

    def _open(self, path: str, offset: int, prompt: bool) -> bytes | tuple[Source, FileSource | FetchedSource]:
        """What is to be sent: all of it if it is short, and `prompt` says that only what is in memory is to be read."""
        place = self._visit.place
        file = self._visit.session.open(path, offset)
        try:
            if file.length is not None and file.length <= place.inline:
                data = file.ready(file.length) if prompt else file.read(file.length)
                if data is not None:
                    file.close()
                    return data
            if file.descriptor is None or file.length is None:
                return file, FetchedSource(file.read, place.pool.submit)
            return file, FileSource(file.descriptor, file.offset, file.length, place.pool.submit)
        except BaseException:
            file.close()
            raise

    async def _store(self, given: wit.Storing) -> wit.Response:
        kept = given.offset or given.mode is wit.StoreMode.APPEND
        upload = await self._try(not kept and self._visit.session.prompt_uploads, self._begin, given)
        sink = FileSink(upload.write, self._visit.place.pool.submit)
        try:
            name = upload.name if given.mode is wit.StoreMode.UNIQUE else None
            outcome = await self._transfer(lambda: self._shift.receive(given.data, sink, name))
        except BaseException:
            self._later(lambda: _abandon(sink, upload))
            raise
        if isinstance(outcome, rt.Ok):
            # What is acknowledged is on the disk, under its name.
            await self._try(upload.prompt and not sink.begun, _commit, sink, upload)
            return _DONE
        await self._do(_abandon, sink, upload)
        if isinstance(sink.problem, StorageError):
            raise sink.problem
        return _refused(_REASON.TRANSFER)

    def _begin(self, given: wit.Storing) -> Upload:
        """Begins a file."""
        visit = self._visit
        if given.mode is wit.StoreMode.APPEND:
            return visit.session.append(visit.path(given.path))
        if given.mode is wit.StoreMode.REPLACE:
            return visit.session.store(visit.path(given.path), given.offset)
        if given.path is None:
            return visit.session.unique(visit.folder)
        folder, _, name = visit.path(given.path).rpartition("/")
        return visit.session.unique(folder or "/", name)

    async def _send(self, transfer: wit.Transfer, data: wit.OutgoingData) -> wit.Response:
        outcome = await self._transfer(lambda: self._shift.send(transfer, data))
        return _DONE if isinstance(outcome, rt.Ok) else _refused(_REASON.TRANSFER)

    async def _transfer(self, begin: Callable[[], bool]) -> Outcome:
        """Begins a transfer, and returns what became of it."""
        self._end = None
        if not begin():
            return _GONE
        if self._end is None:
            self._awaits_end = True
            self._end = await _pause()
        return self._end

    def _later(self, work: Callable[[], object]) -> None:
        """Has a thread do something that nobody waits for."""
        self._visit.place.pool.submit(work)


@types.coroutine
def _pause() -> Generator[None, Any, Any]:
    """Waits for what the command is given next."""
    return (yield)


def _close(source: FileSource | FetchedSource, file: Source) -> None:
    source.settle()
    file.close()


def _commit(sink: FileSink, upload: Upload) -> None:
    """Writes what is left, and puts the file in its place; if that fails there is nothing of it."""
    try:
        sink.settle()
        upload.commit()
    except BaseException:
        upload.abandon()
        raise


def _abandon(sink: FileSink, upload: Upload) -> None:
    sink.abandon()
    upload.abandon()


def _refused(reason: wit.RefusalReason, message: str = "") -> wit.Response:
    return wit.Response_Refused(wit.Refusal(reason, message))


_ACTS: dict[type, Callable[[Work, Any], Coroutine[Any, Any, wit.Response]]] = {
    wit.Action_Login: Work._log_in,
    wit.Action_ChangeDirectory: Work._change_directory,
    wit.Action_PrintDirectory: Work._print_directory,
    wit.Action_MakeDirectory: Work._make_directory,
    wit.Action_RemoveDirectory: Work._remove_directory,
    wit.Action_Delete: Work._delete,
    wit.Action_RenameSource: Work._rename_source,
    wit.Action_Rename: Work._rename,
    wit.Action_Size: Work._size,
    wit.Action_Modified: Work._modified,
    wit.Action_Facts: Work._facts,
    wit.Action_Status: Work._status,
    wit.Action_Retrieve: Work._retrieve,
    wit.Action_Store: Work._store,
    wit.Action_Enumerate: Work._enumerate,
}
