"""What WIT names become in Python."""

from __future__ import annotations

import pytest

from witgen.emit.python.naming import class_name, constant_name, local_name, member_name


@pytest.mark.parametrize(
    ("wit", "class_", "constant", "member"),
    [
        ("scope", "Scope", "SCOPE", "scope"),
        ("progress-update", "ProgressUpdate", "PROGRESS_UPDATE", "progress_update"),
        ("ipv4-socket-address", "Ipv4SocketAddress", "IPV4_SOCKET_ADDRESS", "ipv4_socket_address"),
        ("HTTP-client", "HttpClient", "HTTP_CLIENT", "http_client"),
        ("a-b2-c", "AB2C", "A_B2_C", "a_b2_c"),
    ],
)
def test_words_are_joined_as_python_joins_them(wit: str, class_: str, constant: str, member: str) -> None:
    assert (class_name(wit), constant_name(wit), member_name(wit)) == (class_, constant, member)


@pytest.mark.parametrize("word", ["from", "import", "class", "async", "lambda", "list", "bytes", "close"])
def test_words_that_python_or_the_module_needs_get_an_underscore(word: str) -> None:
    assert member_name(word) == word + "_"


@pytest.mark.parametrize("word", ["f", "cx", "p", "v0", "v12", "result", "self"])
def test_parameters_keep_clear_of_the_names_in_bodies(word: str) -> None:
    assert local_name(word) == word + "_"


@pytest.mark.parametrize("word", ["id", "max", "type", "value", "a", "vector"])
def test_other_names_stay_as_they_are(word: str) -> None:
    assert local_name(word) == word
