"""What the text can't say is left out; what it must not say as it stands is escaped."""

from __future__ import annotations

import pytest

from tests.printer.support import resolved
from witgen import ir
from witgen.printer import package_text
from witgen.printer.words import comments, identifier
from witgen.resolve.docs import joined
from witgen.syntax import keywords


def printed(text: str) -> str:
    loaded = resolved(text)
    return package_text(loaded.resolve, loaded.main)


def test_a_gate_that_only_another_package_can_have_is_left_out() -> None:
    nested = "package c:d@9.0.0 { world late { @since(version = 9.0.0) import f: func(); } }"
    text = printed(f"package a:b@1.0.0; world w {{ include c:d/late@9.0.0; }} {nested}")
    own, _, other = text.partition("package c:d")
    assert "import f: func();" in own and "@since" not in own
    assert "@since(version = 9.0.0)" in other
    assert printed(text) == text


def test_items_of_packages_that_are_not_the_first_are_named_by_their_package() -> None:
    nested = "package c:d@2.0.0 { interface i { type t = u8; } interface j { use i.{t}; } }"
    text = printed(f"package a:b; interface i {{ use c:d/i@2.0.0.{{t}}; }} {nested}")
    assert "use c:d/i@2.0.0.{t};" in text
    assert "use i.{t};" in text


@pytest.mark.parametrize("word", sorted(keywords()))
def test_keywords_are_escaped(word: str) -> None:
    assert identifier(word) == f"%{word}"
    text = printed(f"package a:b; interface i {{ %{word}: func(%{word}: u8); }}")
    assert f"  %{word}: func(%{word}: u8);" in text


@pytest.mark.parametrize("word", ["since", "version", "feature", "external-id", "true", "implements"])
def test_words_that_only_look_like_keywords_are_not(word: str) -> None:
    assert identifier(word) == word


@pytest.mark.parametrize(
    "docs",
    [
        "One.",
        "One.\nTwo.",
        "One.\n\n  Two.",
        "\n * One.\n * Two.",
        "\tOne.",
        "One.  \nTwo.",
        "/* One. */",
        "/One.\nTwo.",
    ],
)
def test_documentation_is_that_of_the_comments_that_are_printed(docs: str) -> None:
    assert joined(comments(docs)) == docs


@pytest.mark.parametrize("docs", ["\n  One/", "/\n  One", "\n  /*", "\n  */"])
def test_no_block_comment_is_opened_or_closed_by_what_stands_in_it(docs: str) -> None:
    assert all(comment.startswith("///") for comment in comments(docs))


def test_blank_documentation_is_not_none() -> None:
    assert comments("") == []
    assert comments(ir.BlankDocs()) == ["///"]


def test_documentation_can_not_hold_what_no_file_may_hold() -> None:
    assert comments("a\x1b[2Jb\u202e") == ["/// a\ufffd[2Jb\ufffd"]
