"""The worlds of the family that are more than functions which give back what they get."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.guests.family import World
from witgen import runtime as rt

ROUNDS = 10_000


class Thing:
    """A resource of the host."""

    living = 0

    def __init__(self, text: str) -> None:
        self.text, self.closed = text, False
        Thing.living += 1

    def label(self) -> str:
        return self.text

    def rename(self, label: str) -> str:
        before, self.text = self.text, label
        return before

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        Thing.living -= 1


class Things:
    """Makes things, and knows them by their labels."""

    def __call__(self, label: str) -> Thing:
        return Thing(label)

    def merge(self, a: Thing, b: Thing) -> Thing:
        a.close()
        return Thing(a.text + b.text)

    def find(self, label: str) -> Thing | None:
        return Thing(label) if label != "nothing" else None


class Picky:
    """Is made of every label but the empty one."""

    def __init__(self, label: str) -> None:
        if not label:
            raise rt.Err("a label is not empty")
        self.text = label

    def owner(self) -> Thing:
        return Thing(self.text)

    def close(self) -> None:
        pass


class Store:
    """The interface `store`: what a guest gives comes back."""

    thing = Things()
    picky = Picky

    def keep(self, v: Thing) -> Thing:
        return v

    def peek(self, v: Thing) -> str:
        return v.text

    def peek_all(self, v: list[Thing]) -> list[str]:
        return [thing.text for thing in v]

    def peek_maybe(self, v: Thing | None) -> str | None:
        return None if v is None else v.text

    def of_result(self, v: Any) -> Thing:
        if isinstance(v, rt.Err):
            raise rt.Err(v.value)
        assert isinstance(v.value, Thing)
        return v.value

    def __getattr__(self, name: str) -> Any:
        return lambda v: v


@pytest.fixture
def user(family: dict[str, World]) -> Any:
    Thing.living = 0
    return family["imported-resources"].instance(store=Store())


def test_resources_of_the_host_are_made_used_and_given_back(user: Any) -> None:
    guest = user.user
    made = guest.make("one")
    assert type(made) is Thing and made.text == "one"
    before, same = guest.relabel(made, "two")
    assert (before, same.text, same is made) == ("one", "two", True)
    other = Thing("!")
    merged = guest.merge(made, other)
    assert merged.text == "two!" and made.closed and not other.closed
    assert guest.find("nothing") is None and guest.find("x").text == "x"
    assert guest.keep(other) is other


def test_a_constructor_that_fails_is_a_result(user: Any) -> None:
    assert user.user.make_picky("label").text == "label"
    with pytest.raises(rt.Err) as caught:
        user.user.make_picky("")
    assert caught.value.value == "a label is not empty"


def test_resources_are_lent_alone_in_lists_and_in_options(user: Any) -> None:
    guest = user.user
    things = [Thing("a"), Thing("b")]
    assert guest.peek(things[0]) == "a"
    assert guest.peek_all(things) == ["a", "b"]
    assert (guest.peek_maybe(None), guest.peek_maybe(things[1])) == (None, "b")
    assert not any(thing.closed for thing in things)


def test_handles_go_in_every_kind_of_value(user: Any, family: dict[str, World]) -> None:
    guest, module = user.user, family["imported-resources"].adapter
    a, b = Thing("a"), Thing("b")
    assert guest.of_list([a, b]) == [a, b]
    assert (guest.of_option(None), guest.of_option(a)) == (None, a)
    assert guest.of_result(rt.Ok(a)) is a
    with pytest.raises(rt.Err, match="no"):
        guest.of_result(rt.Err("no"))
    assert guest.of_tuple((a, 7)) == (a, 7)
    assert guest.of_entry(module.Entry("x", a)) == module.Entry("x", a)
    for choice in (module.Choice_Nothing(), module.Choice_One(a), module.Choice_Several([a, b])):
        assert guest.of_choice(choice) == choice


def test_a_guest_drops_what_it_keeps_and_leaves_nothing(user: Any) -> None:
    guest = user.user

    def round_trip() -> None:
        guest.make("one").close()
        guest.make_picky("two").close()
        thing = guest.relabel(Thing("a"), "b")[1]
        assert guest.peek_all([thing, thing]) == ["b", "b"]
        guest.take(guest.keep(thing))
        for thing in guest.of_list([Thing("a"), Thing("b")]):
            thing.close()

    round_trip()
    before = user.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert user.allocated() == before
    assert Thing.living == 0


@pytest.fixture
def counters(family: dict[str, World]) -> Any:
    return family["exported-resources"].instance()


def test_resources_of_the_guest_are_made_used_and_dropped(counters: Any) -> None:
    guest = counters.counters
    with guest.counter(1) as one, one.clone() as copy:
        assert (one.next(), one.next(), copy.next()) == (2, 3, 2)
        total = guest.counter.sum(one, copy)
        assert total.next() == 6
        with pytest.raises(rt.ResourceDropped):
            copy.next()
        assert guest.living() == 2
        total.close()
    assert guest.living() == 0
    with guest.picky(5) as picky, picky.counter() as counter:
        assert counter.next() == 6
    with pytest.raises(rt.Err, match="does not begin at zero"):
        guest.picky(0)
    assert guest.living() == 0


def test_the_guest_changes_keeps_and_reads_them(counters: Any, family: dict[str, World]) -> None:
    guest, module = counters.counters, family["exported-resources"].adapter
    kept = guest.keep(guest.counter(1))
    assert guest.peek(kept) == 101
    assert guest.peek_all([kept, kept]) == [101, 101]
    assert guest.peek_view(module.View("name", kept)) == "name: 101"
    assert guest.take(kept) == 101
    assert guest.living() == 0


def test_handles_of_the_guest_go_in_every_kind_of_value(counters: Any, family: dict[str, World]) -> None:
    guest, module = counters.counters, family["exported-resources"].adapter
    first, second = guest.of_list([guest.counter(1), guest.counter(2)])
    assert (guest.peek(first), guest.peek(second)) == (2, 1)
    assert guest.of_option(None) is None
    first = guest.of_option(first)
    first = guest.of_result(rt.Ok(first))
    with pytest.raises(rt.Err, match="no"):
        guest.of_result(rt.Err("no"))
    first = guest.of_entry(module.Entry("x", first)).counter
    choice = guest.of_choice(module.Choice_Several([first, second]))
    assert [guest.peek(counter) for counter in choice.value] == [2, 1]
    assert guest.of_choice(module.Choice_Nothing()) == module.Choice_Nothing()
    del first, second, choice
    gc.collect()
    assert guest.living() == 0


def test_resources_of_the_guest_leave_nothing(counters: Any) -> None:
    guest = counters.counters

    def round_trip() -> None:
        kept = guest.keep(guest.counter(1))
        guest.peek_all([kept])
        (kept,) = guest.of_list([kept])
        kept.next()
        guest.take(guest.counter.sum(kept, guest.counter(1)))
        kept.close()

    round_trip()
    before = counters.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert counters.allocated() == before
    assert guest.living() == 0


class File:
    """A file of the host, which the guest wraps in one of its own."""

    living = 0

    def __init__(self, name: str) -> None:
        File.living += 1
        self._name = name

    def name(self) -> str:
        return self._name

    def same(self, other: File) -> bool:
        return self is other

    def close(self) -> None:
        File.living -= 1


def test_one_interface_with_resources_of_both_sides(family: dict[str, World]) -> None:
    world = family["resources-both-ways"]
    module = world.adapter
    File.living = 0

    class Files:
        def __call__(self, name: str) -> File:
            return File(name)

        def open(self, name: str) -> File:
            if not name:
                raise module.ProblemException(module.Problem.MISSING)
            return File(name)

    class Host:
        file = Files()

        def newest(self, v: list[File]) -> File | None:
            for file in v[:-1]:
                file.close()
            return v[-1] if v else None

        def describe(self, v: File) -> str:
            return f"file {v.name()}"

        def of_entry(self, v: Any) -> Any:
            return module.EntryImport(v.name.upper(), v.file)

    instance = world.instance(files=Host())
    guest = instance.files

    def round_trip() -> None:
        with guest.file("a") as a, guest.file.open("b") as b:
            assert (a.name(), guest.describe(b)) == ("guest's a", "file b")
            assert (a.same(a), a.same(b)) == (True, False)
            assert guest.newest([]) is None
            newest = guest.newest([guest.file("c"), guest.file("d")])
            entry = guest.of_entry(module.Entry("e", newest))
            assert (entry.name, entry.file.name()) == ("E", "guest's d")
            entry.file.close()
        with pytest.raises(module.ProblemException):
            guest.file.open("")

    round_trip()
    before = instance.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert instance.allocated() == before
    assert File.living == 0


def test_names_that_are_reserved_or_collide(family: dict[str, World]) -> None:
    world = family["names"]
    module, dropped = world.adapter, []

    class Static:
        def __init__(self, type: int) -> None:
            self._type = type

        def match(self, mod: int, mod_x: int) -> int:
            return self._type + mod + mod_x

        def drop(self) -> None:
            dropped.append(self._type)

        def close(self) -> None:
            pass

    class Statics:
        def __call__(self, type: int) -> Static:
            return Static(type)

        def new(self, loop: str) -> int:
            return len(loop)

    class Self:
        static = Statics()

        def yield_(self, type: Any, ref: Any) -> Any:
            return module.Type(type.struct + 1, ref.name, not type.gen, type.self, type.async_, type.none)

        def return_(self, self_: str, result_: Any) -> int:
            if isinstance(result_, rt.Err):
                raise rt.Err(self_ + result_.value)
            assert isinstance(result_.value, int)
            return result_.value

        def gen(self, let: Any, where: Any) -> Any:
            return module.Guest(let.value + where.guest)

        def ret(self, ptr0: list[str], result0: Any, len0: Any) -> Any:
            return module.Option(len("".join(ptr0) + result0.string) + (len0.option or 0))

        def main(self, a: Any) -> Any:
            return a

    class Plain:
        def f(self, a: Any) -> Any:
            return a * 2

    instance = world.instance(self=Self(), core=Plain(), alloc=Plain())
    guest = instance.self
    flags = module.Flags(5)

    def round_trip() -> None:
        type_ = module.Type(1, "", True, 2, 3, 4)
        for word in module.Enum:
            assert guest.yield_(type_, word) == module.Type(2, word.name, False, 2, 3, 4)
        assert guest.return_("x", rt.Ok(7)) == 7
        with pytest.raises(rt.Err, match="xy"):
            guest.return_("x", rt.Err("y"))
        assert guest.gen(flags, module.Guest(2)) == module.Guest(7)
        assert guest.ret(["a", "bc"], module.Vec("d"), module.Option(None)) == module.Option(4)
        for like in (module.ResultLike_Ok(1), module.ResultLike_Err("e"), module.ResultLike_None()):
            assert guest.main(like) == like
        with guest.static(5) as static:
            assert static.match(1, 2) == 8
            static.drop()
        assert dropped == [5]
        dropped.clear()
        assert guest.static.new("four") == 4
        assert (instance.core.f(21), instance.alloc.f("ab")) == (42, "abab")

    round_trip()
    before = instance.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert instance.allocated() == before


def test_functions_types_and_interfaces_of_the_world_itself(family: dict[str, World]) -> None:
    world = family["world-items"]
    module, said = world.adapter, []

    class Token:
        def __init__(self, text: str) -> None:
            self._text = text

        def text(self) -> str:
            return self._text

        def close(self) -> None:
            said.append(f"closed {self._text}")

    class Inline:
        def double(self, v: int) -> int:
            return 2 * v

    instance = world.instance(
        inline=Inline(),
        log=said.append,
        shift=lambda v: module.Point(v.x + 1, v.y - 1),
        name_it=lambda v, name: module.Named(f"host's {name}", v),
        exchange=lambda token: Token(token.text().upper()),
        token=Token,
    )
    point = module.Point(1, 2)
    assert instance.run(module.Named("a", point)) == [module.Named("host's a", point), module.Named("a", point)]
    with pytest.raises(module.MoodException) as caught:
        instance.run(module.Named("", point))
    assert caught.value.value is module.Mood.BAD
    assert instance.shift_twice(point) == module.Point(3, 0)
    assert instance.tokens("ab") == "AB"
    assert instance.inner.double(21) == 42
    assert said == ["run a", "run ", "closed AB"]


def test_versions_of_a_package_stay_apart(family: dict[str, World]) -> None:
    world = family["versions"]
    module = world.adapter
    old, new = module.DepLogEntriesV1_2_0Entry, module.DepLogEntriesV2_0_0Entry

    class Sink:
        def __init__(self, factor: int) -> None:
            self.factor = factor
            self.seen: list[Any] = []

        def write(self, v: Any) -> int:
            self.seen.append(v)
            return len(v.text) * self.factor

    first, second = Sink(1), Sink(1 << 40)
    instance = world.instance(dep_log_sink_v1_2_0=first, dep_log_sink_v2_0_0=second)
    assert instance.current.convert(old("text")) == new("text", 7)
    assert instance.dep_log_sink_v1_2_0.write(old("abc")) == 3
    assert instance.dep_log_sink_v2_0_0.write(new("ab", 1)) == 2 << 40
    assert (first.seen, second.seen) == ([old("abc")], [new("ab", 1)])


def test_parameters_and_results_beyond_what_goes_flat(family: dict[str, World]) -> None:
    seen: list[Any] = []

    class Values:
        def sixteen(self, *args: Any) -> str:
            seen.append(args)
            return f"{args[-1]}{args[-2]}"

        def seventeen(self, *args: Any) -> tuple[str, int, int, float]:
            seen.append(args)
            return (args[12], args[14], args[6], args[8])

        def none_back(self, *args: Any) -> None:
            seen.append(args)

        def large(self) -> tuple[int, ...]:
            return tuple(range(18))

        def pair(self, a: int) -> tuple[int, int]:
            return (a, a + 1)

    instance = family["many-parameters"].instance(values=Values())
    guest = instance.values
    numbers = (255, -128, 65535, -32768, 4294967295, -1, (1 << 64) - 1, -(1 << 63), 0.5, -0.25, True, "ü", "m", "n")

    def round_trip() -> None:
        assert guest.sixteen(*numbers) == "nm"
        assert guest.seventeen(*numbers, 9) == ("m", 9, (1 << 64) - 1, 0.5)
        guest.none_back(*"abcdefghi")
        assert seen == [numbers, (*numbers, 9), tuple("abcdefghi")]
        assert guest.large() == tuple(range(18))
        assert guest.pair(7) == (7, 8)
        seen.clear()

    round_trip()
    before = instance.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert instance.allocated() == before
