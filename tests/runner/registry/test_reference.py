"""Names of components in registries."""

from __future__ import annotations

import pytest
from runner.errors import RunnerError
from runner.registry.reference import is_version, parse

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("localhost:5000/app", ("localhost:5000", "app", None, None)),
        ("ghcr.io/acme/apps/http-component:1.2.3", ("ghcr.io", "acme/apps/http-component", "1.2.3", None)),
        (f"[::1]:5000/a.b__c@{DIGEST}", ("[::1]:5000", "a.b__c", None, DIGEST)),
    ],
)
def test_names_are_read(text: str, parts: tuple[str, ...]) -> None:
    found = parse(text)
    assert (found.registry, found.repository, found.tag, found.digest) == parts
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "app", "/app", "host/", "host/App", "host/a//b", "host/a:", "host/a@", "host/a@sha256:0", "host/a b"),
        *("ho st/a", "host:port/a", "user@host/a", "host/../a", "host/a:1?x", "http://host/a", f"host/a:1@{DIGEST}"),
        *("host/a:" + "1" * 129, "host/a\n", "host/a:1\n"),
    ],
)
def test_what_has_another_form_is_refused(text: str) -> None:
    with pytest.raises(RunnerError):
        parse(text)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        *(("localhost", True), ("localhost:1", True), ("127.9.0.1:1", True), ("[::1]", True), ("[::1]:1", True)),
        *(("localhost.example", False), ("10.0.0.1:1", False), ("[::2]:1", False), ("127.example", False)),
    ],
)
def test_registries_of_this_machine_are_known(host: str, is_here: bool) -> None:
    assert parse(f"{host}/app").is_loopback is is_here


@pytest.mark.parametrize("text", ["0.1.0", "1.2.3-rc.1", "1.0.0--", "10.0.0-0a"])
def test_semantic_versions_are_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+b", "latest", "1.0.0\n"])
def test_all_else_is_none(text: str) -> None:
    assert not is_version(text)
