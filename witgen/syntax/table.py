"""The parse table of the WIT grammar: where it comes from and how it is kept.

Lark turns ``grammars/wit.lark`` into LALR(1) tables; this module flattens them into plain numbers, so that parsing
needs neither lark nor a tree of its own. The flat table is kept in the store under the digest of the grammar and of
this file. Nothing here knows a word of WIT.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from witgen import store
from witgen.assets import grammar_path

__all__ = ["Rule", "Table", "Terminal", "load_table"]

#: The terminal that follows the last one.
END = "$END"

#: Words that no rule uses, but that are taken all the same.
_RESERVED = ("FROM",)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal of the grammar: a fixed text, or a regular expression where `is_pattern`.

    A `soft` word stands for itself only where no other terminal of the same text fits; an `ignored` terminal may stand
    between any two others.
    """

    name: str
    text: str
    is_pattern: bool
    soft: bool
    ignored: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A production: `length` symbols on the stack become one `symbol`.

    `node` names the action that makes its value; it is None where the value is a list of children that goes up into
    the parent (`inlined`), or the only child itself. `shape` says what the children are: ``-1`` for one that is absent,
    ``2 * i`` for the value of the symbol at `i`, ``2 * i + 1`` for the elements of the list at `i`.
    """

    symbol: int
    length: int
    node: str | None
    inlined: bool
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """LALR(1) tables. Terminals, non-terminals, states and rules are all numbered from 0.

    ``actions[state]`` maps a terminal to the state to go to, or to ``~rule`` where the rule is to be reduced;
    ``gotos[state]`` maps a non-terminal to a state. The parse ends in `final`. The last terminal is the end of the
    text.
    """

    terminals: tuple[Terminal, ...]
    actions: tuple[dict[int, int], ...]
    gotos: tuple[dict[int, int], ...]
    rules: tuple[Rule, ...]
    start: int
    final: int


@functools.cache
def load_table() -> Table:
    """The table of the grammar, from the cache where it is there."""
    grammar = grammar_path().read_bytes()
    key = store.key_of(Path(__file__).read_bytes(), grammar)
    kept = store.get("table", key)
    if kept is not None:
        return _unpack(kept)
    table = compile_table(grammar.decode())
    store.put("table", key, _pack(table))
    return table


def compile_table(grammar: str) -> Table:
    """The table of a grammar in lark's notation. Raises what lark raises where it isn't LALR(1)."""
    import lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    class KeepReserved:
        always_accept = _RESERVED

        def process(self, stream: Any) -> Any:
            return stream

    built = lark.Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        start="file",
        maybe_placeholders=True,
        postlex=KeepReserved(),
    )
    data, memo = built.memo_serialize([TerminalDef, LarkRule])
    ignored = set(data["parser"]["lexer_conf"]["ignore"])
    terminals = [
        Terminal(
            name=entry["name"],
            text=entry["pattern"]["value"],
            is_pattern=entry["pattern"]["__type__"] == "PatternRE",
            soft=entry["priority"] < 0,
            ignored=entry["name"] in ignored,
        )
        for entry in memo.values()
        if entry["__type__"] == "TerminalDef"
    ]
    terminals.append(Terminal(END, "", is_pattern=False, soft=False, ignored=False))
    return _flatten(tuple(terminals), data["parser"]["parser"], memo)


def _flatten(terminals: tuple[Terminal, ...], tables: dict[str, Any], memo: dict[int, Any]) -> Table:
    """Lark's tables in terms of our numbers."""
    number = {terminal.name: i for i, terminal in enumerate(terminals)}
    symbols: dict[str, int] = {}
    rules: list[Rule] = []
    rule_number: dict[int, int] = {}
    for key, entry in memo.items():
        if entry["__type__"] == "Rule":
            rule_number[key] = len(rules)
            symbol = symbols.setdefault(entry["origin"]["name"], len(symbols))
            rules.append(_flatten_rule(symbol, entry))
    names: dict[int, str] = tables["tokens"]
    actions: list[dict[int, int]] = [{} for _ in tables["states"]]
    gotos: list[dict[int, int]] = [{} for _ in tables["states"]]
    for state, row in tables["states"].items():
        for token, (is_reduce, target) in row.items():
            name = names[token]
            if is_reduce:
                actions[state][number[name]] = ~rule_number[target["@"]]
            elif name in number:
                actions[state][number[name]] = target
            else:
                gotos[state][symbols[name]] = target
    return Table(
        terminals=terminals,
        actions=tuple(actions),
        gotos=tuple(gotos),
        rules=tuple(rules),
        start=tables["start_states"]["file"],
        final=tables["end_states"]["file"],
    )


def _flatten_rule(symbol: int, entry: dict[str, Any]) -> Rule:
    """One of lark's rules, with its rules of which children count worked out."""
    name: str = entry["origin"]["name"]
    options = entry["options"]
    expansion = entry["expansion"]
    absent = [len(run) for run in "".join(str(int(b)) for b in options["empty_indices"]).split("0")]
    if not options["empty_indices"]:
        absent = [0] * (len(expansion) + 1)
    shape: list[int] = []
    for i, child in enumerate(expansion):
        shape += [-1] * absent[i]
        if child["__type__"] == "NonTerminal":
            shape.append(2 * i + child["name"].startswith("_"))
        elif options["keep_all_tokens"] or not child["filter_out"]:
            shape.append(2 * i)
    shape += [-1] * absent[len(expansion)]
    inlined = name.startswith("_")
    is_child_itself = options["expand1"] and entry["alias"] is None and len(shape) == 1
    node = None if inlined or is_child_itself else str(entry["alias"] or name)
    return Rule(symbol, len(expansion), node, inlined, tuple(shape))


def _pack(table: Table) -> bytes:
    data = asdict(table)
    # The keys of JSON are strings; ours are numbers.
    data["actions"] = [list(row.items()) for row in table.actions]
    data["gotos"] = [list(row.items()) for row in table.gotos]
    return json.dumps(data, separators=(",", ":")).encode()


def _unpack(payload: bytes) -> Table:
    data = json.loads(payload)
    return Table(
        terminals=tuple(Terminal(**entry) for entry in data["terminals"]),
        actions=tuple(dict(row) for row in data["actions"]),
        gotos=tuple(dict(row) for row in data["gotos"]),
        rules=tuple(Rule(**{**entry, "shape": tuple(entry["shape"])}) for entry in data["rules"]),
        start=data["start"],
        final=data["final"],
    )
