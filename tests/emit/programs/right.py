"""A host of world `library` and calls of a component, as a careful user writes them: no checker finds anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import assert_never

import library as wit

from witgen import runtime as rt

OLD = wit.Book(
    title="Atlas",
    pages=64,
    price=12.5,
    initial="A",
    borrowed=False,
    cover=b"\x89PNG",
    chapters=["North", "South"],
    genre=wit.Genre.MAPS,
    rights=wit.Rights.READ | wit.Rights.LEND,
    place=wit.Place_Moved((3, "cellar")),
    subtitle=None,
    volume=rt.Some(None),
    checked=rt.Ok(7),
    size=(21, 30),
    index={"Oslo": 12},
)


class File:
    """A resource of the host; nothing says that it implements `wit.File`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = bytearray()

    @staticmethod
    def join(first: wit.File, second: wit.File) -> File:
        both = File("both")
        both.data += first.read(first.size())
        both.data += second.read(second.size())
        return both

    def read(self, count: int) -> bytearray:
        if count > len(self.data):
            raise wit.ProblemException(wit.Problem(1, f"{self.name} is shorter"))
        return self.data[:count]

    def write(self, data: bytes) -> None:
        if not data:
            raise rt.Err("nothing to write")
        self.data += data

    def size(self) -> int:
        return len(self.data)

    def close(self) -> None:
        self.data.clear()


class Lock(wit.Lock):
    """One that says what it implements."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def holder(self) -> str | None:
        return None


class Store:
    """What the world imports."""

    file = File
    lock = Lock

    def open(self, name: str) -> File:
        return File(name)

    def guard(self, file: wit.File) -> Lock:
        return Lock(60)

    def find(self, title: str) -> wit.Book | None:
        return OLD if title == OLD.title else None

    def whereabouts(self, book: wit.Book) -> wit.Place:
        if book.subtitle is None:
            return wit.Place_Nowhere()
        return wit.Place_Lent(book.subtitle.upper())

    def grant(self, rights: wit.Rights, on: wit.Days) -> rt.Some[int | None] | None:
        if wit.Days.MONDAY in on and wit.Rights.READ in rights:
            return rt.Some(1)
        return rt.Some(None) if on else None


def told(place: wit.Place) -> str:
    match place:
        case wit.Place_Nowhere():
            return "nowhere"
        case wit.Place_Shelf(number):
            return f"shelf {number + 1}"
        case wit.Place_Lent(name):
            return name.upper()
        case wit.Place_Moved((number, room)):
            return f"{room}, {number + 1}"
        case _:
            assert_never(place)


def spelled(genre: wit.Genre) -> str:
    if genre is wit.Genre.FICTION:
        return "novel"
    if genre is wit.Genre.POETRY:
        return "poem"
    if genre is wit.Genre.MAPS:
        return "map"
    assert_never(genre)


def outcome(result: rt.Ok[int] | rt.Err[str]) -> str:
    match result:
        case rt.Ok(value):
            return str(value + 1)
        case rt.Err(reason):
            return reason.upper()


def volume(of: rt.Some[int | None] | None) -> int:
    if of is None or of.value is None:
        return 0
    return of.value + 1


def walk(world: wit.Library) -> Iterator[str]:
    none = wit.Rights(0)
    with world.catalogue.walk(wit.Genre.MAPS, none, wit.Days.MONDAY | wit.Days.TUESDAY) as cursor:
        while (book := cursor.next()) is not None:
            yield f"{book.title.upper()} {book.pages + 1} {book.cover.hex()} {told(book.place)} {spelled(book.genre)}"


def add(world: wit.Library, book: wit.Book) -> wit.Entry | None:
    try:
        return world.catalogue.add(book)
    except wit.ProblemException as error:
        problem: wit.Problem = error.value
        print(problem.code + 1, problem.message.upper())
    except rt.Err as error:
        print(error.value)
    return None


def use(path: str) -> None:
    imports = wit.LibraryImports(store=Store(), now=time.time_ns)
    world = wit.Library.load(path, imports, limits=rt.Limits(seconds=1))
    other = wit.Library(rt.Component.from_file(path), imports, providers=[wit.provider(imports)])
    first: wit.Entry = world.catalogue.entry("one")
    first.rename("two")
    second = world.catalogue.entry.join(first, world.catalogue.entry("three"))
    print(told(second.place()))
    second.close()
    for buffer in (b"", bytearray(), memoryview(b"")):
        results: list[rt.Ok[int] | rt.Err[str]] = world.catalogue.load(File("x"), buffer)
        print([outcome(result) for result in results])
    print(volume(world.catalogue.volume(rt.Some(3))), world.catalogue.check(rt.Err("late")) + 1)
    sizes: dict[str, int] = world.catalogue.sizes(((1, 2), (3, 4)))
    everything: wit.Books = other.catalogue.all()
    print(sizes, [add(world, book) for book in everything], world.total(range(3)), *walk(world))
