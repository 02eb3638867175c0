"""The kernel shares connections out as it is told."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from runner.rollout.sharing import share_out
from runner.supervisor import listen

COUNT = 400


@pytest.fixture(params=["127.0.0.1", "::1"])
def group(request: pytest.FixtureRequest) -> Iterator[list[socket.socket]]:
    """Four sockets that listen on one address."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(item) for item in listen(request.param, 0, COUNT, 4)]


def connections(group: list[socket.socket]) -> list[int]:
    """How many of `COUNT` connections each socket gets."""
    with contextlib.ExitStack() as stack:
        for _ in range(COUNT):
            stack.enter_context(socket.create_connection(group[0].getsockname()[:2]))
        return [accepted(item) for item in group]


def accepted(item: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            item.accept()[0].close()
            count += 1
    return count


def test_all_or_nothing_is_exact(group: list[socket.socket]) -> None:
    for share, first in ((0.0, 0), (1.0, COUNT), (0.0, 0)):
        share_out(group, 2, share)
        found = connections(group)
        assert sum(found[:2]) == first
        assert sum(found) == COUNT


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_is_kept_within_chance(group: list[socket.socket], share: float) -> None:
    share_out(group, 1, share)
    found = connections(group)
    # Six standard deviations: once in half a billion runs.
    assert abs(found[0] - share * COUNT) < 6 * (share * (1 - share) * COUNT) ** 0.5
    assert min(found[1:]) > 0


def test_a_share_counts_from_the_next_connection_on_and_leaves_those_that_wait(group: list[socket.socket]) -> None:
    share_out(group, 2, 1.0)
    with socket.create_connection(group[0].getsockname()[:2]):
        share_out(group, 2, 0.0)
        with socket.create_connection(group[0].getsockname()[:2]):
            found = [accepted(item) for item in group]
    assert (sum(found[:2]), sum(found[2:])) == (1, 1)


@pytest.mark.parametrize(("first", "share"), [(0, 0.5), (4, 0.5), (1, -0.1), (1, 1.1)])
def test_shares_that_are_none_are_refused(first: int, share: float) -> None:
    with contextlib.ExitStack() as stack:
        group = [stack.enter_context(item) for item in listen("127.0.0.1", 0, 1, 4)]
        with pytest.raises(ValueError, match="no share"):
            share_out(group, first, share)
