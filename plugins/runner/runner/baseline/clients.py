"""The clients of the baseline: one connection of HTTP/1.1, one session of FTP. They do what a scenario has users do.

What a server answers that it should not is a `Refused`; what goes wrong with a connection is an OSError or EOFError.
"""

from __future__ import annotations

import asyncio
import re
from types import TracebackType

__all__ = ["FtpSession", "HttpConnection", "Refused"]

_PASSIVE = re.compile(r"\(\|\|\|(\d+)\|\)")


class Refused(Exception):
    """The server has answered with an error, which its text says."""


class _Connected:
    """A connection that a ``with`` statement ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()

    def __enter__(self) -> _Connected:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class HttpConnection(_Connected):
    """A connection that is kept from one request to the next."""

    @classmethod
    async def open(cls, host: str, port: int) -> HttpConnection:
        """Connects."""
        return cls(*await asyncio.open_connection(host, port))

    @property
    def gone(self) -> bool:
        """Whether the server has ended the connection, as it may where nothing is asked for long."""
        return self._reader.at_eof()

    async def request(self, method: str, path: str, content: bytes = b"") -> bytes:
        """The content of the answer. Raises `Refused` for a status from 400 on, and where its length is not told."""
        head = f"{method} {path} HTTP/1.1\r\nHost: baseline\r\nContent-Length: {len(content)}\r\n\r\n"
        self._writer.write(head.encode() + content)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        bodiless = method == "HEAD" or status in (204, 304)
        if not bodiless and "content-length" not in fields:
            raise Refused(f"{lines[0]}, without content-length")
        answer = b"" if bodiless else await self._reader.readexactly(int(fields["content-length"]))
        if status >= 400:
            raise Refused(lines[0])
        return answer


class FtpSession(_Connected):
    """A control connection; files go over data connections that EPSV opens (RFC 2428)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        super().__init__(reader, writer)
        self._host = host

    @classmethod
    async def log_in(cls, host: str, port: int, user: str, password: str) -> FtpSession:
        """Connects and logs in."""
        found = cls(*await asyncio.open_connection(host, port), host)
        try:
            await found._reply(2)
            await found._command(f"USER {user}", 3)
            await found._command(f"PASS {password}", 2)
            await found._command("TYPE I", 2)
        except BaseException:
            found.close()
            raise
        return found

    async def list(self) -> bytes:
        """The listing of the current directory."""
        return await self._fetch("LIST")

    async def retr(self, name: str) -> bytes:
        """A file."""
        return await self._fetch(f"RETR {name}")

    async def stor(self, name: str, content: bytes) -> None:
        """Puts a file. When this returns, the server has acknowledged it."""
        _, writer = await self._passive()
        try:
            await self._command(f"STOR {name}", 1)
            writer.write(content)
            await writer.drain()
        finally:
            writer.close()
        await self._reply(2)

    async def quit(self) -> None:
        """Logs out."""
        await self._command("QUIT", 2)

    async def _fetch(self, command: str) -> bytes:
        reader, writer = await self._passive()
        try:
            await self._command(command, 1)
            content = await reader.read(-1)
        finally:
            writer.close()
        await self._reply(2)
        return content

    async def _passive(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        told = await self._command("EPSV", 2)
        found = _PASSIVE.search(told)
        if found is None:
            raise Refused(f"no port is in {told!r}")
        return await asyncio.open_connection(self._host, int(found[1]))

    async def _command(self, line: str, wanted: int) -> str:
        self._writer.write(line.encode() + b"\r\n")
        return await self._reply(wanted)

    async def _reply(self, wanted: int) -> str:
        """The last line of a reply, whose first digit is to be `wanted` (RFC 959, 4.2)."""
        line = await self._line()
        if line[3:4] == "-":
            code = line[:3] + " "
            while not (line := await self._line()).startswith(code):
                pass
        if not line.startswith(str(wanted)):
            raise Refused(line)
        return line

    async def _line(self) -> str:
        return (await self._reader.readuntil(b"\r\n")).decode().removesuffix("\r\n")
