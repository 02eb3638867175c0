"""What reading contracts costs: starting, checking a lock, parsing and resolving, from 10 kB to 10 MB.

Whole processes are held against ``python -c pass``, which is what starting Python costs. Parsing and resolving are held
against the least that can be done with a text, one pass of a regular expression over its words, and against lark, which
parses the same text by the same grammar into a tree that nobody has resolved yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import lark
from measure import ROOT, ms, processes, seconds

sys.path.insert(0, str(ROOT / "scripts"))
from fetch_wasi import fetch, find

from witgen.assets import grammar_path
from witgen.diagnostics import Source
from witgen.fmt import format_source
from witgen.resolve import load
from witgen.syntax import parse

TITLE = "Front end"
HEAD = ("What", "witgen", "Peer or floor", "", "Ratio", "Wanted")

WITGEN = [sys.executable, "-m", "witgen.cli"]
PASS = [sys.executable, "-c", "pass"]
LOAD = "import sys, pathlib\nfrom witgen.resolve import load\nload([pathlib.Path(sys.argv[1])])"
#: The most memory that the process had, in kilobytes; not by `getrusage`, which counts the parent's too.
STATUS = Path("/proc/self/status")
PEAK = f"peak = lambda: int(open({str(STATUS)!r}).read().split('VmHWM:')[1].split()[0])"
#: A pass over the words of a text that keeps none of them.
WORDS = re.compile(r"(?:[ \t\n]++|//[^\n]*+)++|%?[A-Za-z][0-9A-Za-z-]*+|[0-9.]++|->|.")

INTERFACE = """\
/// Interface number #.
interface iface-# {
  use common.{id, problem};

  /// Something that is looked after.
  record thing-# { name: string, size: u64, parts: list<tuple<id, string>> }
  variant event-# { none, text(string), thing(thing-#) }
  resource blob-# {
    constructor(thing: thing-#);
    /// Reads from a place.
    read: func(at: u64, length: u32) -> result<list<u8>, problem>;
  }
  %functions
}
"""
FUNCTION = """\
  /// Does something with a thing.
  do-it-#: func(what: event-@, blob: borrow<blob-@>) -> result<option<string>, problem>;
