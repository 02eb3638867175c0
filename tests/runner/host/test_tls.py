"""TLS between a component and its peer: bytes that were taken arrive, whoever waits for what."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

from runner.host import PollSet, Tls

from tests.wasi.network import peer
from witgen import wasi
from witgen.wasi.poll import Pollable, Waitable, Wants

CERTIFICATE = Path(__file__).parents[1] / "http/localhost.pem"


class Never(Waitable):
    """What a component waits for that has nothing left to write: it does not come."""

    def __init__(self) -> None:
        self._pair = socket.socketpair()

    def wants(self) -> Wants:
        return self._pair[0].fileno(), 1


def received(sock: socket.socket, count: int) -> bytes:
    """So many bytes, or what comes before the end."""
    data = b""
    while len(data) < count:
        piece = sock.recv(65536)
        if not piece:
            break
        data += piece
    return data


def test_what_was_taken_arrives_when_the_component_waits_for_something_else() -> None:
    """The peer reads only when the component has filled all that lies between them and gone on to wait."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    with peer(wasi.Sockets(connect=["127.0.0.1:*"])) as (plain, (_tcp, input, output)):
        streams: Any = Tls(server=context).server(input, output)
        sink = streams[1]
        secured: list[ssl.SSLSocket] = []
        plain.settimeout(30)

        def shake_hands() -> None:
            secured.append(trusting.wrap_socket(plain, server_hostname="localhost"))

        thread = threading.Thread(target=shake_hands)
        thread.start()
        waiting: Any = sink.subscribe()
        waiting.block()
        thread.join()
        written = 0
        while room := sink.check_write():
            sink.write(b"x" * room)
            written += room
        assert written > 1 << 16
        poll_set = PollSet()
        poll_set.add(1, Pollable(Never()))
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(received(secured[0], written)))
        reader.start()
        while reader.is_alive():
            poll_set.wait(0.05)
        assert len(got[0]) == written
        poll_set.close()
