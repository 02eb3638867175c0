"""Orders in which everything comes after what it depends on, and cycles where there is none."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from witgen.diagnostics import Note, Span, WitError

if TYPE_CHECKING:
    from witgen.syntax import ast

__all__ = ["did_you_mean", "sort_by_dependency", "spelled_out"]

#: Among more names the comparison takes longer than a suggestion is worth.
_MOST_CANDIDATES = 1_000
_LONGEST_CYCLE = 12


def sort_by_dependency(what: str, edges: Mapping[str, Sequence[ast.Name]]) -> list[str]:
    """The names in an order in which each follows all that it depends on, and otherwise in their own order.

    `edges` maps each name to what it depends on, all of which are among the names; `what` says in words what these are
    names of. Raises WitError where they depend on each other in a circle.
    """
    position = {name: i for i, name in enumerate(edges)}
    names = list(edges)
    waiting = [len(dependencies) for dependencies in edges.values()]
    dependents: list[list[int]] = [[] for _ in names]
    for i, dependencies in enumerate(edges.values()):
        for dependency in dependencies:
            dependents[position[dependency.text]].append(i)
    ready = [i for i, count in enumerate(waiting) if count == 0]
    order: list[str] = []
    while ready:
        done = heapq.heappop(ready)
        order.append(names[done])
        for i in dependents[done]:
            waiting[i] -= 1
            if waiting[i] == 0:
                heapq.heappush(ready, i)
    if len(order) < len(names):
        raise _cycle(what, edges, {name for name, count in zip(names, waiting, strict=True) if count})
    return order


def _cycle(what: str, edges: Mapping[str, Sequence[ast.Name]], stuck: set[str]) -> WitError:
    """The error for names that can't be ordered; all of `stuck` depend on one that is on a cycle."""
    first = next(dep for name, deps in edges.items() if name in stuck for dep in deps if dep.text in stuck)
    path: dict[str, Span] = {}
    at = first
    while at.text not in path:
        path[at.text] = at.span
        at = next(dep for dep in edges[at.text] if dep.text in stuck)
    cycle = list(path)[list(path).index(at.text) :]
    if len(cycle) == 1:
        return WitError.at(first.span, f"{what} `{first.text}` depends on itself")
    return WitError.at(first.span, f"{what} `{first.text}` depends on itself", spelled_out([*cycle, cycle[0]]))


def spelled_out(cycle: Sequence[object]) -> Note:
    """A note with the names of a cycle, its first again at the end; of a long one the middle is left out."""
    names = [f"`{name}`" for name in cycle]
    if len(names) > _LONGEST_CYCLE:
        names[_LONGEST_CYCLE - 2 : -1] = ["…"]
    return Note(f"the cycle is {' → '.join(names)}")


def did_you_mean(name: str, candidates: Collection[str]) -> list[Note]:
    """A note that proposes the candidate most like `name`, if one is like it at all.

    Among thousands of names none is looked for: that would take longer than all the rest.
    """
    import difflib

    if len(candidates) > _MOST_CANDIDATES:
        return []
    alike = [other for other in candidates if abs(len(other) - len(name)) <= len(name) // 2 + 1]
    close = difflib.get_close_matches(name, alike, n=1)
    return [Note(f"did you mean `{close[0]}`?")] if close else []
