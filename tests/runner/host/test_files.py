"""Streams over files: what is in them arrives, whatever the disk and the other side do."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from runner.host.files import FetchedSource, FileSink, FileSource
from runner.host.sockets import RunnerSockets

from witgen.wasi.bindings import host
from witgen.wasi.io import InputStream, OutputStream
from witgen.wasi.network import to_wasi
from witgen.wasi.poll import wait

SIZES = [0, 1, 65536, 262_144, 262_145, 5_000_000]


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def streams() -> Iterator[tuple[InputStream, OutputStream, socket.socket]]:
    """The streams of a connection as components have them, and its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sockets = RunnerSockets([listening])
        own = sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
        own.start_bind(sockets.instance_network(), to_wasi(listening.getsockname()))
        own.finish_bind()
        own.start_listen()
        own.finish_listen()
        with socket.create_connection(listening.getsockname(), 30) as peer:
            own.subscribe().block()
            _, incoming, outgoing = own.accept()
            assert isinstance(incoming, InputStream) and isinstance(outgoing, OutputStream)
            yield incoming, outgoing, peer


def data_of(size: int) -> bytes:
    return hashlib.shake_128(b"file").digest(size)


def opened(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


def pass_all(source: InputStream, outgoing: OutputStream) -> int:
    """Splices as a component does, waiting for the side that has nothing; gives how many bytes went."""
    count = 0
    while True:
        try:
            moved = outgoing.splice(source, 1 << 20)
        except host.StreamErrorException as error:
            assert isinstance(error.value, host.StreamError_Closed)
            outgoing.close()
            return count
        count += moved
        if not moved:
            wait([source if outgoing.check_write() else outgoing])


def reading(peer: socket.socket) -> Callable[[], bytes]:
    """What comes, until the end."""
    found = bytearray()

    def read() -> None:
        while data := peer.recv(1 << 16):
            found.extend(data)

    thread = threading.Thread(target=read)
    thread.start()

    def result() -> bytes:
        thread.join(30)
        return bytes(found)

    return result


@pytest.mark.parametrize("size", SIZES)
def test_a_file_goes_to_a_socket(
    size: int,
    tmp_path: Path,
    pool: ThreadPoolExecutor,
    streams: tuple[InputStream, OutputStream, socket.socket],
) -> None:
    incoming, outgoing, peer = streams
    result = reading(peer)
    source = FileSource(opened(tmp_path / "a", b"before" + data_of(size)), 6, size, pool.submit)
    assert pass_all(source, outgoing) == size
    incoming.close()
    assert result() == data_of(size)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_read(size: int, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    source = FileSource(opened(tmp_path / "a", data_of(size)), 0, size, pool.submit)
    found = bytearray()
    with pytest.raises(host.StreamErrorException):
        while True:
            found += source.blocking_read(100_000)
    assert found == data_of(size)


def test_a_file_that_is_not_in_memory_is_fetched_by_a_thread(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    data = data_of(20_000_000)
    descriptor = opened(tmp_path / "a", data)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    source = FileSource(descriptor, 0, len(data), pool.submit)
    found = bytearray()
    while len(found) < len(data):
        piece = source.read(65536)
        if not piece:
            wait([source])
        found += piece
    assert found == data


def test_a_file_that_becomes_shorter_is_a_failure_and_not_the_end(
    tmp_path: Path, pool: ThreadPoolExecutor, streams: tuple[InputStream, OutputStream, socket.socket]
) -> None:
    _, outgoing, _ = streams
    source = FileSource(opened(tmp_path / "a", b"abcdef"), 0, 6, pool.submit)
    os.truncate(tmp_path / "a", 0)
    with pytest.raises(host.StreamErrorException) as caught:
        outgoing.splice(source, 100)
    assert isinstance(caught.value.value, host.StreamError_LastOperationFailed)


def test_a_socket_that_is_full_is_said_to_have_no_room(
    tmp_path: Path, pool: ThreadPoolExecutor, streams: tuple[InputStream, OutputStream, socket.socket]
) -> None:
    _, outgoing, peer = streams
    data = data_of(30_000_000)
    source = FileSource(opened(tmp_path / "a", data), 0, len(data), pool.submit)
    while outgoing.splice(source, 1 << 20):
        pass
    assert outgoing.check_write() == 0
    assert not outgoing.subscribe().ready()
    result = reading(peer)
    wait([outgoing])
    assert outgoing.check_write() > 0
    peer.shutdown(socket.SHUT_RDWR)
    result()


@pytest.mark.parametrize("size", SIZES)
def test_what_comes_from_a_socket_is_written(
    size: int, pool: ThreadPoolExecutor, streams: tuple[InputStream, OutputStream, socket.socket]
) -> None:
    incoming, _, peer = streams
    written = io.BytesIO()
    sink = FileSink(written.writelines, pool.submit)

    def send() -> None:
        peer.sendall(data_of(size))
        peer.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    count = 0
    while True:
        try:
            moved = sink.splice(incoming, 1 << 20)
        except host.StreamErrorException as error:
            assert isinstance(error.value, host.StreamError_Closed)
            break
        count += moved
        if not moved:
            wait([incoming if sink.check_write() else sink])
    sink.close()
    sink.settle()
    thread.join()
    assert count == size
    assert written.getvalue() == data_of(size)


def test_a_sink_takes_no_more_than_a_slow_disk_writes(pool: ThreadPoolExecutor) -> None:
    go_on = threading.Event()
    written: list[int] = []

    def write(pieces: list[bytes]) -> None:
        go_on.wait(30)
        written.append(sum(map(len, pieces)))

    sink = FileSink(write, pool.submit)
    count = 0
    while room := sink.check_write():
        sink.write(bytes(min(room, 65536)))
        count += min(room, 65536)
    assert count <= 1 << 20
    assert not sink.subscribe().ready()
    go_on.set()
    wait([sink])
    sink.settle()
    assert sum(written) == count


def test_a_disk_that_is_full_is_told_to_the_component_and_to_the_host(pool: ThreadPoolExecutor) -> None:
    def write(pieces: list[bytes]) -> None:
        raise OSError(errno.ENOSPC, "full")

    sink = FileSink(write, pool.submit)
    with pytest.raises(host.StreamErrorException) as caught:
        while True:
            sink.write(bytes(min(sink.check_write(), 65536)))
            wait([sink])
    assert isinstance(caught.value.value, host.StreamError_LastOperationFailed)
    with pytest.raises(OSError, match="full"):
        sink.settle()


def test_an_abandoned_sink_writes_no_more(pool: ThreadPoolExecutor) -> None:
    written: list[bytes] = []
    sink = FileSink(written.extend, pool.submit)
    sink.check_write()
    sink.write(b"a part")
    sink.abandon()
    assert written == []


@pytest.mark.parametrize("size", SIZES)
def test_what_has_no_descriptor_is_read_ahead_by_threads(size: int, pool: ThreadPoolExecutor) -> None:
    source = FetchedSource(io.BytesIO(data_of(size)).read, pool.submit)
    found = bytearray()
    with pytest.raises(host.StreamErrorException) as caught:
        while True:
            found += source.blocking_read(50_000)
            assert source.held <= 1 << 20
    assert isinstance(caught.value.value, host.StreamError_Closed)
    assert found == data_of(size)


def test_a_storage_that_fails_is_a_failure_of_its_stream(pool: ThreadPoolExecutor) -> None:
    def read(size: int) -> bytes:
        raise OSError(errno.EIO, "gone")

    source = FetchedSource(read, pool.submit)
    with pytest.raises(host.StreamErrorException) as caught:
        source.blocking_read(10)
    assert isinstance(caught.value.value, host.StreamError_LastOperationFailed)
