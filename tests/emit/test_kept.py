"""Generated code is taken from the store where nothing that decides it has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen import generate
from witgen.project import Contract, Target

WIT = "package a:b;\ninterface i { f: func(); }\nworld w { import i; }\n"


def made(folder: Path, **options: object) -> dict[str, bytes]:
    """What is generated of the contract in a folder."""
    contract = Contract("c", (folder / "c.wit",))
    outputs = (("python", folder / "w.py"), ("rust", folder))
    files = generate.generate([Target(contract, None, outputs, split=True, **options)], folder)  # type: ignore[arg-type]
    return {path.relative_to(folder).as_posix(): text for path, text in files.items()}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, fresh_cache: Path) -> list[str]:
    """The languages for which an emitter ran."""
    found: list[str] = []
    for language in "python", "rust":
        emit = getattr(generate, f"_{language}")

        def counted(*args: object, emit: object = emit, language: str = language) -> object:
            found.append(language)
            return emit(*args)  # type: ignore[operator]

        monkeypatch.setattr(generate, f"_{language}", counted)
    return found


def test_the_second_time_nothing_is_emitted_and_all_is_the_same(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "c.wit").write_text(WIT)
    first = made(tmp_path)
    assert calls == ["python", "rust"]
    assert made(tmp_path) == first
    assert calls == ["python", "rust"]
    assert {"w.py", "w/mod.rs"} < set(first)


def test_another_contract_or_option_is_emitted(tmp_path: Path, calls: list[str]) -> None:
    (tmp_path / "c.wit").write_text(WIT)
    first = made(tmp_path)
    assert made(tmp_path, provided=("a:b",)) != first
    (tmp_path / "c.wit").write_text(WIT.replace("f: func", "/// Docs.\n  f: func"))
    assert b"Docs." in made(tmp_path)["w.py"]
    assert calls == ["python", "rust"] * 3


def test_without_a_store_all_is_emitted(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITGEN_CACHE", "off")
    (tmp_path / "c.wit").write_text(WIT)
    assert made(tmp_path) == made(tmp_path)
    assert calls == ["python", "rust"] * 2
