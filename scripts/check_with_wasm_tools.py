"""Holds what witgen encodes and prints against wasm-tools: ``make peer-check``.

Of each package of the repository, wasm-tools makes a component of each world, once with the section that it encodes
itself and once with witgen's; both have to be the same to it, and both tools have to print the same WIT of it. So have
they of the components that there are. wasm-tools is the one on the PATH, or else the one that npm has, which reads no
binary packages.

Exits with 0 where all is the same, with 1 where something is not, and with 3 where there is no wasm-tools.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from fetch_wasi import find as find_wasi

from witgen import binary, ir
from witgen.binary.core_modules import outline
from witgen.binary.reader import Reader
from witgen.binary.writer import name_bytes, section, unsigned
from witgen.diagnostics import WitError
from witgen.printer import package_text
from witgen.printer.words import identifier
from witgen.project import find_project
from witgen.resolve import Loaded, load

ROOT = Path(__file__).resolve().parent.parent
NPM_FOLDER = ROOT / "target/peer"
NPM_PACKAGE = "@bytecodealliance/jco-transpile@0.15.0"
SECTION = "component-type"
#: What begins behind the package that is printed: the packages that it uses.
_NESTED = re.compile(r"^(?:///.*\n)*package .* \{$", re.MULTILINE)


class PeerError(Exception):
    """wasm-tools refuses what it is given."""


class Peer(Protocol):
    """What wasm-tools is asked for."""

    name: str
    #: Whether it reads binary packages, and prints other packages behind the one that it is asked for.
    knows_packages: bool

    def wit(self, data: bytes) -> str:
        """The WIT text of a binary, with all features."""

    def dummy(self, text: str, world: str) -> bytes:
        """A core module that does nothing, with the section of a world."""

    def new(self, data: bytes) -> bytes:
        """The component that a core module makes."""


class OnPath:
    """The wasm-tools of the PATH."""

    knows_packages = True

    def __init__(self, program: str) -> None:
        self._program = program
        self.name = self._run("--version").decode().strip()

    def wit(self, data: bytes) -> str:
        return self._on("in.wasm", data, "component", "wit", "--all-features").decode()

    def dummy(self, text: str, world: str) -> bytes:
        return self._on("in.wit", text.encode(), *["component", "embed", "--dummy", "--all-features", "--world"], world)

    def new(self, data: bytes) -> bytes:
        return self._on("in.wasm", data, "component", "new")

    def _on(self, name: str, content: bytes, *arguments: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            return self._run(*arguments, str(path))

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run([self._program, *arguments], capture_output=True)
        if done.returncode:
            raise PeerError(" ".join(done.stderr.decode().split())[:200])
        return done.stdout


class FromNpm:
    """The wasm-tools that npm has, in `NPM_FOLDER`."""

    knows_packages = False
    name = f"wasm-tools of {NPM_PACKAGE}"

    def __init__(self) -> None:
        NPM_FOLDER.mkdir(parents=True, exist_ok=True)
        if not (NPM_FOLDER / "node_modules").exists():
            subprocess.run(["npm", "install", "--silent", "--prefix", NPM_FOLDER, NPM_PACKAGE], check=True)
        self._script = shutil.copy(ROOT / "scripts/wasm_tools.mjs", NPM_FOLDER)
        self._process: subprocess.Popen[str] | None = None

    def wit(self, data: bytes) -> str:
        return self._ask(verb="wit", data=base64.b64encode(data).decode()).decode()

    def dummy(self, text: str, world: str) -> bytes:
        return self._ask(verb="dummy", text=text, world=world)

    def new(self, data: bytes) -> bytes:
        return self._ask(verb="new", data=base64.b64encode(data).decode())

    def _ask(self, **request: str) -> bytes:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                ["node", self._script], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"failed": "node ended"}')
        if "done" in answer:
            return base64.b64decode(answer["done"])
        self._process.communicate()
        self._process = None
        raise PeerError(answer["failed"])


def find_peer() -> Peer | None:
    """A wasm-tools that there is on this machine, or that npm can fetch."""
    program = shutil.which("wasm-tools")
    if program is not None:
        return OnPath(program)
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    try:
        return FromNpm()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"npm can't fetch {NPM_PACKAGE}: {error}", file=sys.stderr)
        return None


def packages() -> Iterator[tuple[str, list[Path]]]:
    """The roots of each package to look at."""
    for contract in find_project(ROOT).contracts:
        yield f"contract {contract.name}", list(contract.roots)
    golden = ROOT / "tests/resolve/golden/pass"
    for path in sorted(path for path in golden.iterdir() if path.suffix == ".wit" or path.is_dir()):
        yield f"rule {path.stem}", [path]
    wasi = find_wasi()
    if wasi is not None:
        folders = sorted((wasi / "deps").iterdir())
        for path in folders:
            yield f"WASI {path.stem}", [*(other for other in folders if other != path), path]


class Check:
    """Counts what is the same, and prints what is not."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.found: Counter[str] = Counter()

    def package(self, name: str, loaded: Loaded) -> None:
        """A package, and each of its worlds."""
        resolve, main = loaded.resolve, loaded.main
        text = package_text(resolve, main)
        if self.peer.knows_packages:
            try:
                data = binary.encode_package(resolve, main)
            except ValueError as error:
                self.found["packages without a binary form"] += 1
                print(f"{name}: {error}")
                return
            self.printed("packages", name, data)
        for world in resolve.packages[main].worlds.values():
            self.world(f"{name}, world {resolve.worlds[world].name}", resolve, world, text)

    def world(self, name: str, resolve: ir.Resolve, world: ir.WorldId, text: str) -> None:
        """A world, as the component of a guest that does nothing."""
        try:
            core = self.peer.dummy(text, identifier(resolve.worlds[world].name))
            theirs = self.peer.wit(self.peer.new(core))
        except PeerError as error:
            self.found["worlds of which wasm-tools makes no component"] += 1
            print(f"{name}: not compared, {error}")
            return
        ours = with_section(core, binary.encode_component_type(resolve, world))
        try:
            component = self.peer.new(ours)
            self.same("worlds", name, theirs, self.peer.wit(component))
        except PeerError as error:
            self.found["worlds that are REFUSED"] += 1
            print(f"{name}: {error}")
            return
        self.printed("components", name, component)

    def printed(self, what: str, name: str, data: bytes) -> None:
        """A binary, as both print it."""
        try:
            theirs = self.peer.wit(data)
        except PeerError as error:
            self.found[f"{what} that are REFUSED"] += 1
            print(f"{name}: {error}")
            return
        self.same(what, name, printed(data), theirs)

    def same(self, what: str, name: str, wanted: str, theirs: str) -> None:
        """Compares a text with one that wasm-tools prints."""
        if not self.peer.knows_packages:
            wanted = _NESTED.split(wanted)[0]
        if wanted.strip() == theirs.strip():
            result = "the same"
        elif without_comments(wanted) == without_comments(theirs):
            # witgen prints documentation so that it is read back as it was; wasm-tools doesn't always.
            result = "the same but for comments"
            print(f"{name}: differs in comments")
        else:
            result = "DIFFERENT"
            print(f"{name}: DIFFERENT\n--- witgen\n{wanted}\n--- wasm-tools\n{theirs}")
        self.found[f"{what} that are {result}"] += 1


