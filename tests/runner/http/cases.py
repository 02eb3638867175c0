"""Raw requests and what becomes of them: one row a case.

`saw` is what the application saw (`applications.describe`), without which the request never reached it. `kept` says
whether the connection goes on afterwards. Where a case has several requests, the row is about the last of them, and
`earlier` has what the application saw of those before it, which are all answered with 200.
"""

from __future__ import annotations

from dataclasses import dataclass

UPGRADE = b"Connection: upgrade\r\nUpgrade: h2c\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Case:
    """A request, the status of the answer, and whether the connection goes on."""

    name: str
    request: bytes
    status: int
    kept: bool
    saw: str | None = None
    earlier: tuple[str, ...] = ()

    @property
    def heads(self) -> bool:
        """Whether it asks for no content."""
        return self.request.startswith(b"HEAD ")


def get(target: str, version: str = "HTTP/1.1", method: str = "GET") -> bytes:
    return f"{method} {target} {version}\r\nHost: a\r\n\r\n".encode("latin-1")


def post(fields: bytes, content: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + content


def host(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def good(name: str, request: bytes, saw: str, kept: bool = True, earlier: tuple[str, ...] = ()) -> Case:
    return Case(name, request, 200, kept, saw, earlier)


def bad(name: str, request: bytes, status: int = 400, earlier: tuple[str, ...] = ()) -> Case:
    return Case(name, request, status, False, None, earlier)


HIDDEN = get("/hidden").decode()

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
    good("dots in a path are left alone", get("/../a/./b"), "GET /../a/./b a "),
    good("a path that begins with two slashes", get("//b/c"), "GET //b/c a "),
    good("a question mark in a query", get("/?a?b"), "GET /?a?b a "),
    good("marks that a path may have", get("/a;b=c,d:@!$&'()*+~"), "GET /a;b=c,d:@!$&'()*+~ a "),
    good("a percent sign alone", get("/%"), "GET /% a "),
    good("HEAD", get("/", method="HEAD"), ""),
    good("TRACE", get("/", method="TRACE"), "TRACE / a "),
    good("a method of all that a token may have", get("/", method="!#$%&'*+-.^_`|~9"), "!#$%&'*+-.^_`|~9 / a "),
    bad("authority form with GET", get("b:80")),
    bad("absolute form without a host", get("http:///x")),
    bad("a method alone", b"GET\r\nHost: a\r\n\r\n"),
    bad("a method with NUL", get("/", method="G\0T")),
    bad("a method without end", b"A" * 2000, 414),
    bad("a form feed for a space", b"GET\x0c/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("a greeting of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x01" * 30 + b"\r\n\r\n"),
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
    bad("a version without its second digit", get("/", "HTTP/1.")),
    bad("a version without a dot", get("/", "HTTP/11")),
    bad("a version with letters behind it", get("/", "HTTP/1.1x")),
    bad("a space in the version", get("/", "HTTP /1.1")),
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
    bad("a field behind LF in a value", post(b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    # Fields
    good("white space around a value", b"GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET / a "),
    good("an empty value", post(b"X:\r\n"), "POST / a "),
    good("bytes beyond ASCII in a value", post(b"X: \xe4\xff\r\n"), "POST / a "),
    good("as many fields as may be", post(b"X: y\r\n" * 31), "POST / a "),
    good("a tab in a value", post(b"X: a\tb\r\n"), "POST / a "),
    good("a colon in a value", post(b"X:: y: z\r\n"), "POST / a "),
    good("a name of all that a token may have", post(b"!#$%&'*+-.^_`|~0aZ: y\r\n"), "POST / a "),
    good("an underscore is no hyphen", post(b"Content_Length: 5\r\n"), "POST / a "),
    bad("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    bad("a tab before the colon", post(b"X\t: y\r\n")),
    bad("a folded line", post(b"X: a\r\n b\r\n")),
    bad("a folded line that begins with a tab", post(b"X: a\r\n\tb\r\n")),
    bad("a blank before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    bad("a line without a colon", post(b"X\r\n")),
    bad("no name", post(b": y\r\n")),
    bad("a name that is no token", post(b"X(y): z\r\n")),
    bad("a name with a byte beyond ASCII", post(b"X\xe4: z\r\n")),
    bad("a name in quotes", post(b'"X": y\r\n')),
    bad("NUL in a name", post(b"Content-Length\0: 5\r\n", b"hello")),
    bad("a space of Latin-1 in a name", post(b"Transfer-Encoding\xa0: chunked\r\n", b"0\r\n\r\n")),
    bad("a folded coding", post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n")),
    bad("DEL in a value", post(b"X: a\x7fb\r\n")),
    bad("an escape sequence in a value", post(b"X: \x1b[0m\r\n")),
    bad("NUL in a value", post(b"X: a\0b\r\n")),
    bad("another control character in a value", post(b"X: a\x01b\r\n")),
    bad("one field too many", post(b"X: y\r\n" * 32), 431),
    bad("fields beyond the limit", post(b"X: " + b"y" * 5000 + b"\r\n"), 431),
    bad("a field that does not end", b"GET / HTTP/1.1\r\nX: " + b"y" * 6000, 431),
    # Host
    good("HTTP/1.0 without Host", b"GET / HTTP/1.0\r\n\r\n", "GET / - ", kept=False),
    good("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / - "),
    good("an address in Host", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / [::1]:80 "),
    good("Host in other letters", b"GET / HTTP/1.1\r\nhOsT: a\r\n\r\n", "GET / a "),
    good("an empty port in Host", host(b"a:"), "GET / a: "),
    good("an encoded byte in Host", host(b"a%20b"), "GET / a%20b "),
    bad("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    bad("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    bad("two Hosts with HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    bad("no Host with an absolute form", b"GET http://a/ HTTP/1.1\r\n\r\n"),
    bad("a path in Host", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    bad("a list in Host", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    bad("user information in Host", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    bad("a Host that is none beside an absolute form", b"GET http://b/ HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    bad("a port in Host that is no number", host(b"a:b")),
    bad("a negative port in Host", host(b"a:-1")),
    bad("a space in Host", host(b"a b")),
    bad("a query in Host", host(b"a?b")),
    bad("a fragment in Host", host(b"a#b")),
    bad("a backslash in Host", host(b"a\\b")),
    bad("a byte beyond ASCII in Host", host(b"\xe4")),
    bad("an address in Host without its bracket", host(b"[::1")),
    bad("an address in Host without brackets", host(b"::1")),
    bad("a URI in Host", host(b"http://a/")),
    # Connections
    good("close", post(b"Connection: close\r\n"), "POST / a ", kept=False),
    good("close among others", post(b"Connection: x, Close\r\n"), "POST / a ", kept=False),
    good("keep-alive of HTTP/1.1", post(b"Connection: keep-alive\r\n"), "POST / a "),
    good("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / a ", kept=False),
    good("keep-alive of HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", "GET / a "),
    good("an upgrade", post(b"Connection: upgrade\r\nUpgrade: websocket\r\n"), "POST / a "),
    good("an upgrade to HTTP/2", post(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), "POST / a "),
    good("an upgrade with content", post(UPGRADE + b"Content-Length: 2\r\n", b"hi"), "POST / a hi"),
    good("close in a field of its own", post(b"Connection: x\r\nConnection: close\r\n"), "POST / a ", kept=False),
    good("close and keep-alive", post(b"Connection: close, keep-alive\r\n"), "POST / a ", kept=False),
    good("close behind an empty item", post(b"Connection: , close\r\n"), "POST / a ", kept=False),
    good("close in quotes is another word", post(b'Connection: "close"\r\n'), "POST / a "),
    good("close of a proxy", post(b"Proxy-Connection: close\r\n"), "POST / a "),
    good(
        "a length named by Connection",
        post(b"Connection: Content-Length\r\nContent-Length: 2\r\n", b"hi"),
        "POST / a hi",
    ),
    good("Host named by Connection", post(b"Connection: Host\r\n"), "POST / a "),
    good(
        "close and keep-alive of HTTP/1.0",
        b"GET / HTTP/1.0\r\nHost: a\r\nConnection: close, keep-alive\r\n\r\n",
        "GET / a ",
        kept=False,
    ),
    # One after another
    good("two at once", get("/1") + get("/2"), "GET /2 a ", earlier=("GET /1 a ",)),
    good("one after content", post(b"Content-Length: 2\r\n", b"hi") + get("/"), "GET / a ", earlier=("POST / a hi",)),
    good("one after chunks", CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + get("/"), "GET / a ", earlier=("POST / a hi",)),
    good("one after the answer to HEAD", get("/", method="HEAD") + get("/2"), "GET /2 a ", earlier=("",)),
    good("an empty line between two", get("/1") + b"\r\n" + get("/2"), "GET /2 a ", earlier=("GET /1 a ",)),
    good("one after close is not answered", post(b"Connection: close\r\n") + get("/2"), "POST / a ", kept=False),
    good("content that looks like a request", post(b"Content-Length: 33\r\n", get("/hidden")), "POST / a " + HIDDEN),
    bad("content of no length is the next request", get("/") + b"hello\r\n\r\n", earlier=("GET / a ",)),
    bad("a bad one after a good one", get("/") + get("a"), earlier=("GET / a ",)),
    # Content-Length
    good("content", post(b"Content-Length: 5\r\n", b"hello"), "POST / a hello"),
    good("no content", post(b"Content-Length: 0\r\n"), "POST / a "),
    good("content of GET", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "GET / a hi"),
    good("zeroes in front", post(b"Content-Length: 005\r\n", b"hello"), "POST / a hello"),
    good("the same length twice", post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"hi"), "POST / a hi"),
    good("the same length twice in a list", post(b"Content-Length: 2, 2\r\n", b"hi"), "POST / a hi"),
    good("tabs around a length", post(b"Content-Length:\t2\t\r\n", b"hi"), "POST / a hi"),
    good("the same length in other digits", post(b"Content-Length: 02, 2\r\n", b"hi"), "POST / a hi"),
    good("forty zeroes in front", post(b"Content-Length: " + b"0" * 40 + b"2\r\n", b"hi"), "POST / a hi"),
    bad("a length and an empty item", post(b"Content-Length: 2,\r\n", b"hi")),
    bad("a length in digits of another script", post("Content-Length: \u0662\r\n".encode(), b"hi")),
    bad("a length with an exponent", post(b"Content-Length: 1e1\r\n", b"0123456789")),
    bad("a length with an underscore", post(b"Content-Length: 1_0\r\n", b"0123456789")),
    bad("a length with a parameter", post(b"Content-Length: 2;x\r\n", b"hi")),
    bad("a length after a space of Latin-1", post(b"Content-Length: \xa02\r\n", b"hi")),
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
    good("an empty item before the coding", post(b"Transfer-Encoding: , chunked\r\n", b"0\r\n\r\n"), "POST / a "),
    good(
        "a coding named by Connection",
        post(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", b"2\r\nhi\r\n0\r\n\r\n"),
        "POST / a hi",
    ),
    good("lengths in trailer fields", CHUNKED + b"0\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\n\r\n", "POST / a "),
    good("line ends in data", CHUNKED + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "POST / a \r\n0\r\n\r\n"),
    good("a space before an extension", CHUNKED + b"2 ;a\r\nhi\r\n0\r\n\r\n", "POST / a hi"),
    good("an extension without a name", CHUNKED + b"2;\r\nhi\r\n0\r\n\r\n", "POST / a hi"),
    good("a semicolon in the quotes of an extension", CHUNKED + b'2;a="b;c"\r\nhi\r\n0\r\n\r\n', "POST / a hi"),
    good("a trailer line without a colon", CHUNKED + b"0\r\nX\r\n\r\n", "POST / a "),
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
    bad("identity after chunked", post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n")),
    bad("another coding after chunked", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", b"0\r\n\r\n")),
    bad("identity before chunked", post(b"Transfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n"), 501),
    bad("chunked with a parameter", post(b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n"), 501),
    bad("chunked twice without a comma", post(b"Transfer-Encoding: chunked chunked\r\n", b"0\r\n\r\n"), 501),
    bad("a vertical tab before the coding", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    bad("a space before the colon of the coding", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n")),
    # Chunks
    bad("no size", CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    bad("a size with a sign", CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    bad("a size with a prefix", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    bad("a size with an underscore", CHUNKED + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    bad("a space before the size", CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"),
    bad("a space after the size", CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    bad("a size with a minus", CHUNKED + b"-1\r\nhello\r\n0\r\n\r\n"),
    bad("a size that is none", CHUNKED + b"g\r\nhello\r\n0\r\n\r\n"),
    bad("a size with a comma", CHUNKED + b"5,\r\nhello\r\n0\r\n\r\n"),
    bad("a size of two words", CHUNKED + b"5 5\r\nhello\r\n0\r\n\r\n"),
    bad("a size with three hundred zeroes", CHUNKED + b"0" * 300 + b"5\r\nhello\r\n0\r\n\r\n"),
    bad("a size that does not fit", CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    bad("LF alone after a size", CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    bad("CR alone after a size", CHUNKED + b"5\rhello\r\n0\r\n\r\n"),
    bad("LF in an extension", CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    bad("CR in an extension", CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    bad("NUL in an extension", CHUNKED + b"5;a\0\r\nhello\r\n0\r\n\r\n"),
    bad("an extension whose quotes stay open", CHUNKED + b'5;a="b\r\nhello\r\n0\r\n\r\n'),
    bad("an extension that does not end", CHUNKED + b"5;" + b"a" * 2000),
    bad("data longer than the size", CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n"),
    bad("data without its line end", CHUNKED + b"5\r\nhello0\r\n\r\n"),
    bad("LF alone after the data", CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    bad("LF alone after the last chunk", CHUNKED + b"0\r\n\n"),
    bad("data shorter than the size", CHUNKED + b"5\r\nhell\r\n0\r\n\r\n"),
    bad("CR alone in a trailer field", CHUNKED + b"0\r\nX: a\rb\r\n\r\n"),
    bad("LF alone after a trailer field", CHUNKED + b"0\r\nX: y\n\r\n"),
    bad("a folded trailer field", CHUNKED + b"0\r\nX: y\r\n z\r\n\r\n"),
    bad("NUL in a trailer field", CHUNKED + b"0\r\nX: \0\r\n\r\n"),
    bad("trailer fields beyond the limit", CHUNKED + b"0\r\nX: " + b"y" * 5000 + b"\r\n\r\n"),
    # Expectations
    bad("an expectation that nobody knows", post(b"Expect: magic\r\n"), 417),
    bad("an expectation that nobody knows beside one", post(b"Expect: 100-continue\r\nExpect: magic\r\n"), 417),
    good("an expectation of content", post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"hi"), "POST / a hi"),
    good(
        "an expectation in other letters, of chunks",
        post(b"Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n", b"2\r\nhi\r\n0\r\n\r\n"),
        "POST / a hi",
    ),
    good("an expectation without content", post(b"Expect: 100-continue\r\n"), "POST / a "),
    good("an expectation of HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nExpect: magic\r\n\r\n", "GET / a ", kept=False),
]
