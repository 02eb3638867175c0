"""Docs and gates of binary WIT packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.binary.support import Maker
from witgen import ir
from witgen.binary import BinaryError
from witgen.binary.package_docs import package_docs, with_package_docs

PACKAGE = ir.PackageId(0)


def empty() -> ir.Resolve:
    made = Maker()
    made.function(made.interface("i"), "f")
    made.world("w", {"g": ir.FunctionItem(made.function(None, "g"))})
    return made.resolve()


def test_a_package_without_docs_says_nothing() -> None:
    assert package_docs(empty(), PACKAGE) == b"\x01{}"


def test_functions_may_have_the_oldest_form() -> None:
    content = b'\0{"docs":"P","interfaces":{"i":{"funcs":{"f":"Old."}}},"worlds":{"w":{"funcs":{"g":{"docs":"New."}}}}}'
    found = with_package_docs(empty(), PACKAGE, content)
    item = found.worlds[0].imports["g"]
    assert found.packages[0].docs == "P"
    assert found.interfaces[0].functions["f"].docs == "Old."
    assert isinstance(item, ir.FunctionItem)
    assert item.function.docs == "New."


def test_names_that_are_not_there_are_passed_by() -> None:
    content = b'\1{"interfaces":{"x":{},"i":{"types":{"t":{"docs":"a"}}}},"worlds":{"y":{}}}'
    assert with_package_docs(empty(), PACKAGE, content) == empty()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\2{}",
        b"\1",
        b"\1{",
        b"\1[]",
        b"\1\xff",
        b'\1{"docs":1}',
        b'\1{"interfaces":[]}',
        b'\1{"interfaces":{"i":{"funcs":{"f":[]}}}}',
        b'\1{"interfaces":{"i":{"stability":{"stable":{}}}}}',
        b'\1{"interfaces":{"i":{"stability":"what"}}}',
        b'\1{"interfaces":{"i":{"stability":{"stable":{"since":"1.0.0) x"}}}}}',
        b'\1{"interfaces":{"i":{"stability":{"unstable":{"feature":"a b"}}}}}',
        b"\1" + b"[" * 100_000,
    ],
)
def test_other_content_is_an_error(content: bytes) -> None:
    with pytest.raises(BinaryError):
        with_package_docs(empty(), PACKAGE, content)


@pytest.mark.parametrize(
    ("version", "since", "later"),
    [
        (None, "0.0.1", True),
        ("1.0.0", "1.0.1", True),
        ("1.0.0-rc.1", "1.0.0", True),
        ("1.0.0", "1.0.0", False),
        ("1.10.0", "1.9.0", False),
    ],
)
def test_no_item_is_there_since_a_version_that_its_package_has_not_reached(
    version: str | None, since: str, later: bool
) -> None:
    resolve = empty()
    (package,) = resolve.packages
    resolve = replace(resolve, packages=(replace(package, name=replace(package.name, version=version)),))
    content = b'\1{"interfaces":{"i":{"funcs":{"f":{"stability":{"stable":{"since":"%s"}}}}}}}' % since.encode()
    if not later:
        found = with_package_docs(resolve, PACKAGE, content, 7)
        assert found.interfaces[0].functions["f"].stability.since == since
        return
    with pytest.raises(BinaryError, match=f"since.version = {since}") as caught:
        with_package_docs(resolve, PACKAGE, content, 7)
    assert caught.value.offset == 7