def without_comments(text: str) -> list[str]:
    """The lines of a text that are neither empty nor comments."""
    return [line for line in re.sub(r"///[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL).split("\n") if line.strip()]


def printed(data: bytes) -> str:
    """A package or component as witgen prints it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.wasm")
        path.write_bytes(data)
        loaded = load([path], all_features=True)
    return package_text(loaded.resolve, loaded.main)


def with_section(core: bytes, payload: bytes) -> bytes:
    """A core module with another section that says its world."""
    sections = outline(Reader(core), 0, len(core)).custom_sections
    (old,) = [each for each in sections if each.name.startswith(SECTION)]
    size = len(name_bytes(old.name)) + len(old.data)
    start = old.offset - 1 - len(unsigned(size))
    return core[:start] + section(0, name_bytes(old.name) + payload) + core[old.offset + size :]


def main(components: list[str]) -> int:
    """The exit code; `components` are files to look at beside those that come with the project."""
    peer = find_peer()
    if peer is None:
        print("there is neither wasm-tools on the PATH nor node with npm to fetch it", file=sys.stderr)
        return 3
    print(f"comparing with {peer.name}")
    check = Check(peer)
    for name, roots in packages():
        try:
            check.package(name, load(roots, all_features=True))
        except WitError as error:
            check.found["packages that can't be loaded"] += 1
            print(f"{name}: {error}")
    for path in [*ROOT.glob("plugins/*/prebuilt/*.wasm"), *map(Path, components)]:
        check.printed("components", path.name, path.read_bytes())
    for what, count in sorted(check.found.items()):
        print(f"{count:>5}  {what}")
    return int(any(word in what for what in check.found for word in ("DIFFERENT", "REFUSED", "loaded")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
