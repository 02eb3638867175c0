"""The LALR(1) automaton: terminals in, the value of the first rule out.

It works on the numbers of a parse table and calls an action for each rule; it knows no rule by name. It keeps its own
stack, so that the depth of the text is limited by the lexer and not by Python's. What becomes of a terminal that
doesn't fit is for others to say.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from witgen.syntax.table import Rule, Table

__all__ = ["Unexpected", "Word", "acceptable", "run"]

#: A terminal of a text: its number, its start and its end.
Word: TypeAlias = tuple[int, int, int]

#: Makes the value of a rule or terminal from its start, its end and, for a rule, its children.
Action: TypeAlias = Callable[..., Any]

#: Takes from the values of a rule's symbols those that count.
Select: TypeAlias = Callable[[list[Any]], Any]


class Unexpected(Exception):
    """A terminal that doesn't fit where it stands."""

    def __init__(self, terminal: int, start: int, end: int, previous_end: int, shifted: int, states: list[int]) -> None:
        super().__init__(terminal, start, end)
        self.terminal = terminal
        self.start = start
        self.end = end
        #: The end of the terminal before, 0 where there is none.
        self.previous_end = previous_end
        #: How many terminals were taken before.
        self.shifted = shifted
        #: The stack of states.
        self.states = states


#: Says after an error how much of the stack of states stays and which terminal is next; None where that was all.
Resume: TypeAlias = Callable[[Unexpected, Iterator[Word]], tuple[int, Word] | None]


def run(table: Table, soft: dict[int, int], terminals: Iterator[Word], actions: object, resume: Resume) -> Any:
    """Parse `terminals` (the last is the end of the text) and return what the whole comes to.

    `actions` has a method for each node of the table and for each terminal that has a value; `soft` says what a soft
    word is where it doesn't fit as itself. Where neither fits, `resume` says how to go on; where it doesn't, there is
    nothing to return: None. Raises whatever the terminals and actions raise.
    """
    rows, gotos = table.actions, table.gotos
    on_terminal = [_terminal_action(table, actions, i) for i in range(len(table.terminals))]
    reductions = [_reduction(rule, actions) for rule in table.rules]
    state = table.start
    states = [state]
    values: list[Any] = []
    starts: list[int] = []
    previous_end = 0
    shifted = 0
    for terminal, start, end in terminals:
        while True:
            action = rows[state].get(terminal)
            if action is None:
                if terminal in soft and soft[terminal] in rows[state]:
                    terminal = soft[terminal]
                    continue
                error = Unexpected(terminal, start, end, previous_end, shifted, states)
                resumed = resume(error, terminals)
                if resumed is None:
                    return None
                kept, (terminal, start, end) = resumed
                del states[kept:], values[kept - 1 :], starts[kept - 1 :]
                state = states[-1]
                continue
            if action >= 0:
                state = action
                states.append(state)
                make = on_terminal[terminal]
                values.append(make(start, end) if callable(make) else make)
                starts.append(start)
                previous_end = end
                shifted += 1
                break
            symbol, length, act, select, collect = reductions[~action]
            if length == 1:
                # In place: most rules of the grammar name one symbol after another.
                if act is not None:
                    values[-1] = act(starts[-1], previous_end, *select(values[-1:]))
                elif collect is not None:
                    values[-1] = collect(values[-1:])
                state = gotos[states[-2]][symbol]
                states[-1] = state
            else:
                if length:
                    children = values[-length:]
                    begin = starts[-length]
                    del values[-length:], starts[-length:], states[-length:]
                else:
                    children = []
                    begin = start
                if act is not None:
                    values.append(act(begin, previous_end, *select(children)))
                elif collect is not None:
                    values.append(collect(children))
                state = gotos[states[-1]][symbol]
                states.append(state)
                starts.append(begin)
            if state == table.final:
                return values[-1]
    raise AssertionError("the terminals have no end")


def acceptable(table: Table, states: list[int]) -> set[int]:
    """The terminals that would have fitted where an `Unexpected` was raised.

    The row of the state alone says too much: it also holds what some other way here could go on with.
    """
    return {terminal for terminal in table.actions[states[-1]] if _accepts(table, list(states), terminal)}


def _accepts(table: Table, states: list[int], terminal: int) -> bool:
    while True:
        action = table.actions[states[-1]].get(terminal)
        if action is None:
            return False
        if action >= 0:
            return True
        rule = table.rules[~action]
        if rule.length:
            del states[-rule.length :]
        states.append(table.gotos[states[-1]][rule.symbol])
        if states[-1] == table.final:
            return True


def _reduction(rule: Rule, actions: object) -> tuple[int, int, Action | None, Select, Select | None]:
    """What `run` needs of a rule: its symbol and length; its action and what that gets to see; or, for a rule that
    makes a list, the list. A rule without either stands for its only symbol."""
    if rule.node is not None:
        return rule.symbol, rule.length, getattr(actions, rule.node), _selection(rule), None
    select = functools.partial(_children, rule)
    return rule.symbol, rule.length, None, select, select if rule.inlined else None


def _selection(rule: Rule) -> Select:
    """`_children` of a rule, made for it where each child is the value of one symbol."""
    if not rule.shape or any(entry < 0 or entry & 1 for entry in rule.shape):
        return functools.partial(_children, rule)
    if len(rule.shape) == 1:
        at = slice(rule.shape[0] >> 1, (rule.shape[0] >> 1) + 1)
        return operator.itemgetter(at)
    return operator.itemgetter(*(entry >> 1 for entry in rule.shape))


def _children(rule: Rule, values: list[Any]) -> list[Any]:
    """What of the values of a rule's symbols its action gets to see."""
    shape = rule.shape
    if rule.inlined and shape and shape[0] & 1:
        # A list that grows at its end: nobody else has it yet.
        children: list[Any] = values[shape[0] >> 1]
        shape = shape[1:]
    else:
        children = []
    for entry in shape:
        if entry < 0:
            children.append(None)
        elif entry & 1:
            children += values[entry >> 1]
        else:
            children.append(values[entry >> 1])
    return children


def _terminal_action(table: Table, actions: object, number: int) -> Action | str | None:
    """What makes the value of a terminal; the text itself for a keyword."""
    terminal = table.terminals[number]
    if terminal.is_pattern:
        make: Action | None = getattr(actions, terminal.name, None)
        return make
    return terminal.text
