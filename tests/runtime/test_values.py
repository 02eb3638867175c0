"""Values of every type, through a guest that passes them on: what goes in arrives at the host, and comes back.

Each type is the only parameter, one of more than go flat, the result, and both sides of a result.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.mirror import mirror
from tests.runtime.support import adapter
from tests.values import AdapterValues, models
from witgen import ir
from witgen import runtime as rt
from witgen.emit.names import snake
from witgen.resolve import load

_MANY = ", ".join(f"c{i}" for i in range(300))
_BITS = ", ".join(f"b{i}" for i in range(32))

DEFINITIONS = f"""
  record point {{ x: s8, y: u64 }}
  record nested {{ a: u8, p: point, b: bool, c: option<point>, t: tuple<u8, s16>, name: string }}
  record keyword {{ %from: u8, %type: s16, self: u32, none: bool, %list: list<u8>, rt: u8, property: u8 }}
  enum colour {{ red, green, blue }}
  enum many {{ {_MANY} }}
  flags few {{ a, b, c }}
  flags dozen {{ a, b, c, d, e, f, g, h, i, j, k, l }}
  flags full {{ {_BITS} }}
  variant shape {{
    nothing, byte(u8), small(s8), wide(s64), word(u32), single(f32), double(f64), letter(char), text(string),
    bytes(list<u8>), pair(tuple<f32, u64>), record-of(point), maybe(option<u16>), outcome(result<f64, string>), on(few),
  }}
  variant floats {{ a(f32), b(u32), c(f64), d(s64), e(s32), f(u64) }}
  variant wide-variant {{ a-1, a2(u8), b(few), c(tuple<u32, f64, string, u8>) }}
  type alias = option<nested>;
"""

#: A type for each function: its name, the type in WIT.
TYPES = {
    **{name: name for name in ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char")},
    **{name: name for name in ("string", "point", "nested", "keyword", "colour", "many", "few", "dozen", "full")},
    **{name: name for name in ("shape", "floats", "wide-variant", "alias")},
    "bytes": "list<u8>",
    "numbers": "list<s32>",
    "reals": "list<f32>",
    "chars": "list<char>",
    "truths": "list<bool>",
    "lists": "list<list<list<u8>>>",
    "shapes": "list<shape>",
    "manies": "list<many>",
    "options": "option<option<option<u8>>>",
    "option-of-result": "option<result<option<string>, few>>",
    "result-of-results": "tuple<result<result<u8, string>, result<_, f64>>, result>",
    "fixed-few": "list<u16, 3>",
    "fixed-points": "list<point, 2>",
    "fixed-long": "list<u32, 40>",
    "fixed-bytes": "list<u8, 100>",
    "fixed-reals": "list<f64, 17>",
    "fixed-long-points": "list<nested, 20>",
    "fixed-of-fixed": "list<list<u8, 5>, 5>",
    "fixed-long-options": "option<list<option<s64>, 33>>",
    "fixed-in-result": "tuple<result<list<string, 9>, list<u8, 20>>>",
    "lists-of-fixed": "list<list<u16, 3>>",
    "map-of-lists": "map<string, list<u8>>",
    "map-of-maps": "map<u8, map<s64, shape>>",
    "map-of-chars": "map<char, option<point>>",
    "tuple-of-one": "tuple<u64>",
    "long-tuple": f"tuple<{', '.join(['u8', 'f64', 'string', 's16'] * 5)}>",
}


def _functions() -> str:
    lines = []
    for name, type_ in TYPES.items():
        lines.append(f"  one-{name}: func(v: {type_}) -> {type_};")
        pad = ", ".join(f"p{i}: u8" for i in range(17))
        lines.append(f"  spilled-{name}: func({pad}, v: {type_}) -> {type_};")
        lines.append(f"  fallible-{name}: func(v: {type_}, fail: bool) -> result<{type_}, {type_}>;")
    return "\n".join(lines)


CONTRACT = f"""
package a:b;
interface values {{
{DEFINITIONS}
{_functions()}
  nothing: func();
}}
world w {{ import values; export values; }}
"""


class Values:
    """A host that gives back what it gets."""

    def __init__(self) -> None:
        self.seen: Any = None

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            self.seen = args
            if name.startswith("fallible") and args[1]:
                raise rt.Err(args[0])
            return args[-1] if name.startswith("spilled") else args[0]

        return call

    def nothing(self) -> None:
        self.seen = ()


class Pair:
    """A running guest and its host."""

    def __init__(self, folder: Path) -> None:
        self.wit = adapter(folder, CONTRACT)
        self.resolve = load([folder / "contract.wit"]).resolve
        self.interface = self.resolve.interfaces[0]
        self.host = Values()
        self.guest = self.wit.W(mirror(self.resolve, ir.InterfaceId(0)), self.wit.WImports(values=self.host)).values

    def types(self) -> dict[str, ir.Type]:
        return {name: self.interface.functions[f"one-{name}"].params[0].type for name in TYPES}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("values"))


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=8, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_value_arrives_and_comes_back(pair: Pair, data: st.DataObject, name: str) -> None:
    type_ = pair.types()[name]
    value = AdapterValues(pair.resolve, pair.wit).value(type_, data.draw(models(pair.resolve, type_)))
    one, spilled, fallible = (getattr(pair.guest, f"{form}_{snake(name)}") for form in ("one", "spilled", "fallible"))
    assert one(value) == value and pair.host.seen == (value,)
    assert spilled(*range(17), value) == value and pair.host.seen == (*range(17), value)
    assert fallible(value, False) == value
    with pytest.raises(rt.Err) as caught:
        fallible(value, True)
    assert caught.value.value == value
    assert repr(one(value)) == repr(value)


def test_nan_stays_a_nan(pair: Pair) -> None:
    assert math.isnan(pair.guest.one_f32(math.nan)) and math.isnan(pair.guest.one_f64(math.nan))
    assert math.isnan(pair.guest.one_floats(pair.wit.Floats_A(math.nan)).value)


def test_a_function_without_anything(pair: Pair) -> None:
    pair.guest.nothing()
    assert pair.host.seen == ()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("u8", 256, ValueError),
        ("s8", -129, ValueError),
        ("s16", 1 << 15, ValueError),
        ("u64", -1, ValueError),
        ("char", "ab", TypeError),
        ("char", "\ud800", ValueError),
        ("string", b"a", TypeError),
        ("colour", "red", TypeError),
        ("shape", 1, TypeError),
        ("fixed_few", [1, 2], ValueError),
        ("fixed_long", [1] * 41, ValueError),
        ("fixed_long", [-1] * 40, ValueError),
        ("fixed_long_points", [], ValueError),
        ("option_of_result", 3, TypeError),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_and_the_instance_goes_on(
    pair: Pair, name: str, value: Any, error: type[Exception]
) -> None:
    for form in ("one", "spilled"):
        with pytest.raises(error) as caught:
            getattr(pair.guest, f"{form}_{name}")(*(range(17) if form == "spilled" else ()), value)
        assert caught.value.__notes__ == [f"in the argument `v` of a:b/values#{form}-{name.replace('_', '-')}"]
    assert pair.guest.one_u8(1) == 1
