"""What is told once, of whom, and what is not told at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.breaking.support import changes
from witgen.breaking.difference import Difference

HEAD = "package shop:stock@1.0.0;\n"


def differences(before: str, after: str, folder: Path) -> list[Difference]:
    return [d for change in changes(HEAD + before, HEAD + after, folder) for d in change.differences]


def told(before: str, after: str, folder: Path) -> list[str]:
    return [difference.rule.id for difference in differences(before, after, folder)]


def inside(text: str) -> str:
    return f"interface store {{ {text} }}"


def test_a_change_of_a_type_is_told_where_it_is_defined_and_nowhere_else(tmp_path: Path) -> None:
    text = (
        "interface types {{ record item {{ id: {} }} type items = list<item>; }}\n"
        "interface store {{ use types.{{item, items}}; get: func() -> items; put: func(item: option<item>); }}\n"
        "world shop {{ export store; }}"
    )
    (difference,) = differences(text.format("u32"), text.format("u64"), tmp_path)
    assert difference.rule.id == "field-type-changed"
    assert difference.place == ("interface", "types", "type", "item", "part", "id")
    assert difference.message == "field `id` of record `item` was `u32`, is `u64`"


def test_a_change_of_an_alias_is_told_at_the_alias(tmp_path: Path) -> None:
    text = "type key = {}; get: func(key: key) -> list<key>; type keys = tuple<key, key>; put: func(k: keys);"
    assert told(inside(text.format("u32")), inside(text.format("u64")), tmp_path) == ["type-target-changed"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("type key = u32; get: func(key: key);", "type key = u32; get: func(key: u32);"),
        ("type a = u32; type b = a; get: func(b: b);", "type a = u32; type b = u32; get: func(b: b);"),
        ("resource shelf; put: func(s: shelf);", "resource shelf; put: func(s: own<shelf>);"),
        ("/// Docs.\n get: func();", "get: func(); // none\n"),
        ("a: func(); b: func(); type t = u8;", "type t = u8; b: func(); a: func();"),
    ],
)
def test_another_way_to_say_the_same_is_no_difference(tmp_path: Path, before: str, after: str) -> None:
    assert told(inside(before), inside(after), tmp_path) == []


def test_a_type_that_has_moved_to_another_interface_is_the_same(tmp_path: Path) -> None:
    before = "interface types { } interface store { record item { id: u32 } get: func() -> item; }"
    after = "interface types { record item { id: u32 } } interface store { use types.{item}; get: func() -> item; }"
    assert told(before, after, tmp_path) == ["type-added"]


def test_a_type_that_has_moved_and_changed_is_told_part_by_part(tmp_path: Path) -> None:
    before = "interface types { } interface store { record item { id: u32 } get: func() -> item; }"
    after = "interface types { record item { id: u8 } } interface store { use types.{item}; get: func() -> item; }"
    assert set(told(before, after, tmp_path)) == {"type-added", "field-type-changed"}


def test_the_functions_of_a_resource_that_is_gone_are_not_told(tmp_path: Path) -> None:
    before = "resource shelf { constructor(); size: func() -> u32; } get: func();"
    assert told(inside(before), inside("get: func();"), tmp_path) == ["type-removed"]
    assert told(inside("get: func();"), inside(before), tmp_path) == ["resource-added"]


def test_methods_of_a_world_are_told_with_their_resource(tmp_path: Path) -> None:
    before, after = "world w { resource shelf { size: func(); } }", "world w { }"
    assert told(before, after, tmp_path) == ["type-removed"]
    assert told(after, before, tmp_path) == ["resource-added"]


def test_interfaces_inside_worlds_are_compared(tmp_path: Path) -> None:
    text = "world w {{ import log: interface {{ say: func({}); }} export log: interface {{ say: func({}); }} }}"
    found = differences(text.format("", ""), text.format("x: u8", "y: u8"), tmp_path)
    assert [(d.rule.id, d.place[:4]) for d in found] == [
        ("parameter-added", ("world", "w", "import", "log")),
        ("parameter-added", ("world", "w", "export", "log")),
    ]


def test_direction_decides_whether_a_new_function_breaks(tmp_path: Path) -> None:
    text = "world w {{ {} log: interface {{ say: func(); {} }} }}"
    for direction, rule in (("import", "function-added"), ("export", "exported-function-added")):
        assert told(text.format(direction, ""), text.format(direction, "sing: func();"), tmp_path) == [rule]


def test_an_import_that_something_implies_counts_as_import(tmp_path: Path) -> None:
    text = "interface types {{ type t = u8; }} interface store {{ {} }} world w {{ export store; }}"
    assert told(text.format(""), text.format("use types.{t};"), tmp_path) == ["exported-type-added", "import-added"]


def test_who_sends_or_receives_a_type_is_worked_out(tmp_path: Path) -> None:
    text = "enum state {{ full{0} }} record item {{ id: u32{1} }} get: func() -> item; set: func(state: state);"
    found = differences(inside(text.format("", "")), inside(text.format(", empty", ", name: string")), tmp_path)
    by_rule = {d.rule.id: (d.implementers, d.callers) for d in found}
    # Implementers receive states, which they have to be ready for, and make items, for which they need the new field.
    assert by_rule == {"case-added": (True, False), "field-added": (True, False)}


def test_a_method_that_has_become_static_says_so(tmp_path: Path) -> None:
    before, after = "resource r { m: func(); }", "resource r { m: static func(); }"
    (difference,) = differences(inside(before), inside(after), tmp_path)
    assert difference.message == "method `r.m` is a static function `r.m` now"


def test_a_feature_that_is_off_is_named(tmp_path: Path) -> None:
    for before, after in (
        ("interface a { }", "@unstable(feature = late) interface a { }"),
        ("world a { }", "@unstable(feature = late) world a { }"),
        (inside("type t = u8;"), inside("@unstable(feature = late) type t = u8;")),
    ):
        (difference,) = differences(before, after, tmp_path)
        assert difference.rule.id == "made-unstable" and "`late`" in difference.message


def test_what_is_behind_a_feature_may_change(tmp_path: Path) -> None:
    text = inside("@unstable(feature = f) get: func({}); put: func();")
    assert told(text.replace("{}", ""), text.replace("{}", "x: u8"), tmp_path) == []


def test_the_version_of_another_package_is_told_once_for_a_world(tmp_path: Path) -> None:
    text = (
        "package other:log@{0} {{ interface a {{ }} interface b {{ }} }}\n"
        "world w {{ import other:log/a@{0}; import other:log/b@{0}; export other:log/a@{0}; }}\n"
    )
    assert told(text.format("1.0.0"), text.format("1.0.1"), tmp_path) == [
        "import-version-raised",
        "export-version-raised",
    ]


def test_several_versions_of_a_package_are_told_apart(tmp_path: Path) -> None:
    one, two = (f"package other:log@{version}.0.0 {{ interface log {{ say: func(); }} }}" for version in (1, 2))
    found = changes(HEAD + one, HEAD + one + two, tmp_path)
    assert [(str(c.old), str(c.new)) for c in found if c.differences] == [("None", "other:log@2.0.0")]


def test_types_built_of_each_other_ten_thousand_times_are_compared(tmp_path: Path) -> None:
    def chain(first: str) -> str:
        types = "".join(f"type t{n + 1} = list<t{n}>;\n" for n in range(10_000))
        return inside(f"type t0 = {first};\n{types} f: func(x: t10000);")

    assert told(chain("u8"), chain("u16"), tmp_path) == ["type-target-changed"]


def test_a_thousand_parts_that_changed_are_told_one_by_one(tmp_path: Path) -> None:
    before, after = ("; ".join(f"get-{n}: func(x: {t})" for n in range(1_000)) + ";" for t in ("u8", "u16"))
    assert told(inside(before), inside(after), tmp_path) == ["parameter-type-changed"] * 1_000
