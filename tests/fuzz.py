"""Fuzzing by the clock: ``python -m tests.fuzz --minutes 10``, or ``make fuzz``.

Texts and binaries that were right are broken at random. Whatever comes of it, each must be read, formatted, printed,
digested and encoded, or refused with errors that have a place; nothing may fail in any other way. What fails is made
smaller by hypothesis, printed and kept in ``target/fuzz``; the exit code is 1.

Random types are not broken: values of them go through an adapter and a guest, and have to come back (`tests.runtime`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.binary.samples import SAMPLES, component, sample
from tests.binary.test_text_rules import IN_TEXT
from tests.fmt.support import check_laws
from tests.fmt.support import texts as texts_at_hand
from tests.packages import random_package
from tests.printer.support import outline
from tests.runtime.test_random_types import ENCODINGS, check_package, contract
from witgen import ir
from witgen.binary import encode_component_type, encode_package
from witgen.contract.digest import Digests
from witgen.diagnostics import Source, WitError
from witgen.printer import json_text, package_text
from witgen.reports import FORMATS, render
from witgen.resolve import Loaded, load
from witgen.syntax import parse
from witgen.syntax.tokens import read_tokens

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "target/fuzz"
#: What is put between words beside words of other texts.
NASTY = [
    "\0",
    "\r",
    "\u202e",
    "\ufeff",
    "é",
    "%",
    "_",
    "-",
    '"',
    "\\",
    "/*",
    "*/",
    "//",
    "\n",
    "@",
    "0",
    "1.0.0-",
    "<" * 101,
]
LONGEST = 4_000
#: In a round of types: packages, and values of each of their functions.
PACKAGES = 10
EXAMPLES = 5
#: What text can say and the binary form can't, in the words of the encoder.
ONLY_IN_TEXT = (
    "has no fields",
    "has no types",
    "has no elements",
    "not 1 to",
    "has capital letters in its name",
    "are the same name in the binary form",
)

#: Where in a text (0..1), what happens there (see `broken`), and with which piece.
Change = tuple[float, int, int]
changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 4), st.integers(0)), max_size=4)


class Corpus:
    """What is broken: texts at hand and random packages, as rows of words and what is between them; and binaries."""

    def __init__(self, chance: random.Random) -> None:
        texts = [text for text in texts_at_hand().values() if len(text) < LONGEST]
        texts += (random_package(chance) for _ in range(200))
        self.rows = [pieces(text) for text in texts]
        self.words = sorted({piece for row in self.rows for piece in row if piece.strip()}) + NASTY
        self.binaries = [binary for text in texts if (binary := encoded(text)) is not None]
        self.binaries += map(sample, SAMPLES)
        self.binaries += map(component, IN_TEXT.values())


def pieces(text: str) -> list[str]:
    """A text cut into words and what is between them."""
    places = [place for place in read_tokens(Source("a.wit", text)).words if place[0] < place[1]]
    cuts = sorted({0, len(text), *itertools.chain.from_iterable(places)})
    return [text[start:end] for start, end in itertools.pairwise(cuts)]


def encoded(text: str) -> bytes | None:
    """The binary form of a package; None where it is in need of others."""
    loaded = verdict(text.encode(), ".wit")
    return None if loaded is None else in_binary(encode_package, loaded.resolve, loaded.main)


def in_binary(encode: Callable[..., bytes], *what: object) -> bytes | None:
    """Something in the binary form; None where that form can't say it."""
    try:
        return encode(*what)
    except ValueError as error:
        assert any(reason in str(error) for reason in ONLY_IN_TEXT), error
        return None


def broken(row: Sequence[str], words: Sequence[str], todo: Sequence[Change]) -> str:
    """A text with something left out, doubled, put in, replaced or swapped."""
    row = list(row)
    for place, what, number in todo:
        at = int(place * len(row))
        word = words[number % len(words)]
        other = number % max(1, len(row))
        match what:
            case 0:
                row[at : at + 1] = []
            case 1:
                row[at:at] = row[at : at + 1 + number % 9]
            case 2:
                row[at:at] = [f" {word} "]
            case 3:
                row[at : at + 1] = [word]
            case _ if row:
                row[at], row[other] = row[other], row[at]
    return "".join(row)


def broken_bytes(data: bytes, todo: Sequence[Change]) -> bytes:
    """A binary with bytes changed, left out, doubled or cut off."""
    found = bytearray(data)
    for place, what, number in todo:
        at = int(place * len(found))
        match what:
            case 0:
                del found[at : at + 1 + number % 4]
            case 1:
                found[at:at] = found[at : at + 1 + number % 40]
            case 2 if number % 8 == 0:
                del found[at:]
            case _ if found:
                found[at] = number % 256
    return bytes(found)


