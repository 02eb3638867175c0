"""What is deep, long or large is formatted too."""

from __future__ import annotations

import pytest

from tests.fmt.support import check_laws, formatted
from witgen.diagnostics import WitError


def test_types_as_deep_as_they_may_be_are_broken() -> None:
    text = f"package a:b;\ninterface i {{ type t = {'option<' * 99}u8 // deep\n{'>' * 99}; }}\n"
    check_laws(text)
    assert max(len(line) for line in formatted(text).split("\n")) > 200
    wide = f"tuple<{'a-long-name, ' * 40}>"
    check_laws(f"package a:b;\ninterface i {{ type t = {'option<' * 98}{wide}{'>' * 98}; }}\n")


def test_packages_as_deep_as_they_may_be_are_indented() -> None:
    check_laws("package a:b { " * 100 + "interface i { resource r { f: func(); } }" + "}" * 100)


def test_comments_nested_deeper_than_any_stack_stay() -> None:
    depth = 10_000
    check_laws(f"package a:b;\ninterface i {{ {'/*' * depth}{'*/' * depth} f: func(); }}\n")


def test_a_large_list_is_laid_out_item_by_item() -> None:
    names = [f"name-{number}" for number in range(20_000)]
    text = formatted(f"package a:b;\ninterface i {{ enum e {{ {','.join(names)} }} use j.{{{','.join(names)}}}; }}\n")
    assert text.count("\n") == 1 + 1 + 1 + 20_002 + 20_002 + 1


def test_many_comments_in_one_place_stay() -> None:
    comments = "".join(f"// {number}\n" for number in range(20_000))
    assert formatted(f"package a:b; {comments} interface i {{}}").count("\n// ") == 19_999


def test_a_word_longer_than_a_line_stays_on_its_line() -> None:
    name = "x" * 300
    assert formatted(f"package a:b;\ninterface i {{ type {name} = u8; }}") == (
        f"package a:b;\n\ninterface i {{\n  type {name} = u8;\n}}\n"
    )
    gate = f"@unstable(feature = {name})"
    assert f"\n{gate}\ninterface i {{}}\n" in formatted(f"package a:b; {gate} interface i {{}}")


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff", "\ufeff\r\n"])
def test_what_holds_nothing_becomes_empty(text: str) -> None:
    assert formatted(text) == ""


@pytest.mark.parametrize("text", ["package a:b", "package a:b; interface i { f: func() }", "/*", "package a:b@1.0;"])
def test_what_is_no_wit_is_refused(text: str) -> None:
    with pytest.raises(WitError, match="error: "):
        formatted(text)
