"""The two streams of a TCP connection: what `io` asks for, on a socket that never blocks.

They know bytes. How a connection came about, and when it is shut down, is for `tcp`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading

from witgen.wasi import poll
from witgen.wasi.io import InputStream, IoError, OutputStream
from witgen.wasi.network import NetworkError
from witgen.wasi.options import SystemSocket
from witgen.wasi.poll import Waitable, Wants

__all__ = ["TcpInput", "TcpOutput"]

#: SO_LINGER: on, for no time. Closing then resets the connection.
_RESET = struct.pack("ii", 1, 0)


class TcpInput(InputStream):
    """What comes in."""

    def __init__(self, system: SystemSocket) -> None:
        super().__init__()
        self._system = system
        system.users += 1

    def receive(self, size: int) -> bytes:
        """What is there of `size` bytes; ``b""`` when the peer has ended."""
        return self._system.native.recv(size)

    def awaits(self) -> Wants:
        """Bytes, or the end of them."""
        return self._system.descriptor, select.POLLIN

    def failure(self, error: OSError) -> IoError:
        """The error, for `network-error-code` to read."""
        return NetworkError(error)

    def finish(self) -> None:
        """Ends the stream: what is there, and what comes, is not read any more."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._system.native.shutdown(socket.SHUT_RD)

    def release(self) -> None:
        """Lets go of the connection."""
        self.closed = True
        self._system.leave()


class TcpOutput(OutputStream):
    """What goes out.

    The kernel may take less than was permitted. The rest goes out while anybody waits for anything, because a guest
    that has written a request may well wait for the answer next, and for nothing else; so a lock guards it.
    """

    def __init__(self, system: SystemSocket) -> None:
        super().__init__()
        self._system = system
        self._lock = threading.RLock()
        self._finishing = False
        system.users += 1

    def send(self, data: memoryview) -> int:
        """Gives the kernel what it takes."""
        return self._system.native.send(data)

    def awaits(self) -> Wants:
        """Room in the kernel's buffer."""
        return self._system.descriptor, select.POLLOUT

    def failure(self, error: OSError) -> IoError:
        """The error, for `network-error-code` to read."""
        return NetworkError(error)

    def go_on(self) -> bool:
        """Sends of what is kept as much as there is room for. Says whether there is still some."""
        try:
            if not self._push():
                return True
        except OSError as error:
            self._error = error
        if self._finishing:
            self._send_end()
        return False

    def finish(self) -> None:
        """Ends the stream: nothing more is written, and the peer is told once it has got all that was."""
        if not self._finishing:
            self.closed = self._finishing = True
            if self.go_on():
                poll.background.add(_Rest(self))

    def release(self) -> None:
        """Lets go of the connection, and ends it in this direction.

        If there are bytes that it can't get rid of it ends in a reset: the peer must not take a part for the whole.
        """
        if self.go_on():
            self._system.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif not self._finishing:
            self._send_end()
        self._pending = memoryview(b"")
        self.closed = True
        self._system.leave()

    def _send_end(self) -> None:
        # Nobody is told of an error here: the connection has ended, which is what was wanted.
        with contextlib.suppress(OSError):
            self._system.native.shutdown(socket.SHUT_WR)

    def _put(self, contents: bytes) -> None:
        with self._lock:
            super()._put(contents)
            if self._pending:
                poll.background.add(_Rest(self))

    def _push(self) -> bool:
        if not self._pending:
            return True
        with self._lock:
            return super()._push()


class _Rest(Waitable):
    """What a stream has kept, on its way; equal to another one of the same stream."""

    def __init__(self, stream: TcpOutput) -> None:
        self._stream = stream

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rest) and other._stream is self._stream

    def __hash__(self) -> int:
        return hash(id(self._stream))

    def wants(self) -> Wants:
        if self._stream.go_on():
            return self._stream.awaits()
        poll.background.discard(self)
        return None

    def woken(self) -> bool:
        return self.wants() is None
