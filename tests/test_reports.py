"""Reports for machines say what the text says: each error, its place, its notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from witgen.diagnostics import Diagnostic, Note, Source, Span
from witgen.reports import FORMATS, render

TEXT = "package a:b;\ninterface 界 {\n}\n"
SOURCE = Source("some folder/a.wit", TEXT)
DIAGNOSTIC = Diagnostic(
    "100% wrong",
    Span(SOURCE, 23, 24),
    (Note("did you mean `b`?"), Note("first defined here", Span(SOURCE, 8, 11))),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports speak of files that are there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some folder").mkdir()
    (tmp_path / SOURCE.path).write_text(TEXT)


def test_the_text_is_that_of_the_diagnostics() -> None:
    assert render("text", [DIAGNOSTIC, DIAGNOSTIC]) == f"{DIAGNOSTIC.render()}\n{DIAGNOSTIC.render()}"


def test_json_has_places_in_code_points_and_the_notes() -> None:
    assert json.loads(render("json", [DIAGNOSTIC])) == {
        "diagnostics": [
            {
                "severity": "error",
                "message": "100% wrong",
                "path": "some folder/a.wit",
                "line": 2,
                "column": 11,
                "end_line": 2,
                "end_column": 12,
                "notes": [
                    {"message": "did you mean `b`?"},
                    {
                        "message": "first defined here",
                        "path": "some folder/a.wit",
                        "line": 1,
                        "column": 9,
                        "end_line": 1,
                        "end_column": 12,
                    },
                ],
            }
        ]
    }


def test_an_annotation_is_one_line_with_all_in_it_escaped() -> None:
    assert render("github", [DIAGNOSTIC]) == (
        "::error title=witgen,file=some folder/a.wit,line=2,col=11,endColumn=12::100%25 wrong"
        "%0Anote: did you mean `b`?%0Asome folder/a.wit:1:9: note: first defined here"
    )


def test_an_annotation_over_several_lines_ends_on_a_line() -> None:
    assert "line=1,col=1,endLine=3:" in render("github", [Diagnostic("x", Span(SOURCE, 0, 28))])


def test_sarif_has_a_result_with_its_related_places() -> None:
    document = json.loads(render("sarif", [DIAGNOSTIC]))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    assert result["message"]["text"] == "100% wrong\nnote: did you mean `b`?"
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "some%20folder/a.wit"},
        "region": {"startLine": 2, "startColumn": 11, "endLine": 2, "endColumn": 12},
    }
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "first defined here"
    assert related["physicalLocation"]["region"]["startLine"] == 1


def test_an_error_without_a_file_says_in_its_message_whose_it_is() -> None:
    diagnostic = Diagnostic("there is no package `x:y`", "world")
    assert render("github", [diagnostic]) == "::error title=witgen::world: there is no package `x:y`"
    (result,) = json.loads(render("sarif", [diagnostic]))["runs"][0]["results"]
    assert result["locations"] == []
    assert result["message"]["text"].startswith("world: ")


def test_what_was_read_from_stdin_is_no_file() -> None:
    diagnostic = Diagnostic("wrong", Span(Source("<stdin>", TEXT), 0, 7))
    assert render("github", [diagnostic]) == "::error title=witgen::<stdin>:1:1: wrong"
    (result,) = json.loads(render("sarif", [diagnostic]))["runs"][0]["results"]
    assert result["locations"] == []
    assert result["message"]["text"] == "<stdin>:1:1: wrong"


def test_an_error_of_a_whole_file_has_the_file_as_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.wasm"
    path.touch()
    diagnostic = Diagnostic("is no component", str(path))
    assert render("github", [diagnostic]) == f"::error title=witgen,file={path}::is no component"
    (result,) = json.loads(render("sarif", [diagnostic]))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path.as_uri()


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_report_on_nothing_is_a_document_all_the_same(form: str) -> None:
    assert json.loads(render(form, []))
    assert set(FORMATS) == {"text", "json", "github", "sarif"}