def verdict(data: bytes, suffix: str) -> Loaded | None:
    """What a file resolves to; None where it is refused, once the report has been looked at."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        path.write_bytes(data)
        try:
            return load([path], features=["active"])
        except WitError as error:
            assert error.diagnostics
            for form in FORMATS:
                assert render(form, error.diagnostics)
            return None


def check_forms(loaded: Loaded) -> str:
    """A model can be put in every form; its text is returned."""
    resolve = loaded.resolve
    json.loads(json_text(resolve))
    digests = Digests(resolve)
    for number in range(len(resolve.interfaces)):
        digests.interface(ir.InterfaceId(number), "x")
    for number in range(len(resolve.worlds)):
        digests.world(ir.WorldId(number))
        in_binary(encode_component_type, resolve, ir.WorldId(number))
    in_binary(encode_package, resolve, loaded.main)
    return package_text(resolve, loaded.main)


def check_model(loaded: Loaded) -> None:
    """A model can be put in every form, and its text comes to the same model."""
    printed = check_forms(loaded)
    again = verdict(printed.encode(), ".wit")
    assert again is not None, printed
    assert outline(again.resolve) == outline(loaded.resolve), printed


def check_text(text: str) -> str:
    """All that must hold for a text; what it turned out to be."""
    data = text.encode("utf-8", "surrogatepass")
    loaded = verdict(data, ".wit")
    try:
        parse(Source("a.wit", text))
    except WitError:
        assert loaded is None
        return "is no WIT"
    check_laws(text)
    if loaded is None:
        return "does not resolve"
    check_model(loaded)
    return "resolves"


def check_binary(data: bytes) -> str:
    """All that must hold for a binary; what it turned out to be."""
    loaded = verdict(data, ".wasm")
    if loaded is None:
        return "binary refused"
    printed = check_forms(loaded)
    assert verdict(printed.encode(), ".wit") is not None, printed
    return "binary read"


def run(corpus: Corpus, kinds: Sequence[str], minutes: float, found: Counter[str]) -> None:
    """Fuzz until the time is over, or something fails: then raises what hypothesis raises, the input kept."""
    numbers = st.integers(0, 2**32)
    told = 0.0
    # Another one each time, or the random types would be the same.
    first = random.randrange(2**32)
    for chance in range(first, first + 2**32):
        for kind in kinds:
            ROUNDS[kind](corpus, numbers, found, chance)()
            done = time.monotonic() - STARTED
            if done > told + 60 or done > 60 * minutes:
                print(f"{done:>5.0f} s  {', '.join(f'{n} {what}' for what, n in sorted(found.items()))}", flush=True)
                told = done
            if done > 60 * minutes:
                return


def text_round(corpus: Corpus, numbers: st.SearchStrategy[int], found: Counter[str], chance: int) -> Callable[[], None]:
    @seed(chance)
    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(numbers, changes)
    def texts(number: int, todo: list[Change]) -> None:
        text = broken(corpus.rows[number % len(corpus.rows)], corpus.words, todo)
        keep("text.wit", text.encode("utf-8", "surrogatepass"))
        found[check_text(text)] += 1

    return texts


def binary_round(
    corpus: Corpus, numbers: st.SearchStrategy[int], found: Counter[str], chance: int
) -> Callable[[], None]:
    @seed(chance)
    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(numbers, changes)
    def binaries(number: int, todo: list[Change]) -> None:
        data = broken_bytes(corpus.binaries[number % len(corpus.binaries)], todo)
        keep("binary.wasm", data)
        found[check_binary(data)] += 1

    return binaries


def type_round(corpus: Corpus, numbers: st.SearchStrategy[int], found: Counter[str], chance: int) -> Callable[[], None]:
    def types() -> None:
        for number in range(PACKAGES * chance, PACKAGES * (chance + 1)):
            encoding = ENCODINGS[number % len(ENCODINGS)]
            text = contract(random.Random(number))
            keep("types.wit", f"// check_package({number}, {encoding!r}, {EXAMPLES})\n{text}\n".encode())
            check_package(number, encoding, EXAMPLES)
            found["package of types carried"] += 1

    return types


def keep(name: str, data: bytes) -> None:
    """Keep what is tried next; after a failure the smallest that fails is what stays."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / name).write_bytes(data)


#: By the kind of what is tried: from the corpus, a strategy of numbers, what was found and a seed to what does a round.
ROUNDS: dict[str, Callable[[Corpus, st.SearchStrategy[int], Counter[str], int], Callable[[], None]]] = {
    "texts": text_round,
    "binaries": binary_round,
    "types": type_round,
}


def main() -> int:
    """0 after the time, 1 after a failure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kind", choices=ROUNDS, action="append", help="what is tried; all without")
    options = parser.parse_args()
    minutes: float = options.minutes
    os.environ["WITGEN_CACHE"] = "off"
    found: Counter[str] = Counter()
    try:
        run(Corpus(random.Random(time.time_ns())), options.kind or list(ROUNDS), minutes, found)
    except Exception as error:
        import traceback

        traceback.print_exception(error)
        print(f"\nfailed; what it failed on is in {KEPT.relative_to(ROOT)}", file=sys.stderr)
        return 1
    print(f"{sum(found.values())} inputs in {minutes:g} minutes, none of which failed")
    return 0


STARTED = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
