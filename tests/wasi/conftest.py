"""Guests of the tests of WASI, built once."""

from __future__ import annotations

import pytest

from tests.wasi.network_program import NetworkProgram
from tests.wasi.running import Program, Relay
from tests.wasi.support import build_program, build_relay
from witgen import runtime as rt


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program that does what its first argument says."""
    return Program(build_program("program", tmp_path_factory.mktemp("program")))


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Relay:
    """The guest that passes calls on."""
    component, adapter = build_relay("relay", tmp_path_factory.mktemp("relay"))
    return Relay(rt.Component.from_file(component), adapter)


@pytest.fixture(scope="session")
def network_program(tmp_path_factory: pytest.TempPathFactory) -> NetworkProgram:
    """The program that uses the network as its first argument says."""
    return NetworkProgram(build_program("network", tmp_path_factory.mktemp("network")))
