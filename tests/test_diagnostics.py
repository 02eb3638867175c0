"""Errors point at their place, whatever the line looks like."""

from __future__ import annotations

from witgen.diagnostics import Diagnostic, Note, Source, Span


def render(text: str, start: int, end: int) -> list[str]:
    return Diagnostic("wrong", Span(Source("a.wit", text), start, end)).render().splitlines()


def test_a_span_is_underlined_as_a_whole() -> None:
    assert render("one\n  two three\n", 6, 9) == [
        "a.wit:2:3: error: wrong",
        "    2 |   two three",
        "      |   ^^^",
    ]


def test_the_end_of_a_text_is_a_place_too() -> None:
    assert render("abc", 3, 3)[1:] == ["    1 | abc", "      |    ^"]


def test_a_span_over_several_lines_is_cut_at_the_first() -> None:
    assert render("ab\ncd", 1, 5)[1:] == ["    1 | ab", "      |  ^"]


def test_tabs_keep_the_caret_in_place() -> None:
    assert render("\tx y", 1, 2)[1:] == ["    1 | \tx y", "      | \t^"]


def test_wide_characters_take_two_columns_of_carets() -> None:
    assert render("契约 x", 0, 2)[1:] == ["    1 | 契约 x", "      | ^^^^"]


def test_bidirectional_controls_are_shown_as_escapes() -> None:
    shown, carets = render("a\u202eb", 1, 2)[1:]
    assert shown == "    1 | a\\u{202e}b"
    assert carets == "      |  ^^^^^^^^"


def test_a_long_line_is_cut_around_the_span() -> None:
    shown, carets = render("x" * 5000 + "HERE" + "y" * 5000, 5000, 5004)[1:]
    assert len(shown) < 300
    at = carets.index("^")
    assert shown[at : at + 4] == "HERE"
    assert carets.count("^") == 4


def test_notes_follow_with_their_own_place() -> None:
    source = Source("a.wit", "one\ntwo\n")
    diagnostic = Diagnostic("twice", Span(source, 4, 7), (Note("first here", Span(source, 0, 3)), Note("did you?")))
    assert diagnostic.render().splitlines()[3:] == [
        "a.wit:1:1: note: first here",
        "    1 | one",
        "      | ^^^",
        "  note: did you?",
    ]


def test_an_error_without_a_text_names_its_file() -> None:
    assert Diagnostic("can't be read", "a.wit").render() == "a.wit: error: can't be read"


def test_names_of_files_do_no_harm_to_a_terminal() -> None:
    source = Source("a\n::error::b\x1b[2J.wit", "x")
    first, *_ = Diagnostic("wrong", Span(source, 0, 1)).render().split("\n")
    assert first == r"a\u{a}::error::b\u{1b}[2J.wit:1:1: error: wrong"
    assert Diagnostic("wrong", "a\nb").render() == r"a\u{a}b: error: wrong"


def test_a_message_does_not_quote_all_of_a_long_word() -> None:
    assert len(Diagnostic(f"`{'x' * 10**6}` is no identifier", "a.wit").render()) < 1_100
