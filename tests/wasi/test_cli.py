"""What a program is started with, and how it ends, as a guest sees it."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from tests.wasi.running import Relay
from witgen import runtime as rt
from witgen import wasi


def test_arguments_variables_and_folder_are_those_given(relay: Relay) -> None:
    system = relay.instance(
        arguments=("a", "", "ü"), environment={"A": "1", "B": ""}, working_directory="/somewhere"
    ).system
    assert system.arguments() == ["a", "", "ü"]
    assert system.environment() == [("A", "1"), ("B", "")]
    assert system.initial_cwd() == "/somewhere"


def test_nothing_is_inherited(relay: Relay) -> None:
    system = relay.instance().system
    assert (system.arguments(), system.environment(), system.initial_cwd()) == ([], [], None)
    assert system.terminals() == (False, False, False)


@pytest.mark.parametrize(("failed", "status"), [(False, 0), (True, 1)])
def test_exit_ends_the_call(relay: Relay, failed: bool, status: int) -> None:
    instance = relay.instance()
    with pytest.raises(wasi.Exit) as caught:
        instance.system.exit(failed)
    assert caught.value.status == status
    with pytest.raises(rt.InstanceUnavailable, match="Exit"):
        instance.system.now()


def test_exit_with_a_code_ends_the_call_with_it(relay: Relay) -> None:
    with pytest.raises(wasi.Exit, match="status 77") as caught:
        relay.instance().system.exit_with_code(77)
    assert caught.value.status == 77


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"arguments": "a b"}, "arguments is one string"),
        ({"arguments": ["a", b"b"]}, "arguments holds b'b'"),
        ({"environment": {"A": 1}}, "environment holds 1"),
        ({"stdin": io.StringIO()}, "stdin is a text file"),
        ({"stdout": sys.__stdout__}, "stdout is a text file"),
    ],
)
def test_what_can_not_be_given_is_refused_where_it_is_given(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wasi.Cli(**wrong)
