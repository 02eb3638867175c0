"""The two streams of a TCP connection: what `io` asks for, on a socket that never blocks.

They know bytes. How a connection came about, and when it is shut down, is for `tcp`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct

from witgen.wasi.io import InputStream, IoError, OutputStream
from witgen.wasi.network import NetworkError
from witgen.wasi.poll import Wants
from witgen.wasi.system_socket import SystemSocket

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
    """What goes out."""

    def __init__(self, system: SystemSocket) -> None:
        super().__init__()
        self._system = system
        #: Whether the direction ends when what is kept is gone, and whether it has.
        self._ending = self._ended = False
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
        """Sends of what is kept as much as there is room for, and the end if it is next."""
        with self._lock:
            left = super().go_on()
            if self._ending and not left and not self._ended:
                self._ended = True
                # Nobody is told of an error here: the direction has ended, which is what was wanted.
                with contextlib.suppress(OSError):
                    self._system.native.shutdown(socket.SHUT_WR)
            return left

    def finish(self) -> None:
        """Ends the stream: nothing more is written, and the peer is told once it has got all that was."""
        self.closed = self._ending = True
        self.go_on()

    def release(self) -> None:
        """Lets go of the connection, and ends it in this direction.

        If there are bytes that it can't get rid of it ends in a reset: the peer must not take a part for the whole.
        """
        # Another thread may be at it; from here on it has nothing to send, and the descriptor can be closed.
        with self._lock:
            self.finish()
            self._reset_if_cut()
            super().release()
            self._ended = True
        self._system.leave()

    def __del__(self) -> None:
        # An instance that is thrown away drops no handles.
        with contextlib.suppress(AttributeError):
            self._reset_if_cut()

    def _reset_if_cut(self) -> None:
        """Has the connection end in a reset, if it ends before all that was written is gone."""
        if self._pending:
            # A system may refuse it where the connection is lost already.
            with contextlib.suppress(OSError):
                self._system.native.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
