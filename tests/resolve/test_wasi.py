"""WASI 0.2 as it is published: every file of it resolves."""

from __future__ import annotations

from pathlib import Path

from witgen.resolve import load, select_world


def test_all_of_wasi_resolves(wasi: Path) -> None:
    loaded = load([wasi])
    names = {f"{package.name.namespace}:{package.name.name}" for package in loaded.resolve.packages}
    packages = ("cli", "clocks", "filesystem", "http", "io", "random", "sockets")
    assert {f"wasi:{name}" for name in packages} <= names


def test_its_worlds_import_what_their_interfaces_need(wasi: Path) -> None:
    loaded = load([wasi])
    resolve = loaded.resolve
    for name, export in (("wasi:cli/command", "wasi:cli/run"), ("wasi:http/proxy", "wasi:http/incoming-handler")):
        world = resolve.worlds[select_world(loaded, name)]
        links = [resolve.link_name(key).partition("@")[0] for key in world.imports]
        assert "wasi:io/streams" in links and "wasi:clocks/monotonic-clock" in links
        # What an interface uses is imported before it.
        assert links.index("wasi:io/error") < links.index("wasi:io/streams") < links.index("wasi:cli/stdout")
        assert [resolve.link_name(key).partition("@")[0] for key in world.exports] == [export]
