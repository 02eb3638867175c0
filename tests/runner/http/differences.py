"""Where uvicorn answers a raw request otherwise than the component: one row a reason, with its cases.

What is not in a row here comes out of uvicorn as it comes out of the component. The table of
``docs/http-component.md`` is made from these rows: ``python -m tests.runner.http.differences`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.runner.http.cases import CASES
from tests.runner.http.peers import Parser, Verdict

__all__ = ["DIFFERENCES", "Difference", "expected", "table"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What uvicorn does with some cases, with either of its parsers, and why."""

    why: str
    h11: Verdict
    httptools: Verdict
    cases: tuple[str, ...]


DIFFERENCES = [
    Difference(
        "uvicorn leaves Host to the application",
        "accepts",
        "accepts",
        (
            "a path in Host",
            "a list in Host",
            "user information in Host",
            "a Host that is none beside an absolute form",
            "a port in Host that is no number",
            "a negative port in Host",
            "a space in Host",
            "a query in Host",
            "a fragment in Host",
            "a backslash in Host",
            "a byte beyond ASCII in Host",
            "an address in Host without its bracket",
            "an address in Host without brackets",
            "a URI in Host",
        ),
    ),
    Difference(
        "httptools does not count Hosts (RFC 9112, 3.2: 400)",
        "as here",
        "accepts",
        ("no Host", "two Hosts", "two Hosts with HTTP/1.0", "no Host with an absolute form"),
    ),
    Difference(
        "the form of a target is left to the application",
        "accepts",
        "accepts",
        (
            "asterisk form with GET",
            "a fragment",
            "a target with angle brackets",
            "user information",
            "another scheme",
        ),
    ),
    Difference(
        "h11 passes on what is none of the four forms",
        "accepts",
        "as here",
        (
            "authority form with GET",
            "absolute form without a host",
            "a target without a slash",
            "a malformed port",
        ),
    ),
    Difference(
        "the application gets URI or path, and Host (RFC 9112, 3.2.2)",
        "reads otherwise",
        "reads otherwise",
        ("absolute form",),
    ),
    Difference(
        "httptools demands a path in absolute form",
        "reads otherwise",
        "refuses",
        (
            "absolute form without a path",
            "absolute form with a query alone",
            "absolute form for the server as a whole",
        ),
    ),
    Difference("ASGI has no word for an empty query", "reads otherwise", "reads otherwise", ("empty query",)),
    Difference(
        "httptools has a list of methods",
        "as here",
        "refuses",
        (
            "a method that nobody knows",
            "a method in small letters is another one",
            "a method of all that a token may have",
        ),
    ),
    Difference(
        "httptools takes more than one space",
        "as here",
        "accepts",
        ("two spaces after the method", "two spaces before the version"),
    ),
    Difference("httptools speaks HTTP/0.9", "as here", "accepts", ("HTTP/0.9",)),
    Difference("uvicorn does not look at the version", "accepts", "accepts", ("HTTP/2.0",)),
    Difference(
        "httptools refuses other versions with 400",
        "accepts",
        "refuses otherwise",
        ("HTTP/1.2", "the preface of HTTP/2"),
    ),
    Difference(
        "the application is called, and its answer can't be sent; httptools: 400",
        "hangs up",
        "refuses otherwise",
        ("CONNECT",),
    ),
    Difference(
        "h11 takes no empty line before a request (RFC 9112, 2.2: should be ignored)",
        "refuses",
        "as here",
        ("an empty line before the request", "an empty line between two"),
    ),
    Difference(
        "h11 takes LF alone for a line end (RFC 9112, 2.2: may)",
        "accepts",
        "as here",
        (
            "LF alone after the request line",
            "LF alone after a field",
            "LF alone at the end of the head",
            "a field behind LF in a value",
            "LF alone after the last chunk",
            "LF alone after a trailer field",
        ),
    ),
    Difference(
        "h11 unfolds lines (RFC 9112, 5.2: may)",
        "accepts",
        "as here",
        ("a folded line", "a folded line that begins with a tab", "a folded coding", "a folded trailer field"),
    ),
    Difference(
        "h11 takes control characters but for NUL, CR and LF (RFC 9110, 5.5: may)",
        "accepts",
        "as here",
        ("DEL in a value", "an escape sequence in a value", "another control character in a value"),
    ),
    Difference(
        "httptools leaves a tab at the end of a value", "as here", "reads otherwise", ("white space around a value",)
    ),
    Difference(
        "a head that comes at once may have any length, and any number of fields",
        "accepts",
        "accepts",
        ("a request line beyond the limit", "one field too many", "fields beyond the limit"),
    ),
    Difference(
        "h11 has one limit for all of a head, and has not reached it",
        "waits",
        "as here",
        ("a method without end",),
    ),
    Difference(
        "trailer fields and extensions have no limit of their own",
        "accepts",
        "accepts",
        ("trailer fields beyond the limit",),
    ),
    Difference(
        "what is not finished may be long, and content has no limit",
        "waits",
        "waits",
        (
            "a request line that does not end",
            "an extension that does not end",
            "a length beyond the limit",
        ),
    ),
    Difference(
        "httptools has no limit for a head",
        "as here",
        "waits",
        ("a field that does not end", "empty lines without end"),
    ),
    Difference(
        "h11 counts without bounds",
        "waits",
        "as here",
        ("a length that does not fit", "a size that does not fit"),
    ),
    Difference("uvicorn closes every connection of HTTP/1.0", "closes", "closes", ("keep-alive of HTTP/1.0",)),
    Difference("httptools obeys Proxy-Connection", "as here", "closes", ("close of a proxy",)),
    Difference(
        "content that comes with an upgrade is lost", "as here", "reads otherwise", ("an upgrade with content",)
    ),
    Difference(
        "h11 leaves the target alone; httptools refuses before the earlier request is answered",
        "accepts",
        "drops what came before",
        ("a bad one after a good one",),
    ),
    Difference(
        "httptools refuses before the earlier request is answered",
        "as here",
        "drops what came before",
        ("content of no length is the next request",),
    ),
    Difference(
        "httptools takes one length alone (RFC 9110, 8.6: may)",
        "as here",
        "refuses",
        ("the same length twice", "the same length twice in a list"),
    ),
    Difference("lengths are compared as text", "refuses", "refuses", ("the same length in other digits",)),
    Difference("h11 takes at most twenty digits", "refuses", "as here", ("forty zeroes in front",)),
    Difference(
        "h11 goes by Transfer-Encoding (RFC 9112, 6.3: may)",
        "accepts",
        "as here",
        ("both lengths", "both lengths, the other way round"),
    ),
    Difference(
        "uvicorn reads chunks of HTTP/1.0 (RFC 9112, 6.1: faulty)", "accepts", "accepts", ("chunks with HTTP/1.0",)
    ),
    Difference("h11 takes one coding alone, and no list", "refuses", "as here", ("an empty item before the coding",)),
    Difference(
        "httptools ignores what stands before chunked; h11: 400",
        "refuses otherwise",
        "accepts",
        ("another coding before chunked", "identity before chunked"),
    ),
    Difference(
        "refused with 400 (RFC 9112, 6.1: should be 501)",
        "refuses otherwise",
        "refuses otherwise",
        (
            "a coding that nobody knows",
            "a coding in quotes",
            "chunked with a parameter",
            "chunked twice without a comma",
        ),
    ),
    Difference("h11 takes white space after a size", "accepts", "as here", ("a space after the size",)),
    Difference("httptools takes any number of zeroes", "as here", "accepts", ("a size with three hundred zeroes",)),
    Difference(
        "h11 takes any byte but LF in an extension",
        "accepts",
        "as here",
        ("CR in an extension", "NUL in an extension", "an extension whose quotes stay open"),
    ),
    Difference(
        "httptools knows less of extensions (RFC 9112, 7.1.1)",
        "as here",
        "refuses",
        ("extensions of chunks",),
    ),
    Difference(
        "httptools demands the name (RFC 9112, 7.1.1: must be there)",
        "as here",
        "refuses",
        ("an extension without a name",),
    ),
    Difference(
        "no white space before an extension (RFC 9112, 7.1.1: BWS)",
        "refuses",
        "refuses",
        ("a space before an extension",),
    ),
    Difference(
        "httptools makes header fields of trailer fields (RFC 9110, 6.5.1: must not)",
        "as here",
        "reads otherwise",
        ("trailer fields",),
    ),
    Difference(
        "trailer fields are looked at, though they are thrown away",
        "refuses",
        "refuses",
        ("lengths in trailer fields", "a trailer line without a colon"),
    ),
    Difference(
        "uvicorn ignores other expectations (RFC 9110, 10.1.1: may)",
        "accepts",
        "accepts",
        ("an expectation that nobody knows", "an expectation that nobody knows beside one"),
    ),
]

_BY_CASE: Mapping[str, Difference] = {name: row for row in DIFFERENCES for name in row.cases}
_STATUSES = {case.name: case.status for case in CASES}


def expected(case: str, parser: Parser) -> Verdict:
    """What is known of a case."""
    row = _BY_CASE.get(case)
    if row is None:
        return "as here"
    return row.h11 if parser == "h11" else row.httptools


def table() -> str:
    """The differences as a table of Markdown."""
    head = ["Request", "The component", "uvicorn, h11", "uvicorn, httptools", "Why"]
    rows = [["; ".join(row.cases), _statuses(row.cases), row.h11, row.httptools, row.why] for row in DIFFERENCES]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _statuses(cases: Iterable[str]) -> str:
    return ", ".join(sorted({str(_STATUSES[name]) for name in cases}))


if __name__ == "__main__":
    print(table(), end="")