"""


def conditions() -> str:
    """What the measurements depend on, beside the machine."""
    return f"lark {metadata.version('lark')}"


def contract(size: int) -> str:
    """A contract of about `size` bytes: interfaces of ten items, and a world that imports them all."""
    functions = "".join(FUNCTION.replace("#", str(number)) for number in range(7)).strip()
    template = INTERFACE.replace("%functions", functions)
    parts = ["package bench:large;\ninterface common { type id = u32; enum problem { none, some } }\n"]
    total = number = 0
    while total < size:
        parts.append(template.replace("#", str(number)).replace("@", str(number)))
        total += len(parts[-1]) + len(f"import iface-{number};")
        number += 1
    imports = "".join(f" import iface-{i};" for i in range(number))
    return "".join(parts) + f"world w {{{imports} }}\n"


def rows() -> Iterator[tuple[str, ...]]:
    """All measurements."""
    yield from start_rows()
    yield from format_rows()
    with tempfile.TemporaryDirectory() as folder:
        yield from size_rows(Path(folder))
        yield from memory_rows(Path(folder))
    wasi = find()
    try:
        wasi = wasi or fetch()
    except (OSError, subprocess.CalledProcessError) as error:
        yield ("WASI 0.2", f"not measured: its files are not here ({error})", "", "", "", "")
        return
    yield from wasi_rows(wasi)


def start_rows() -> Iterator[tuple[str, ...]]:
    """Commands that have nothing to do in this repository."""
    rows = (
        ("`witgen --version`", ["--version"], "≤ 6"),
        ("`witgen hash --check`, nothing changed", ["hash", "--check"], "≤ 6"),
        ("`witgen check` of this repository, nothing changed", ["check"], "≤ 2 s"),
    )
    commands = [[*WITGEN, *args] for _, args, _ in rows]
    for command in commands:
        # What they find is kept for the runs that are measured.
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    floor, *times = processes([PASS, *commands])
    for (name, _, wanted), ours in zip(rows, times, strict=True):
        yield (name, ms(ours), "`python -c pass`", ms(floor), f"{ours / floor:.1f}", wanted)


def format_rows() -> Iterator[tuple[str, ...]]:
    """Formatting, against parsing alone."""
    for exponent in (5, 6):
        source = Source("large.wit", contract(10**exponent))
        ours = seconds(lambda source=source: format_source(source), rounds=3)  # type: ignore[misc]
        theirs = seconds(lambda source=source: parse(source), rounds=3)  # type: ignore[misc]
        yield (
            f"format {len(source.text):,} bytes",
            ms(ours),
            "parse",
            ms(theirs),
            f"{ours / theirs:.1f}",
            "",
        )


def size_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """Time a byte for texts of all sizes."""
    os.environ["WITGEN_CACHE"] = "off"
    smallest = 0.0
    for exponent in range(4, 8):
        text = contract(10**exponent)
        path = folder / "large.wit"
        path.write_text(text)
        ours = seconds(lambda path=path: load([path]), budget=1.0, rounds=3) / len(text)  # type: ignore[misc]
        words = seconds(lambda text=text: _count_words(text), budget=0.5, rounds=3) / len(text)  # type: ignore[misc]
        smallest = smallest or ours
        name = f"parse and resolve {len(text):,} bytes"
        yield (name, _ns(ours), "words by a regular expression", _ns(words), f"{ours / words:.1f}", "")
    yield (name, _ns(ours), "a byte of the smallest", _ns(smallest), f"{ours / smallest:.2f}", "flat: about 1")
    text = contract(10**5)
    path.write_text(text)
    ours = seconds(lambda: load([path]))
    theirs = _lark_seconds([text])
    yield (
        f"parse and resolve {len(text):,} bytes",
        ms(ours),
        "parse by lark",
        ms(theirs),
        f"{ours / theirs:.2f}",
        "",
    )
    del os.environ["WITGEN_CACHE"]


def memory_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """Memory for a byte of the input, above what is there before."""
    if not STATUS.exists():
        yield ("memory", "not measured: this system does not tell", "", "", "", "")
        return
    script = f"{PEAK}\nimport witgen.resolve.assemble\nbefore = peak()\n{LOAD}\nprint(1024 * (peak() - before))"
    for exponent in (6, 7):
        text = contract(10**exponent)
        path = folder / "large.wit"
        path.write_text(text)
        environment = {**os.environ, "WITGEN_CACHE": "off"}
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], env=environment, check=True, capture_output=True, text=True
        )
        used = int(done.stdout)
        name = f"memory to resolve {len(text):,} bytes"
        yield (
            name,
            f"{used / 1e6:.0f} MB",
            "the text",
            f"{len(text) / 1e6:.1f} MB",
            f"{used / len(text):.0f}",
            "linear",
        )


def wasi_rows(wasi: Path) -> Iterator[tuple[str, ...]]:
    """WASI 0.2, with the worlds of a command and of an HTTP proxy."""
    texts = [path.read_text() for path in sorted(wasi.rglob("*.wit"))]
    size = sum(map(len, texts))
    command = [sys.executable, "-c", LOAD, str(wasi)]
    cold, floor = processes([command, PASS], {**os.environ, "WITGEN_CACHE": "off"}, rounds=5)
    yield (f"WASI 0.2 ({size:,} bytes), process without a cache", ms(cold), "`python -c pass`", ms(floor),
           f"{cold / floor:.0f}", "≤ 1 s")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "WITGEN_CACHE_DIR": folder}
        subprocess.run(command, env=environment, check=True)
        kept, floor = processes([command, PASS], environment)
    yield ("WASI 0.2, process that finds it resolved", ms(kept), "`python -c pass`", ms(floor),
           f"{kept / floor:.1f}", "")  # fmt: skip
    os.environ["WITGEN_CACHE"] = "off"
    ours, theirs = seconds(lambda: load([wasi])), _lark_seconds(texts)
    del os.environ["WITGEN_CACHE"]
    yield (
        "WASI 0.2, parse and resolve",
        ms(ours),
        "parse by lark",
        ms(theirs),
        f"{ours / theirs:.2f}",
        "",
    )


def _count_words(text: str) -> int:
    return sum(1 for _ in WORDS.finditer(text))


def _lark_seconds(texts: list[str]) -> float:
    """How long lark takes to parse texts into trees, its table built before."""
    parser = lark.Lark(grammar_path().read_text(), parser="lalr", start="file", maybe_placeholders=True)
    return seconds(lambda: [parser.parse(text) for text in texts])


def _ns(time: float) -> str:
    return f"{time * 1e9:.0f} ns/byte"
