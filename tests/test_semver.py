"""The order of versions, and of what is none."""

from __future__ import annotations

import itertools

from witgen.semver import order_key


def test_versions_are_in_the_order_of_precedence() -> None:
    versions = ["1.0.0", "1.10.0", "1.0.0-a", "1.0.0+1", "1.2.0", "1.0.0-2", "0.9.9", "1.0.0-a.1", "1.0.0-1"]
    assert sorted(versions, key=order_key) == [
        *("0.9.9", "1.0.0-1", "1.0.0-2", "1.0.0-a", "1.0.0-a.1"),
        *("1.0.0", "1.0.0+1", "1.2.0", "1.10.0"),
    ]


def test_no_version_comes_first() -> None:
    assert order_key(None) < order_key("0.0.0-0")


def test_what_is_no_version_can_be_compared() -> None:
    texts = ["", ".", "1", "1.", "1..2", "1.2.3", "1.2.3-", "1.2.3-a", "1.2.3.4", "1.2.3+1", "1-a", "+", "-a", "a-b+c"]
    for one, other in itertools.product(texts, texts):
        assert (order_key(one) < order_key(other)) + (order_key(other) < order_key(one)) <= 1
