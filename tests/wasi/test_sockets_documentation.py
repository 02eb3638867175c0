"""What docs/wasi-sockets.md shows is so."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from witgen import runtime as rt
from witgen.wasi.policy import Policy

PAGE = (Path(__file__).resolve().parents[2] / "docs/wasi-sockets.md").read_text()
ROWS = re.findall(r"^\| `([^`]+:[^`]+)` \| (.+) \| (.+) \|$", PAGE, re.M)
ERRORS = re.findall(r"^connect\[0\], '(.+?)': .+$", PAGE, re.M)


def allows(rule: str, target: str) -> bool:
    protocol, _, rest = target.rpartition("://")
    address, _, port = rest.rpartition(":")
    family = socket.AF_INET6 if address.startswith("[") else socket.AF_INET
    return Policy(connect=[rule]).may_connect(
        protocol or "tcp", socket.inet_pton(family, address.strip("[]")), int(port)
    )


@pytest.mark.parametrize("rule, good, bad", ROWS, ids=[row[0] for row in ROWS])
def test_rules_allow_what_the_page_says(rule: str, good: str, bad: str) -> None:
    assert all(allows(rule, target) for target in re.findall("`(.+?)`", good))
    assert not any(allows(rule, target) for target in re.findall("`(.+?)`", bad))


@pytest.mark.parametrize("rule", ERRORS)
def test_errors_are_those_of_the_page(rule: str) -> None:
    with pytest.raises(ValueError) as caught:
        Policy(connect=[rule])
    assert str(caught.value) in PAGE.splitlines()


def test_the_example_of_the_page_runs() -> None:
    [example] = re.findall(r"^```python\n(.+?)^```$", PAGE, re.M | re.S)
    names: dict[str, object] = {}
    exec(example, names)
    assert isinstance(names["granted"], rt.Provider)


def test_the_page_has_rules_and_errors() -> None:
    assert len(ROWS) == 7
    assert len(ERRORS) == 4
