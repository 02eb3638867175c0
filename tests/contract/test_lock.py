"""The lock: what it says, and how a difference is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from witgen.contract import lock as verbs
from witgen.contract.digest import FORM
from witgen.contract.unchanged import Subject, find_subject
from witgen.diagnostics import WitError

CONTRACT = """
package demo:geometry@1.2.0;

interface shapes {
    record point { x: f64, y: f64 }
    type path = list<point>;
    resource canvas {
        constructor(name: string);
        draw: func(path: path);
    }
    area: func(path: path) -> f64;
}

interface empty {}

world plotter {
    use shapes.{point};
    import shapes;
    import console: interface { log: func(text: string); }
    import now: func() -> u64;
    export plot: func(at: point);
}
"""
INTERFACE = "demo:geometry/shapes@1.2.0"
WORLD = "demo:geometry/plotter@1.2.0"


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A contract with a lock that agrees with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wit").write_text(CONTRACT)
    subject = find_subject((Path("a.wit"),), None)
    assert verbs.write(subject)
    verbs.check(subject)
    return subject


def refusal(subject: Subject) -> list[str]:
    with pytest.raises(WitError) as caught:
        verbs.check(subject)
    return str(caught.value).splitlines()


def messages(subject: Subject) -> list[str]:
    """What is said of each difference, without the place."""
    return [line.partition(": error: ")[2] for line in refusal(subject) if ": error: " in line]


def change(old: str, new: str) -> None:
    text = Path("a.wit").read_text()
    assert old in text
    Path("a.wit").write_text(text.replace(old, new))


def test_it_holds_the_digest_of_everything(subject: Subject) -> None:
    data = tomllib.loads(Path("wit.lock").read_text())
    assert (data["version"], data["form"]) == (1, FORM)
    package = data["package"]["demo:geometry@1.2.0"]
    assert package["interface"].keys() == {"shapes", "empty"}
    shapes = package["interface"]["shapes"]
    assert shapes["function"].keys() == {"area", "[constructor]canvas", "[method]canvas.draw"}
    assert shapes["type"].keys() == {"canvas", "path", "point"}
    assert shapes["type"]["path"] == f"list<{shapes['type']['point']}>"
    plotter = package["world"]["plotter"]
    assert plotter["import"].keys() == {"console", "console#log", "now", INTERFACE}
    assert plotter["import"][INTERFACE] == shapes["digest"]
    assert plotter["export"].keys() == {"plot"}
    assert plotter["type"] == {"point": shapes["type"]["point"]}


def test_it_is_written_once_and_then_left_alone(subject: Subject) -> None:
    assert not verbs.write(subject)
    change("x: f64", "x: f32")
    assert verbs.write(subject)


def test_what_no_caller_can_notice_is_no_difference(subject: Subject) -> None:
    change("interface empty {}", "/// Nothing.\ninterface   empty { }")
    verbs.check(subject)
    assert not verbs.write(subject)


def test_another_layout_of_the_lock_is_no_difference(subject: Subject) -> None:
    text = Path("wit.lock").read_text()
    Path("wit.lock").write_text("# A remark.\r\n" + text.replace("\n", "\r\n").replace(" = ", "="))
    verbs.check(subject)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("-> f64", "-> f32", [f"function `area` of interface `{INTERFACE}` has changed"]),
        ("draw:", "paint:", [
            f"function `[method]canvas.draw` of interface `{INTERFACE}` is in the lock, but is gone",
            f"function `[method]canvas.paint` of interface `{INTERFACE}` is not in the lock",
        ]),
        ("interface empty {}", "interface none {}", [
            "interface `demo:geometry/empty@1.2.0` is in the lock, but is gone",
            "interface `demo:geometry/none@1.2.0` is not in the lock",
        ]),
        ("log: func(text", "log: func(line", [f"import `console#log` of world `{WORLD}` has changed"]),
        ("log: func(text: string);", "", [f"import `console#log` of world `{WORLD}` is in the lock, but is gone"]),
        ("import now: func() -> u64;", "", [f"import `now` of world `{WORLD}` is in the lock, but is gone"]),
        ("plot: func(at", "plot: async func(at", [f"export `plot` of world `{WORLD}` has changed"]),
        ("import console: interface { log: func(text: string); }", "", [
            f"import `console` of world `{WORLD}` is in the lock, but is gone"
        ]),
        ("world plotter", "world printer", [
            f"world `{WORLD}` is in the lock, but is gone",
            "world `demo:geometry/printer@1.2.0` is not in the lock",
        ]),
        ("@1.2.0", "@1.3.0", [
            "package `demo:geometry@1.2.0` is in the lock, but is gone",
            "package `demo:geometry@1.3.0` is not in the lock",
        ]),
        ("use shapes.{point};", "use shapes.{point}; type length = f64;", [
            f"type `length` of world `{WORLD}` is not in the lock"
        ]),
    ],
)  # fmt: skip
def test_a_difference_is_named_once_and_where_it_is(subject: Subject, old: str, new: str, expected: list[str]) -> None:
    change(old, new)
    # A world that has an interface with another digest has changed too.
    follows = f"import `{INTERFACE}` of world `{WORLD}` has changed"
    assert [message for message in messages(subject) if message != follows] == expected


def test_a_type_reaches_all_that_use_it(subject: Subject) -> None:
    change("x: f64", "x: f32")
    assert messages(subject) == [
        f"function `[method]canvas.draw` of interface `{INTERFACE}` has changed",
        f"function `area` of interface `{INTERFACE}` has changed",
        f"type `path` of interface `{INTERFACE}` has changed",
        f"type `point` of interface `{INTERFACE}` has changed",
        f"export `plot` of world `{WORLD}` has changed",
        f"import `{INTERFACE}` of world `{WORLD}` has changed",
        f"type `point` of world `{WORLD}` has changed",
    ]


def test_a_difference_has_the_line_in_the_lock(subject: Subject) -> None:
    change("-> f64", "-> f32")
    lines = Path("wit.lock").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("function.area = "))
    found = refusal(subject)
    assert found[0].startswith(f"wit.lock:{line}:1: error: function `area`")
    assert lines[line - 1] in found[1]
    assert found[-1] == "  note: if all this is meant, run `witgen hash --write`"


def test_what_is_new_has_the_line_of_what_it_is_in(subject: Subject) -> None:
    change("interface empty {}", "interface empty { f: func(); }")
    lines = Path("wit.lock").read_text().splitlines()
    line = 1 + lines.index('[package."demo:geometry@1.2.0".interface.empty]')
    assert refusal(subject)[0].startswith(f"wit.lock:{line}:1: error: function `f` of interface")


def test_a_digest_that_nothing_explains_is_named_too(subject: Subject) -> None:
    text = Path("wit.lock").read_text()
    empty = tomllib.loads(text)["package"]["demo:geometry@1.2.0"]["interface"]["empty"]["digest"]
    Path("wit.lock").write_text(text.replace(empty, "0" * 64))
    assert messages(subject) == ["interface `demo:geometry/empty@1.2.0` has changed"]


def test_a_type_that_is_long_when_it_is_spelled_out_has_a_short_line(subject: Subject) -> None:
    pairs = " ".join(f"type t{number} = tuple<t{number - 1}, t{number - 1}>;" for number in range(1, 16))
    change("interface empty {}", f"interface empty {{ type t0 = u8; {pairs} }}")
    verbs.write(subject)
    assert max(map(len, Path("wit.lock").read_text().splitlines())) < 250
    change("t0 = u8", "t0 = u16")
    assert "type `t15` of interface `demo:geometry/empty@1.2.0` has changed" in messages(subject)


def test_many_differences_end_after_a_hundred(subject: Subject) -> None:
    functions = " ".join(f"call{number}: func();" for number in range(150))
    change("interface empty {}", f"interface empty {{ {functions} }}")
    assert len(messages(subject)) == 100
    assert "there are 50 more differences" in "\n".join(refusal(subject))


def test_no_lock_is_an_error_with_a_way_out(subject: Subject) -> None:
    Path("wit.lock").unlink()
    assert refusal(subject) == [
        "wit.lock: error: there is no lock yet",
        "  note: run `witgen hash --write` to make one",
    ]


def test_a_merge_that_is_not_done_is_named_with_its_line_and_can_be_written_over(subject: Subject) -> None:
    text = Path("wit.lock").read_text()
    head = "\n[package"
    Path("wit.lock").write_text(text.replace(head, f"\n<<<<<<< ours\n=======\n>>>>>>> theirs{head}", 1))
    assert refusal(subject)[0].startswith("wit.lock:5:1: error: two branches were merged here")
    assert verbs.write(subject)
    assert Path("wit.lock").read_text() == text


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("version = 1", "version = 2", "2:11", "has version 2; this witgen knows 1"),
        (f'"{FORM}"', '"wit-digest/9"', "3:9", f"has form wit-digest/9; this witgen knows {FORM}"),
    ],
)
def test_a_lock_of_another_witgen_is_neither_read_nor_written_over(
    subject: Subject, old: str, new: str, place: str, says: str
) -> None:
    text = Path("wit.lock").read_text().replace(old, new, 1)
    Path("wit.lock").write_text(text)
    change("x: f64", "x: f32")
    assert refusal(subject)[0] == f"wit.lock:{place}: error: the lock {says}"
    with pytest.raises(WitError, match="this witgen knows"):
        verbs.write(subject)
    assert Path("wit.lock").read_text() == text


def test_a_file_that_is_no_lock_is_not_written_over(subject: Subject) -> None:
    Path("other.toml").write_text("[project]\n")
    other = subject._replace(lock=str(Path("other.toml").absolute()))
    with pytest.raises(WitError, match="no lock of witgen"):
        verbs.write(other)
    assert refusal(other)[0].startswith("other.toml: error: this is no lock of witgen")
    assert Path("other.toml").read_text() == "[project]\n"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("[package", "error: expected"),
        ("package = 3", "`package` has no place in a lock"),
        ('[package."a:b"]\ninterface = 3', "`interface` has no place in a lock"),
        ('[package."a:b".interface.i]\ndigest = 3', "`digest` has no place in a lock"),
        ('[package."a:b".interface.i]\nfunction.f = 3', "`f` has no place in a lock"),
        ('[package."a:b".interface.i]\nimport.f = "x"', "`import` of interface `i` has no place in a lock"),
        ('[package."a:b".component.c]', "`component` of package `a:b` has no place in a lock"),
        ("x = " + "[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_lock_is_refused(subject: Subject, more: str, says: str) -> None:
    Path("wit.lock").write_text(f'version = 1\nform = "{FORM}"\n{more}\n')
    found = refusal(subject)
    assert found[0].startswith("wit.lock:")
    assert says in found[0]


def test_bytes_that_are_not_text_are_refused(subject: Subject) -> None:
    Path("wit.lock").write_bytes(b"\xff")
    assert "is not UTF-8" in refusal(subject)[0]


def test_contracts_may_have_parts_of_a_package_but_not_different_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lib = "package a:lib;\ninterface i { f: func(); }\n"
    for name, text in (("one", lib), ("two", lib + "interface j { f: func(); }\n")):
        (tmp_path / name / "deps").mkdir(parents=True)
        (tmp_path / name / "main.wit").write_text(f"package a:{name};\nworld w {{ import a:lib/i; }}\n")
        (tmp_path / name / "deps/lib.wit").write_text(text)
    (tmp_path / "witgen.toml").write_text('[contract.one]\nroots = ["one"]\n[contract.two]\nroots = ["two"]\n')
    subject = find_subject((), None)
    assert verbs.write(subject)
    assert tomllib.loads((tmp_path / "wit.lock").read_text())["package"]["a:lib"]["interface"].keys() == {"i", "j"}
    (tmp_path / "two/deps/lib.wit").write_text(lib.replace("f: func()", "f: func() -> u8"))
    found, *_ = refusal(subject)
    assert found == f"{tmp_path / 'two'}: error: interface `a:lib/i` is another here than in the contracts before"
