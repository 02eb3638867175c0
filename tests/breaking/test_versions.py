"""What a step from one version to another allows."""

from __future__ import annotations

import pytest

from witgen.breaking.rule import Level
from witgen.breaking.versions import allowed, links, smallest

N, A, B = Level.NOTICE, Level.ADDITION, Level.BREAKING


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("1.2.3", "1.2.3", N),
        ("1.2.3", "1.2.3+build.7", N),
        ("1.2.3", "1.2.4", N),
        ("1.2.3", "1.3.0", A),
        ("1.2.3", "2.0.0", B),
        ("1.2.3", "1.2.2", N),
        ("1.2.3", "0.9.0", N),
        ("0.2.3", "0.2.4", A),
        ("0.2.3", "0.3.0", B),
        ("0.2.3", "1.0.0", B),
        ("0.0.3", "0.0.4", B),
        ("0.0.3", "0.1.0", B),
        ("1.0.0-rc.1", "1.0.0-rc.1", N),
        ("1.0.0-rc.1", "1.0.0-rc.2", B),
        ("1.0.0-rc.1", "1.0.0", B),
        ("1.4.0", "2.0.0-rc.1", B),
        ("1.4.0", "1.5.0-rc.1", A),
        ("1.4.0", "1.4.0-rc.1", N),
        ("0.2.0", "0.2.1-rc.1", A),
        (None, None, A),
        (None, "0.1.0", B),
        ("0.1.0", None, A),
        ("1.9.0", "1.10.0", A),
    ],
)
def test_a_step_allows_what_its_first_number_that_counts_says(old: str | None, new: str | None, level: Level) -> None:
    assert allowed(old, new) is level


@pytest.mark.parametrize(
    ("old", "level", "new"),
    [
        ("1.2.3", N, "1.2.3"),
        ("1.2.3", A, "1.3.0"),
        ("1.2.3", B, "2.0.0"),
        ("0.2.3", A, "0.2.4"),
        ("0.2.3", B, "0.3.0"),
        ("0.0.3", A, "0.0.4"),
        ("0.0.3", B, "0.0.4"),
        ("1.0.0-rc.1", B, "1.0.0-rc.2"),
        ("1.0.0-rc", A, "1.0.0-rc.1"),
        ("1.2.3+build", B, "2.0.0"),
        (None, B, None),
        ("1.2.3", Level.MISTAKE, None),
    ],
)
def test_the_smallest_step(old: str | None, level: Level, new: str | None) -> None:
    assert smallest(old, level) == new


@pytest.mark.parametrize("old", ["1.2.3", "0.2.3", "0.0.3", "1.0.0-rc.1", "0.1.0-alpha", "3.0.0+b", "0.0.0"])
@pytest.mark.parametrize("level", [A, B])
def test_the_smallest_step_allows_what_it_is_for(old: str, level: Level) -> None:
    assert allowed(old, smallest(old, level)) >= level


def test_what_links_has_the_numbers_up_to_the_first_that_counts_in_common() -> None:
    assert links("1.2.3", "1.9.0") and links("0.2.0", "0.2.9") and links(None, None)
    for a, b in (("1.0.0", "2.0.0"), ("0.2.0", "0.3.0"), ("0.0.1", "0.0.2"), ("1.0.0-a", "1.0.0"), (None, "1.0.0")):
        assert not links(a, b) and not links(b, a)
