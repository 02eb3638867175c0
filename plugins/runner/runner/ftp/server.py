"""The FTP component at work: commands of its batches for the files, and the answers back.

Clients are told 421 when an instance of the component fails; what becomes of instances is in
`runner.component_server`, what commands do in `runner.ftp.visits`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import runner.bindings.ftp_component as wit
from runner import component_server
from runner.ftp.config import FtpConfig
from runner.ftp.observer import Observer
from runner.ftp.visits import Place, Visit, Work
from witgen import runtime as rt

__all__ = ["ComponentServer", "Guest"]

_UNAVAILABLE = b"421 The service has failed, please connect again.\r\n"

#: An instance of the component, and what the host has for it alone.
Guest: TypeAlias = component_server.Guest[wit.FtpComponent]


class ComponentServer(component_server.ComponentServer[wit.FtpComponent]):
    """Serves files on listening sockets, by the component."""

    def __init__(
        self,
        place: Place,
        make: Callable[[], Guest],
        addresses: Sequence[tuple[str, int]],
        config: FtpConfig,
        observer: Observer,
    ) -> None:
        """`place` has the files and who may use them, `make` makes instances that may listen on `addresses`."""
        super().__init__(make, addresses, observer)
        self.place = place
        self.config = config
        self.observer = observer

    def begin(self, guest: Guest) -> _Shift:
        """Puts an instance to work."""
        return _Shift(self, guest)


class _Shift(component_server.Shift[wit.FtpComponent, wit.Session, wit.Batch]):
    """One instance at work, from its start to its end."""

    farewell = _UNAVAILABLE
    refusal = wit.TypesErrorException

    def __init__(self, server: ComponentServer, guest: Guest) -> None:
        self._place, self._config, self._observer = server.place, server.config, server.observer
        self._visits: dict[int, Visit] = {}
        self._works: dict[int, Work] = {}
        super().__init__(server, guest, guest.world.control.poll_command)

    @property
    def connections(self) -> int:
        """Open control connections."""
        return len(self._visits)

    def listen(self, address: tuple[str, int]) -> wit.Session:
        """Listens on an address."""
        return self.guest.world.control.start_server(self._config.start(address))

    def retire(self, listener: wit.Session, grace: int) -> None:
        """Lets a session end."""
        self.guest.world.control.stop_server(listener, grace)

    def is_done(self, listener: wit.Session) -> bool:
        """Whether it was stopped and has no connections."""
        status = listener.status()
        return status.stopping and not status.connections

    def tell(self) -> int:
        """All clients hear that they are to connect again: a reply of that kind may come at any time."""
        return self.guest.sockets.tell_all(self.farewell)

    def handle(self, batch: wit.Batch) -> None:
        """Begins commands, and passes on what became of transfers."""
        for connection in batch.opened:
            self._visits[connection.id] = Visit(self._place)
            self._observer.opened(connection)
        for command in batch.commands:
            visit = self._visits.get(command.connection)
            if visit is None:
                if self._over:
                    # The instance was lost with the answer to a command before.
                    break
                raise rt.Trap(f"a command of connection {command.connection}, which is not open", "poll-command")
            work = self._works[command.id] = Work(command, visit, self)
            work.begin()
        for transfer in batch.transfers:
            if (found := self._works.get(transfer.exchange)) is not None:
                found.transferred(transfer.outcome)
        for report in batch.reports:
            if (found := self._works.get(report.exchange)) is not None:
                found.gone()
        if batch.reports:
            self._observer.reported(batch.reports)
        for end in batch.closed:
            # An instance that was lost meanwhile has told of all of them.
            if self._visits.pop(end.id, None) is not None:
                self._observer.closed(end.id)

    # What works ask for

    def send(self, transfer: wit.Transfer, data: wit.OutgoingData) -> bool:
        """Begins to send; says whether there is anybody to send to."""
        return self._call(lambda: self.guest.world.data_plane.send_data(transfer, data))

    def receive(self, transfer: wit.Transfer, sink: wit.OutputStream, name: str | None) -> bool:
        """Begins to receive; says whether there is anybody to receive from."""
        return self._call(lambda: self.guest.world.data_plane.recv_data(transfer, sink, name))

    def respond(self, exchange: wit.Exchange, response: wit.Response) -> None:
        """Answers a command; an answer that nobody waits for is dropped."""
        self._call(lambda: self.guest.world.control.send_response(exchange, response))

    def discard(self, transfer: wit.Transfer) -> None:
        """Gives the right to a transfer back, unless it was used."""
        if not self._over:
            with self._guarded():
                transfer.close()

    def failed(self, work: Work, error: BaseException) -> None:
        """Storage or accounts have failed."""
        self._observer.storage_failed(work.id, error)

    def ended(self, work: Work) -> None:
        """A command has been carried out, or there is nobody left who wants that."""
        self._works.pop(work.id, None)

    def _call(self, call: Callable[[], None]) -> bool:
        if self._over:
            return False
        try:
            call()
        except wit.TypesErrorException as error:
            if error.value.kind is wit.TypesErrorKind.CLOSED:
                return False
            raise ValueError(f"the component refuses it: {error.value.message}") from None
        except rt.ComponentError as error:
            self._fail(error)
            return False
        self.settle()
        return True

    def drop(self) -> None:
        """Commands under way hear that their clients have gone."""
        for work in list(self._works.values()):
            work.gone()
        for number in list(self._visits):
            self._observer.closed(number)
        self._visits.clear()
