"""`runner:host/tls`: TLS on streams of the host, so that certificates, keys and trust never enter a sandbox.

The plain streams and those below them are `witgen.wasi`'s; between them is an `ssl.SSLObject` with its two buffers.
What a context trusts, and which certificate it shows, is for who makes it.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from runner.bindings import http_component as wit
from runner.host.sockets import secure
from witgen.wasi.bindings import host
from witgen.wasi.io import CHUNK, InputStream, IoError, OutputStream
from witgen.wasi.poll import Wants

__all__ = ["Tls"]

P = ParamSpec("P")
T = TypeVar("T")
Kind = wit.TlsErrorKind


class Tls:
    """The interface `runner:host/tls` for one component.

    `client` is the context for connections to servers, as `ssl.create_default_context()` makes it, and `server` the one
    with the certificate for clients. What has none is denied. Handshakes have no time limit of their own: components
    have time-outs for their connections.
    """

    def __init__(self, client: ssl.SSLContext | None = None, server: ssl.SSLContext | None = None) -> None:
        """Raises ValueError for a client's context that does not check whom it speaks to."""
        if client is not None and not (client.check_hostname and client.verify_mode == ssl.CERT_REQUIRED):
            raise ValueError("the context for clients must demand certificates and check the names in them")
        self._client = client
        self._server = server

    def client(
        self, input: wit.InputStream, output: wit.OutputStream, server_name: str
    ) -> tuple[wit.InputStream, wit.OutputStream]:
        """Takes the client's part. Raises `wit.TlsErrorException`."""
        return _begin(self._client, input, output, server_name)

    def server(self, input: wit.InputStream, output: wit.OutputStream) -> tuple[wit.InputStream, wit.OutputStream]:
        """Takes the server's part. Raises `wit.TlsErrorException`."""
        secure(input)
        return _begin(self._server, input, output, None)

    def stream_failure(self, failure: wit.IoError) -> wit.TlsError | None:
        """What a failed stream says about TLS."""
        return failure.tls if isinstance(failure, _TlsFailure) else None


def _begin(
    context: ssl.SSLContext | None, input: wit.InputStream, output: wit.OutputStream, name: str | None
) -> tuple[wit.InputStream, wit.OutputStream]:
    if not isinstance(input, InputStream) or not isinstance(output, OutputStream):
        raise _refusal(Kind.INVALID_ARGUMENT, "the streams are not those of a connection")
    try:
        if context is None:
            raise _refusal(Kind.DENIED, "TLS is not granted")
        try:
            connection = _Connection(context, input, output, name)
        except (ValueError, ssl.SSLError) as error:
            # A name that is none, or a context that can't take this part.
            raise _refusal(Kind.INVALID_ARGUMENT, str(error)) from None
    except wit.TlsErrorException:
        # They were given away, and nobody else is left to close them.
        output.close()
        input.close()
        raise
    return _TlsInput(connection), _TlsOutput(connection)


def _refusal(kind: wit.TlsErrorKind, message: str) -> wit.TlsErrorException:
    return wit.TlsErrorException(wit.TlsError(kind, message))


