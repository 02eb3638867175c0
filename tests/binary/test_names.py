"""Which names of imports and exports are names, and what they say."""

from __future__ import annotations

import pytest

from witgen.binary import BinaryError
from witgen.binary.errors import NoWorldError
from witgen.binary.model import NO_ATTRIBUTES, NameAttributes
from witgen.binary.names import check_labels, function_name, interface_name, is_plain
from witgen.ir import FunctionKind


@pytest.mark.parametrize("name", ["a", "A", "a1", "a-b", "A-b", "a-B2", "a-1", "a-1b", "HTTP-client"])
def test_a_label_has_words_in_lower_or_in_upper_case(name: str) -> None:
    assert is_plain(name)
    check_labels([name], 0)


@pytest.mark.parametrize("name", ["", "1", "1a", "aB", "Ab", "a-bC", "a-1bC", "a--b", "-a", "a-", "a_b", "ä", "a\n"])
def test_what_mixes_them_is_no_label(name: str) -> None:
    assert not is_plain(name)
    with pytest.raises(BinaryError, match="is not a name"):
        check_labels([name], 0)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("a:b/c", None),
        ("a:b/c@1.2.3", "1.2.3"),
        ("a:b/C-d@0.0.1-rc.1+build.5", "0.0.1-rc.1+build.5"),
        ("a:b/c@1", "1"),
        ("a:b/c@0.2", "0.2"),
    ],
)
def test_interfaces_have_a_package_in_lower_case_and_perhaps_a_version(name: str, version: str | None) -> None:
    assert interface_name(name, NO_ATTRIBUTES, 0).package.version == version


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "a:b",
        "A:b/c",
        "a:B/c",
        "a:b/c@",
        "a:b/c@1.2",
        "a:b/c@01.2.3",
        "a:b/c@1.2.3-",
        "a:b/c@1..2",
        "a:b/c@0q2.1",
    ],
)
def test_other_names_are_none_of_interfaces(name: str) -> None:
    with pytest.raises(BinaryError, match=r"is not the name of an interface|is not a version"):
        interface_name(name, NO_ATTRIBUTES, 0)


@pytest.mark.parametrize(
    "name", ["a:b:c/d", "a:b/c/d@1.0.0", "url=<x>", "unlocked-dep=<a:b@{>=1.0.0}>", "locked-dep=<a:b>"]
)
def test_some_names_are_of_components_but_not_of_wit(name: str) -> None:
    for read in (lambda: interface_name(name, NO_ATTRIBUTES, 0), lambda: function_name(name, 0)):
        with pytest.raises(NoWorldError, match="no world can have"):
            read()


def test_a_suffix_completes_a_version() -> None:
    name = interface_name("a:b/c@1", NameAttributes(version_suffix=".2.3"), 0)
    assert name.package.version == "1.2.3"
    with pytest.raises(BinaryError, match=r"`1\.2` is not a version"):
        interface_name("a:b/c@1", NameAttributes(version_suffix=".2"), 0)


@pytest.mark.parametrize(
    ("name", "kind", "resource"),
    [
        ("f", FunctionKind.FREESTANDING, None),
        ("[method]r.f", FunctionKind.METHOD, "r"),
        ("[static]r.f", FunctionKind.STATIC, "r"),
        ("[constructor]r", FunctionKind.CONSTRUCTOR, "r"),
    ],
)
def test_functions_say_what_they_belong_to(name: str, kind: FunctionKind, resource: str | None) -> None:
    found = function_name(name, 0)
    assert (found.kind, found.resource) == (kind, resource)


@pytest.mark.parametrize("name", ["[method]r", "[constructor]r.f", "[other]r.f", "[method]aB.f", "f.g"])
def test_other_annotations_are_none_of_functions(name: str) -> None:
    with pytest.raises(BinaryError, match="is not the name of a function"):
        function_name(name, 0)
