"""Raw requests and what becomes of them: one row a case.

`saw` is what the application saw (`applications.describe`), without which the request never reached it. `kept` says
whether the connection goes on afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"Host: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the status of the answer, and whether the connection goes on."""

    name: str
    request: bytes
    status: int
    kept: bool
    saw: str | None = None


def get(target: str, version: str = "HTTP/1.1", method: str = "GET") -> bytes:
    return f"{method} {target} {version}\r\nHost: a\r\n\r\n".encode("latin-1")


def post(fields: bytes, content: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + content


def good(name: str, request: bytes, saw: str, kept: bool = True) -> Case:
    return Case(name, request, 200, kept, saw)


def bad(name: str, request: bytes, status: int = 400) -> Case:
    return Case(name, request, status, False)


CASES = [
    # Request lines
    good("origin form", get("/a/b"), "GET /a/b a "),
    good("query", get("/a?b=c&d"), "GET /a?b=c&d a "),
    good("empty query", get("/?"), "GET /? a "),
    good("percent-encoding is left alone", get("/%00%2f"), "GET /%00%2f a "),
    good("absolute form", get("http://b:80/x?y"), "GET /x?y b:80 "),
    good("absolute form without a path", get("http://b"), "GET / b "),
    good("absolute form with a query alone", get("HTTP://b?y"), "GET /?y b "),
    good("asterisk form", get("*", method="OPTIONS"), "OPTIONS * a "),
    good("absolute form for the server as a whole", get("http://b", method="OPTIONS"), "OPTIONS * b "),
    good("a method that nobody knows", get("/", method="BREW"), "BREW / a "),
    good("a method in small letters is another one", get("/", method="get"), "get / a "),
    good("an empty line before the request", b"\r\n\r\n" + get("/"), "GET / a "),
    bad("empty lines without end", b"\r\n" * 1000),
    bad("asterisk form with GET", get("*")),
    bad("a target without a slash", get("a")),
    bad("a fragment", get("/a#b")),
    bad("a target with a byte beyond ASCII", get("/\xe4")),
    bad("a target with DEL", get("/\x7f")),
    bad("a target with NUL", get("/\0")),
    bad("a target with a tab", get("/\t")),
    bad("a target with angle brackets", get("/<a>")),
    bad("user information", get("http://u:p@b/")),
    bad("another scheme", get("ftp://b/")),
    bad("a malformed port", get("http://b:8o/")),
    bad("no target", b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("two spaces after the method", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("two spaces before the version", b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("a tab for a space", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("a space before the method", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("a space after the version", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    bad("a method that is no token", get("/", method="G@T")),
    bad("a line that is none of HTTP", b"hello\r\n\r\n"),
    bad("HTTP/0.9", b"GET /\r\n\r\n"),
    bad("a name of the protocol in small letters", get("/", "http/1.1")),
    bad("a version of two digits", get("/", "HTTP/1.10")),
    bad("HTTP/2.0", get("/", "HTTP/2.0"), 505),
    bad("HTTP/1.2", get("/", "HTTP/1.2"), 505),
    bad("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    bad("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    bad("a request line beyond the limit", get("/" + "a" * 1100), 414),
    bad("a request line that does not end", b"GET /" + b"a" * 2000, 414),
    # Line ends
    bad("LF alone after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    bad("LF alone after a field", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    bad("LF alone at the end of the head", b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
    bad("CR alone in a field", post(b"X: a\rb\r\n")),
    bad("CR alone before the field name", post(b"\rX: a\r\n")),
    bad("CR CR LF", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    # Fields
    good("white space around a value", b"GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET / a "),
    good("an empty value", post(b"X:\r\n"), "POST / a "),
    good("bytes beyond ASCII in a value", post(b"X: \xe4\xff\r\n"), "POST / a "),
    good("as many fields as may be", post(b"X: y\r\n" * 31), "POST / a "),
    bad("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    bad("a tab before the colon", post(b"X\t: y\r\n")),
    bad("a folded line", post(b"X: a\r\n b\r\n")),
    bad("a folded line that begins with a tab", post(b"X: a\r\n\tb\r\n")),
    bad("a blank before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    bad("a line without a colon", post(b"X\r\n")),
    bad("no name", post(b": y\r\n")),
    bad("a name that is no token", post(b"X(y): z\r\n")),
    bad("a name with a byte beyond ASCII", post(b"X\xe4: z\r\n")),
    bad("NUL in a value", post(b"X: a\0b\r\n")),
    bad("another control character in a value", post(b"X: a\x01b\r\n")),
    bad("one field too many", post(b"X: y\r\n" * 32), 431),
    bad("fields beyond the limit", post(b"X: " + b"y" * 5000 + b"\r\n"), 431),
    bad("a field that does not end", b"GET / HTTP/1.1\r\nX: " + b"y" * 6000, 431),
    # Host
    good("HTTP/1.0 without Host", b"GET / HTTP/1.0\r\n\r\n", "GET / - ", kept=False),
    good("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / - "),
    good("an address in Host", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / [::1]:80 "),
    bad("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    bad("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    bad("two Hosts with HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    bad("no Host with an absolute form", b"GET http://a/ HTTP/1.1\r\n\r\n"),
    bad("a path in Host", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    bad("a list in Host", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    bad("user information in Host", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    # Connections
    good("close", post(b"Connection: close\r\n"), "POST / a ", kept=False),
    good("close among others", post(b"Connection: x, Close\r\n"), "POST / a ", kept=False),
    good("keep-alive of HTTP/1.1", post(b"Connection: keep-alive\r\n"), "POST / a "),
    good("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / a ", kept=False),
    good("keep-alive of HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", "GET / a "),
    good("an upgrade", post(b"Connection: upgrade\r\nUpgrade: websocket\r\n"), "POST / a "),
    good("an upgrade to HTTP/2", post(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), "POST / a "),
    # Content-Length
    good("content", post(b"Content-Length: 5\r\n", b"hello"), "POST / a hello"),
    good("no content", post(b"Content-Length: 0\r\n"), "POST / a "),
    good("content of GET", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "GET / a hi"),
    good("zeroes in front", post(b"Content-Length: 005\r\n", b"hello"), "POST / a hello"),
    good("the same length twice", post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"hi"), "POST / a hi"),
    good("the same length twice in a list", post(b"Content-Length: 2, 2\r\n", b"hi"), "POST / a hi"),
    bad("two lengths", post(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"hi!")),
    bad("two lengths in a list", post(b"Content-Length: 2, 3\r\n", b"hi!")),
    bad("a length with a sign", post(b"Content-Length: +2\r\n", b"hi")),
    bad("a negative length", post(b"Content-Length: -2\r\n", b"hi")),
    bad("a length in hexadecimal digits", post(b"Content-Length: 0x2\r\n", b"hi")),
    bad("a length with a fraction", post(b"Content-Length: 2.0\r\n", b"hi")),
    bad("an empty length", post(b"Content-Length:\r\n")),
    bad("a length of two words", post(b"Content-Length: 2 2\r\n", b"hi")),
    bad("a length that does not fit", post(b"Content-Length: 18446744073709551616\r\n")),
    bad("a length beyond the limit", post(b"Content-Length: 18446744073709551615\r\n"), 413),
    # Transfer-Encoding
    good("chunks", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", "POST / a hello"),
    good("several chunks", CHUNKED + b"2\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n", "POST / a hello"),
    good("no chunk but the last", CHUNKED + b"0\r\n\r\n", "POST / a "),
    good(
        "sizes in hexadecimal digits",
        CHUNKED + b"A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n",
        "POST / a 01234567890123456789",
    ),
    good("extensions of chunks", CHUNKED + b'2;a=b;c="d\\"e" ; f\r\nhi\r\n0;x\r\n\r\n', "POST / a hi"),
    good("trailer fields", CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\nHost: b\r\n\r\n", "POST / a hi"),
    good("the coding in other letters", post(b"Transfer-Encoding: \tChUnKeD\r\n", b"0\r\n\r\n"), "POST / a "),
    bad("both lengths", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    bad(
        "both lengths, the other way round", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")
    ),
    bad("chunks with HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    bad("chunked twice", post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")),
    bad("chunked in two fields", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    bad("chunked is not the last", post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n")),
    bad("another coding alone", post(b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n")),
    bad("identity", post(b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n")),
    bad("no coding", post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n")),
    bad("another coding before chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501),
    bad("a coding that nobody knows", post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), 501),
    bad("a coding in quotes", post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"), 501),
    bad("a vertical tab before the coding", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    bad("a space before the colon of the coding", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    # Chunks
    bad("no size", CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    bad("a size with a sign", CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    bad("a size with a prefix", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    bad("a size with an underscore", CHUNKED + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    bad("a space before the size", CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"),
    bad("a space after the size", CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    bad("a size that does not fit", CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    bad("LF alone after a size", CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    bad("CR alone after a size", CHUNKED + b"5\rhello\r\n0\r\n\r\n"),
    bad("LF in an extension", CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    bad("CR in an extension", CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    bad("NUL in an extension", CHUNKED + b"5;a\0\r\nhello\r\n0\r\n\r\n"),
    bad("an extension that does not end", CHUNKED + b"5;" + b"a" * 2000),
    bad("data longer than the size", CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n"),
    bad("data without its line end", CHUNKED + b"5\r\nhello0\r\n\r\n"),
    bad("LF alone after the data", CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    bad("LF alone after the last chunk", CHUNKED + b"0\r\n\n"),
    bad("a folded trailer field", CHUNKED + b"0\r\nX: y\r\n z\r\n\r\n"),
    bad("NUL in a trailer field", CHUNKED + b"0\r\nX: \0\r\n\r\n"),
    bad("trailer fields beyond the limit", CHUNKED + b"0\r\nX: " + b"y" * 5000 + b"\r\n\r\n"),
    # Expectations
    bad("an expectation that nobody knows", post(b"Expect: magic\r\n"), 417),
    good("an expectation without content", post(b"Expect: 100-continue\r\n"), "POST / a "),
    good("an expectation of HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nExpect: magic\r\n\r\n", "GET / a ", kept=False),
]
