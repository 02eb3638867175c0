"""The guest of `world.wit` in Python, for componentize-py."""

import sys
from dataclasses import replace

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import host
from wit_world.imports.types import Access, Problem, Shape_Circle, Shape_Path


class Guest(exports.Guest):
    def add(self, a, b):
        host.log(f"add {a} {b}")
        return (a + b) % 2**32

    def reverse(self, data):
        return data[::-1]

    def shift(self, p, by):
        return replace(p, x=p.x + by[0], y=p.y + by[1], name=p.name.upper())

    def area(self, shape):
        match shape:
            case Shape_Circle(radius):
                return 3 * radius * radius
            case Shape_Path(points):
                return float(len(points))
        return None

    def nested(self, value):
        return value

    def toggle(self, have, want):
        return have ^ want | Access.ADMIN

    def find(self, name):
        if name == "locked":
            raise Err(Problem.LOCKED)
        return host.look_up(name)

    def count(self, counter, times):
        return [counter.next() for _ in range(times)]

    def keep(self, counter):
        counter.next()
        return counter

    def scalars(self, a, b, c, d, e, f, g):
        return a, b, c, d, e, f, g

    def print(self, line):
        print(line)
        sys.stdout.flush()

    def fail(self):
        raise ValueError("on purpose")