class _TlsFailure(IoError):
    """An error of TLS, for `stream-failure` to read."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.tls = wit.TlsError(_kind(error), _message(error))

    def to_debug_string(self) -> str:
        return self.tls.message


def _kind(error: OSError) -> wit.TlsErrorKind:
    # Who goes away in the middle may be there the next time; everything else is a matter of keys and versions.
    return Kind.TRANSIENT if isinstance(error, ssl.SSLEOFError) else Kind.PERMANENT


def _message(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "the peer has gone without ending TLS"
    reason = getattr(error, "reason", None)
    return str(reason or "TLS failed").replace("_", " ").lower()


class _Connection:
    """One connection in TLS. Its methods raise `ssl.SSLError`, and `host.StreamErrorException` of the streams below."""

    def __init__(self, context: ssl.SSLContext, input: InputStream, output: OutputStream, name: str | None) -> None:
        self.input = input
        self.output = output
        self.is_open = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=name is None, server_hostname=name)
        self._failure: ssl.SSLError | None = None

    def advance(self) -> bool:
        """Goes on with the handshake; says whether it is done."""
        while not self.is_open:
            try:
                self._do(self._tls.do_handshake)
                self.is_open = True
            except ssl.SSLWantReadError:
                if not self._fill():
                    return False
        return True

    def read(self, size: int) -> bytes | None:
        """Plain bytes; None if there are none yet, ``b""`` at the end."""
        while self.advance():
            try:
                return self._do(self._tls.read, size)
            except ssl.SSLWantReadError:
                if not self._fill():
                    return None
            except ssl.SSLZeroReturnError:
                return b""
        return None

    def write(self, data: memoryview) -> int:
        """Encrypts bytes and hands them down."""
        return self._do(self._tls.write, data)

    def room(self) -> int:
        """How many plain bytes may be written; 0 until all that was written before is gone."""
        return min(self.output.check_write(), CHUNK) if self.advance() else 0

    def finish(self) -> None:
        """Tells the peer that no more comes, as far as that can be done without waiting."""
        if self.is_open and self._failure is None:
            with contextlib.suppress(ssl.SSLError, host.StreamErrorException):
                self._do(self._tls.unwrap)

    def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does something with TLS, and sends what comes of it."""
        if self._failure is not None:
            raise self._failure
        try:
            result = work(*args, **kwargs)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            self._drain()
            raise
        except ssl.SSLError as error:
            self._failure = error
            # An alert that says what is wrong; whether it arrives is not so important as the reason.
            with contextlib.suppress(host.StreamErrorException):
                self._drain()
            raise
        self._drain()
        return result

    def _fill(self) -> bool:
        """Takes bytes from below; says whether there were any, or the end of them."""
        try:
            data = self.input.read(CHUNK)
        except host.StreamErrorException as error:
            if not isinstance(error.value, host.StreamError_Closed):
                raise
            if self._incoming.eof:
                return False
            self._incoming.write_eof()
            return True
        self._incoming.write(data)
        return bool(data)

    def _drain(self) -> None:
        """Hands bytes of TLS down. They go from there by themselves: a component that has written an answer waits for
        the next request, and not for room.
        """
        if self._outgoing.pending:
            self.output.hand_over(self._outgoing.read())


class _TlsInput(InputStream):
    """What comes in, decrypted."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._connection = connection
        #: Plain bytes that were found when it was asked whether there are any; empty at the end.
        self._found: bytes | None = None

    def receive(self, size: int) -> bytes | None:
        """What is there of `size` bytes."""
        found, self._found = self._found, None
        if found is None:
            return self._connection.read(size)
        if len(found) > size:
            self._found = found[size:]
        return found[:size]

    def awaits(self) -> Wants:
        """Bytes from below, unless there are plain ones."""
        return None if self._look() else self._connection.input.wants()

    def woken(self) -> bool:
        """Whether there are plain bytes, the end or a failure."""
        return self._look()

    def failure(self, error: OSError) -> IoError:
        """The error, for `stream-failure` to read."""
        return _TlsFailure(error)

    def release(self) -> None:
        """Lets go of the stream below."""
        self.closed = True
        self._connection.input.close()

    def _look(self) -> bool:
        if self._found is None:
            try:
                self._found = self._connection.read(CHUNK)
            except (OSError, host.StreamErrorException):
                # Who reads next is told.
                return True
        return self._found is not None


class _TlsOutput(OutputStream):
    """What goes out, to be encrypted."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._connection = connection

    def send(self, data: memoryview) -> int:
        """Encrypts all of it: no more than `room` was permitted."""
        return self._connection.write(data)

    def room(self) -> int:
        """How many bytes can be written now; 0 before the handshake is done."""
        return self._connection.room()

    def awaits(self) -> Wants:
        """Room below; during the handshake, bytes from below."""
        connection = self._connection
        try:
            if connection.room():
                return None
        except (OSError, host.StreamErrorException):
            # Who writes next is told.
            return None
        return connection.output.wants() if connection.is_open else connection.input.wants()

    def woken(self) -> bool:
        """Whether there is room, or a failure."""
        try:
            return self._connection.room() > 0
        except (OSError, host.StreamErrorException):
            return True

    def failure(self, error: OSError) -> IoError:
        """The error, for `stream-failure` to read."""
        return _TlsFailure(error)

    def release(self) -> None:
        """Ends TLS in this direction, and lets go of the stream below."""
        self._connection.finish()
        super().release()
        self._connection.output.close()
