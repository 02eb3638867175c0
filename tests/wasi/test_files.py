"""Streams of files: where they read and write, when they end, and how they fail."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.wasi.folders import FOLLOW, READ, WRITE, Code, granted, held, opened
from witgen import runtime as rt
from witgen.wasi import Filesystem
from witgen.wasi.bindings import host
from witgen.wasi.bindings.host import DescriptorFlags, OpenFlags
from witgen.wasi.io import IoError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"0123456789")
    return tmp_path


@pytest.fixture
def root(folder: Path) -> host.Descriptor:
    return granted(folder)


def test_a_stream_reads_from_its_position_to_the_end(root: host.Descriptor) -> None:
    stream = opened(root, "file").read_via_stream(3)
    assert stream.subscribe().ready()
    assert (stream.read(2), stream.blocking_read(3), stream.skip(1), stream.read(0)) == (b"34", b"567", 1, b"")
    assert stream.read(1 << 60) == b"9"
    for _ in range(2):
        with pytest.raises(host.StreamErrorException) as caught:
            stream.read(1)
        assert caught.value.value == host.StreamError_Closed()
    assert stream.subscribe().ready()


def test_a_stream_that_begins_behind_the_end_is_at_its_end(root: host.Descriptor) -> None:
    with pytest.raises(host.StreamErrorException) as caught:
        opened(root, "file").read_via_stream(1 << 50).blocking_read(1)
    assert caught.value.value == host.StreamError_Closed()


def test_streams_of_one_file_do_not_interfere(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file", "rw")
    one, two, writer, end = (
        file.read_via_stream(0),
        file.read_via_stream(5),
        file.write_via_stream(2),
        file.append_via_stream(),
    )
    assert (one.read(2), two.read(2)) == (b"01", b"56")
    writer.blocking_write_and_flush(b"XY")
    end.blocking_write_and_flush(b"!")
    writer.blocking_write_and_flush(b"Z")
    end.blocking_write_and_flush(b"?")
    assert (one.read(4), two.read(9)) == (b"XYZ5", b"789!?")
    assert (folder / "file").read_bytes() == b"01XYZ56789!?"


def test_a_stream_writes_behind_the_end_over_zeroes(folder: Path, root: host.Descriptor) -> None:
    stream = opened(root, "file", "w").write_via_stream(12)
    assert stream.check_write() > 4
    stream.write(b"ab")
    stream.write_zeroes(2)
    stream.flush()
    assert stream.check_write() > 0
    assert (folder / "file").read_bytes() == b"0123456789\0\0ab\0\0"


def test_appending_finds_the_end_wherever_it_is(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file", "w")
    stream = file.append_via_stream()
    file.set_size(2)
    stream.blocking_write_and_flush(b"a")
    with (folder / "file").open("ab") as other:
        other.write(b"other")
    stream.blocking_write_and_flush(b"b")
    assert (folder / "file").read_bytes() == b"01aotherb"


def test_a_write_needs_its_permit(root: host.Descriptor) -> None:
    stream = opened(root, "file", "w").write_via_stream(0)
    with pytest.raises(rt.Trap):
        stream.write(b"x")


def test_bytes_move_from_file_to_file(folder: Path, root: host.Descriptor) -> None:
    data = bytes(range(256)) * 3000
    (folder / "file").write_bytes(data)
    source = opened(root, "file").read_via_stream(0)
    target = opened(root, "new", "wc").write_via_stream(0)
    moved = 0
    while moved < len(data):
        moved += target.blocking_splice(source, len(data))
    assert (folder / "new").read_bytes() == data


def test_streams_live_longer_than_their_descriptor(folder: Path, root: host.Descriptor) -> None:
    before = held()
    file = opened(root, "file", "rw")
    reader, writer = file.read_via_stream(0), file.write_via_stream(0)
    close(file)
    assert held() == before + 1
    writer.blocking_write_and_flush(b"ab")
    assert reader.read(3) == b"ab2"
    close(reader)
    close(writer)
    del file, reader, writer
    assert held() == before


def close(resource: object) -> None:
    """What the runtime does when a component drops its handle."""
    resource.close()  # type: ignore[attr-defined]


def test_what_fails_is_told_once_and_closes_the_stream(root: host.Descriptor) -> None:
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        stream = opened(root, "file", "w").write_via_stream(10)
        with pytest.raises(host.StreamErrorException) as caught:
            stream.blocking_write_and_flush(b"x" * 30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    failed = caught.value.value
    assert isinstance(failed, host.StreamError_LastOperationFailed)
    assert Filesystem([]).filesystem_error_code(failed.value) is Code.FILE_TOO_LARGE
    assert opened(root, "file").stat().size == 20
    with pytest.raises(host.StreamErrorException) as caught:
        stream.check_write()
    assert caught.value.value == host.StreamError_Closed()


def test_errors_of_other_interfaces_have_no_code_for_files() -> None:
    class Other(IoError):
        """An error that another interface knows more of."""

    files = Filesystem([])
    assert files.filesystem_error_code(IoError(PermissionError(1, ""))) is Code.NOT_PERMITTED
    assert files.filesystem_error_code(Other(PermissionError(1, ""))) is None


def test_a_named_pipe_is_read_and_written_without_blocking(folder: Path, root: host.Descriptor) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(host.TypesErrorCodeException) as caught:
        opened(root, "pipe", "w")
    assert caught.value.value is Code.NO_SUCH_DEVICE
    reading = opened(root, "pipe")
    writing = opened(root, "pipe", "w")
    assert reading.get_type() is host.DescriptorType.FIFO
    reader, writer = reading.read_via_stream(0), writing.write_via_stream(0)
    assert reader.read(10) == b"" and not reader.subscribe().ready()
    writer.blocking_write_and_flush(b"hello")
    assert reader.subscribe().ready() and reader.blocking_read(10) == b"hello"
    with pytest.raises(host.TypesErrorCodeException) as caught:
        reading.read(1, 0)
    assert caught.value.value is Code.INVALID_SEEK
    pollable = writer.subscribe()
    written = 0
    while pollable.ready() and written < 1 << 24:
        size = writer.check_write()
        writer.write(bytes(size))
        written += size
    assert not pollable.ready() and written < 1 << 24
    while reader.read(1 << 20):
        pass
    assert pollable.ready()
    for resource in (pollable, writer, writing):
        close(resource)
    del pollable, writer, writing, resource
    with pytest.raises(host.StreamErrorException) as ended:
        while True:
            reader.blocking_read(1 << 20)
    assert ended.value.value == host.StreamError_Closed()


def test_a_device_is_read_and_written() -> None:
    devices = granted(Path("/dev"))
    null = devices.open_at(FOLLOW, "null", OpenFlags(0), READ | WRITE)
    null.append_via_stream().blocking_write_and_flush(b"gone")
    with pytest.raises(host.StreamErrorException) as caught:
        null.read_via_stream(0).blocking_read(1)
    assert caught.value.value == host.StreamError_Closed()
    zero = devices.open_at(FOLLOW, "zero", OpenFlags(0), READ)
    assert zero.read_via_stream(7).blocking_read(3) == b"\0\0\0"
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_nothing_is_open_that_nobody_holds(folder: Path) -> None:
    before = held()
    root = granted(folder)
    for _ in range(20):
        file = opened(root, "file", "rw")
        file.read_via_stream(0).read(4)
        file.append_via_stream().blocking_write_and_flush(b"x")
        entries = root.read_directory()
        entries.read_directory_entry()
        root.stat_at(FOLLOW, "./file")
        for path in ("file/x", "missing", "../x"):
            with pytest.raises(host.TypesErrorCodeException):
                root.open_at(FOLLOW, path, OpenFlags(0), DescriptorFlags(0))
        del file, entries
    assert held() == before + 1
    del root
    assert held() == before
