"""Objects of resources in the hands of a host: what it owns, gives away, lends, mixes up."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt

WIT = """
package a:b;
interface host { resource thing { constructor(); } }
interface api {
  use host.{thing};
  resource cup { constructor(n: u32); size: func() -> u32; }
  resource jug { constructor(n: u32); size: func() -> u32; }
  pour: func(source: borrow<cup>, to: cup, n: u8) -> u32;
  pour-all: func(cups: list<cup>, letters: list<char>);
  look: func(x: borrow<thing>, n: u8) -> u32;
  keep: func(x: thing, n: u8) -> u32;
  dropped: func() -> u32;
}
world w { import host; export api; }
"""

COMPONENT = """
  (import "a:b/host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (result (own $thing))))))
  (alias export $host "thing" (type $thing))
  (core func $thing-drop (canon resource.drop $thing))
  (core module $count
    (global $n (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func (export "dropped") (result i32) (global.get $n)))
  (core instance $count (instantiate $count))
  (alias core export $count "dtor" (core func $dtor))
  (type $cup (resource (rep i32) (dtor (core func $dtor))))
  (type $jug (resource (rep i32)))
  (core func $cup-new (canon resource.new $cup))
  (core func $cup-rep (canon resource.rep $cup))
  (core func $cup-drop (canon resource.drop $cup))
  (core func $jug-new (canon resource.new $jug))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "thing-drop" (func $thing-drop (param i32)))
    (import "host" "cup-new" (func $cup-new (param i32) (result i32)))
    (import "host" "cup-rep" (func $cup-rep (param i32) (result i32)))
    (import "host" "cup-drop" (func $cup-drop (param i32)))
    (import "host" "jug-new" (func $jug-new (param i32) (result i32)))
    (func (export "cup") (param i32) (result i32) (call $cup-new (local.get 0)))
    (func (export "jug") (param i32) (result i32) (call $jug-new (local.get 0)))
    (func (export "size") (param i32) (result i32) (local.get 0))
    (func (export "pour") (param i32 i32 i32) (result i32)
      (local.set 0 (i32.add (local.get 0) (call $cup-rep (local.get 1))))
      (call $cup-drop (local.get 1))
      (local.get 0))
    (func (export "pour-all") (param i32 i32 i32 i32))
    (func (export "look") (param i32 i32) (result i32) (call $thing-drop (local.get 0)) (local.get 1)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "thing-drop" (func $thing-drop)) (export "cup-new" (func $cup-new)) (export "cup-rep" (func $cup-rep))
      (export "cup-drop" (func $cup-drop)) (export "jug-new" (func $jug-new))))))
  (func $cup-new' (param "n" u32) (result (own $cup)) (canon lift (core func $main "cup")))
  (func $jug-new' (param "n" u32) (result (own $jug)) (canon lift (core func $main "jug")))
  (func $cup-size (param "self" (borrow $cup)) (result u32) (canon lift (core func $main "size")))
  (func $jug-size (param "self" (borrow $jug)) (result u32) (canon lift (core func $main "size")))
  (func $pour (param "source" (borrow $cup)) (param "to" (own $cup)) (param "n" u8) (result u32)
    (canon lift (core func $main "pour")))
  (func $pour-all (param "cups" (list (own $cup))) (param "letters" (list char))
    (canon lift (core func $main "pour-all") (memory $memory) (realloc $realloc)))
  (func $look (param "x" (borrow $thing)) (param "n" u8) (result u32) (canon lift (core func $main "look")))
  (func $keep (param "x" (own $thing)) (param "n" u8) (result u32) (canon lift (core func $main "look")))
  (func $dropped (result u32) (canon lift (core func $count "dropped")))
  (component $shim
    (import "thing" (type $thing (sub resource)))
    (import "cup" (type $cup (sub resource)))
    (import "jug" (type $jug (sub resource)))
    IMPORTS
    (export $t "thing" (type $thing))
    (export $c "cup" (type $cup))
    (export $j "jug" (type $jug))
    EXPORTS)
  (instance $api (instantiate $shim
    (with "thing" (type $thing)) (with "cup" (type $cup)) (with "jug" (type $jug))
    (with "cup-new" (func $cup-new')) (with "jug-new" (func $jug-new'))
    (with "cup-size" (func $cup-size)) (with "jug-size" (func $jug-size)) (with "pour" (func $pour))
    (with "pour-all" (func $pour-all)) (with "look" (func $look)) (with "keep" (func $keep))
    (with "dropped" (func $dropped))))
  (export "a:b/api" (instance $api))
"""

_FUNCTIONS = {
    ("cup-new", "[constructor]cup"): '(param "n" u32) (result (own $cup))',
    ("jug-new", "[constructor]jug"): '(param "n" u32) (result (own $jug))',
    ("cup-size", "[method]cup.size"): '(param "self" (borrow $cup)) (result u32)',
    ("jug-size", "[method]jug.size"): '(param "self" (borrow $jug)) (result u32)',
    ("pour", "pour"): '(param "source" (borrow $cup)) (param "to" (own $cup)) (param "n" u8) (result u32)',
    ("pour-all", "pour-all"): '(param "cups" (list (own $cup))) (param "letters" (list char))',
    ("look", "look"): '(param "x" (borrow $thing)) (param "n" u8) (result u32)',
    ("keep", "keep"): '(param "x" (own $thing)) (param "n" u8) (result u32)',
    ("dropped", "dropped"): "(result u32)",
}


def _text() -> str:
    imports = " ".join(f'(import "{name}" (func ${name} {type_}))' for (name, _), type_ in _FUNCTIONS.items())
    exports = " ".join(
        f'(export "{export}" (func ${name}) (func {type_}))' for (name, export), type_ in _FUNCTIONS.items()
    )
    for name in ("thing", "cup", "jug"):
        exports = exports.replace(f"${name})", f"${name[0]})")
    return COMPONENT.replace("IMPORTS", imports).replace("EXPORTS", exports)


class Thing:
    """A resource of the host."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Host:
    """The host, which makes things."""

    thing = Thing


@pytest.fixture
def wit(tmp_path: Path) -> ModuleType:
    return adapter(tmp_path, WIT)


def running(wit: ModuleType) -> Any:
    return wit.W(component(_text()), wit.WImports(host=Host())).api


@pytest.fixture
def api(wit: ModuleType) -> Any:
    return running(wit)


def test_what_is_given_away_is_gone_and_what_is_lent_is_not(api: Any) -> None:
    from_, to = api.cup(3), api.cup(4)
    assert api.pour(from_, to, 0) == 7 and api.dropped() == 1
    with pytest.raises(rt.ResourceDropped, match="dropped or given away"):
        to.size()
    with pytest.raises(rt.ResourceDropped, match="dropped or given away"):
        api.pour(from_, to, 0)
    to.close()
    assert from_.size() == 3
    from_.close()
    from_.close()
    assert api.dropped() == 2


def test_a_call_that_did_not_come_about_has_given_nothing_away(api: Any) -> None:
    from_, to = api.cup(3), api.cup(4)
    with pytest.raises(ValueError, match="256 is not a u8"):
        api.pour(from_, to, 256)
    with pytest.raises(ValueError, match="surrogate"):
        api.pour_all([to, from_], ["\ud800"])
    assert (from_.size(), to.size(), api.dropped()) == (3, 4, 0)
    assert api.pour(from_, to, 0) == 7 and api.dropped() == 1


def test_a_call_that_did_not_come_about_has_lent_nothing(api: Any) -> None:
    thing = Thing()
    for _ in range(3):
        with pytest.raises(ValueError, match="-1 is not a u8"):
            api.look(thing, -1)
    assert api.look(thing, 5) == 5
    assert not thing.closed


def test_what_is_given_away_can_not_be_lent_in_the_same_call(api: Any) -> None:
    cup = api.cup(3)
    with pytest.raises(rt.ResourceDropped, match="given away"):
        api.pour(cup, cup, 0)
    with pytest.raises(rt.ResourceDropped, match="given away"):
        api.pour_all([cup, cup], [])
    assert cup.size() == 3


def test_a_resource_of_another_type_is_refused_and_never_taken_for_what_it_is_not(api: Any) -> None:
    cup, jug = api.cup(3), api.jug(3)
    for wrong in (jug, Thing(), 3, None, type(cup)):
        for call, arguments in (
            (api.pour, (wrong, cup, 0)),
            (api.pour, (cup, wrong, 0)),
            (api.pour_all, ([wrong], [])),
            (type(cup).size, (wrong,)),
        ):
            with pytest.raises((TypeError, AttributeError)):
                call(*arguments)
    with pytest.raises(TypeError, match="this Jug is a resource of another type"):
        api.pour(jug, cup, 0)
    assert (cup.size(), jug.size()) == (3, 3)


def test_a_resource_of_another_instance_or_module_is_refused(api: Any, wit: ModuleType, tmp_path: Path) -> None:
    cup = api.cup(3)
    (tmp_path / "other").mkdir()
    for other in (running(wit), running(adapter(tmp_path / "other", WIT))):
        foreign = other.cup(4)
        with pytest.raises(rt.ResourceDropped, match="belongs to another instance"):
            api.pour(foreign, cup, 0)
        with pytest.raises(rt.ResourceDropped, match="belongs to another instance"):
            api.pour(cup, foreign, 0)
        assert (foreign.size(), cup.size()) == (4, 3)


def test_an_object_is_one_of_a_kind(api: Any) -> None:
    cup = api.cup(3)
    for again in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="can't be copied or pickled"):
            again(cup)
    with pytest.raises(TypeError, match="made by the component"):
        type(cup)()
    assert cup.size() == 3


def test_objects_that_are_collected_together_with_their_instance_do_no_harm(tmp_path: Path) -> None:
    """In a process of its own: what would go wrong is that a destructor is called in a store that is no more."""
    program = f"""
        import gc
        from pathlib import Path
        from tests.runtime.support import adapter
        from tests.runtime.test_resources import WIT, running

        class Last:
            def __init__(self, api):
                self.api, self.cup = api, api.cup(5)
            def __del__(self):
                try:
                    self.api.cup(1)
                except Exception as error:
                    refused.append(type(error).__name__)

        refused = []
        wit = adapter(Path({str(tmp_path)!r}), WIT)
        for number in range(40):
            api = running(wit)
            cups = [api.cup(n) for n in range(number)]
            cups.append(cups)
            last = Last(api)
            last.itself = last
            del api, cups, last
            gc.collect()
        print(len(refused), set(refused) <= {{"InstanceUnavailable"}})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("True\n") and not done.stderr
