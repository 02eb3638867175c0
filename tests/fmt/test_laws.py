"""What holds for every text: nothing that it says changes, and what is formatted stays as it is."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fmt.support import (
    BETWEEN,
    CORPUS,
    EVERYTHING,
    ROOT,
    check_laws,
    formatted,
    texts,
    with_between,
    with_longer_names,
)
from witgen.fmt.writer import WIDTH
from witgen.resolve import load
from witgen.resolve.json import to_json

TEXTS = texts()

_LIST = re.compile(r"[(<{].+[)>}]")


@pytest.mark.parametrize("text", TEXTS.values(), ids=[Path(name).name for name in TEXTS])
def test_every_text_at_hand_keeps_the_laws(text: str) -> None:
    check_laws(text)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    check_laws(plain.replace("\n", "\r\n"))
    check_laws("\ufeff" + plain)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.lists(st.sampled_from(BETWEEN), min_size=1), st.floats(0, 1), st.integers(0))
def test_however_a_text_is_laid_out_the_laws_hold(name: str, between: list[str], share: float, seed: int) -> None:
    chance = random.Random(seed)
    spaces = (chance.choice(between) if chance.random() < share else " " for _ in itertools.count())
    check_laws(with_between(TEXTS[name], spaces))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(BETWEEN), min_size=1), st.floats(0, 0.3), st.integers(1, 60), st.integers(0))
def test_however_long_names_are_the_laws_hold(between: list[str], share: float, longest: int, seed: int) -> None:
    chance = random.Random(seed)
    text = with_longer_names(EVERYTHING.read_text(), (chance.randint(1, longest) for _ in itertools.count()))
    spaces = (chance.choice(between) if chance.random() < share else " " for _ in itertools.count())
    check_laws(with_between(text, spaces))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0))
def test_a_line_is_too_long_only_where_it_holds_no_list(longest: int, seed: int) -> None:
    chance = random.Random(seed)
    text = with_longer_names(EVERYTHING.read_text(), (chance.randint(1, longest) for _ in itertools.count()))
    for line in formatted(text).split("\n"):
        assert len(line) <= WIDTH or line.lstrip().startswith(("@", "//")) or _LIST.search(line) is None


def test_white_space_alone_does_not_matter() -> None:
    for text in TEXTS.values():
        if "//" not in text and "/*" not in text and "\r" not in text:
            assert formatted(" ".join(text.split())).replace("\n\n", "\n") == formatted(text).replace("\n\n", "\n")


def packages() -> list[Path]:
    """Roots that resolve, with their dependencies."""
    found = sorted((ROOT / "tests/resolve/golden/pass").glob("*.wit"))
    found += [path for path in sorted((CORPUS / "pass").glob("*")) if path.suffix == ".wit" or path.is_dir()]
    return found


@pytest.mark.parametrize("root", packages(), ids=lambda path: path.name)
def test_packages_resolve_to_the_same_model_with_the_same_docs(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / root.name
    for path in [root] if root.is_file() else root.rglob("*.wit"):
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(formatted(path.read_bytes().decode()).encode())
    before = load([root], all_features=True)
    assert to_json(load([copy], all_features=True).resolve) == to_json(before.resolve)
