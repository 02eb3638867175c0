"""A program with a mistake on each line that says so, and none on the others."""

# ruff: noqa: B018

from __future__ import annotations

import time
from typing import assert_never

import library as wit
from right import OLD, File, Lock, Store

from witgen import runtime as rt

RIGHT = wit.LibraryImports(store=Store(), now=time.time_ns)


class WithoutSize:
    def read(self, count: int) -> bytes:
        return bytes(count)

    def write(self, data: bytes) -> None:
        print(data)


class Part:
    lock = Lock

    def open(self, name: str) -> File:
        return File(name)

    def guard(self, file: wit.File) -> Lock:
        return Lock(60)

    def whereabouts(self, book: wit.Book) -> wit.Place:
        return book.place

    def grant(self, rights: wit.Rights, on: wit.Days) -> rt.Some[int | None] | None:
        return None


class WithoutFind(Part):
    file = File


class WithoutFile(Part):
    def find(self, title: str) -> wit.Book | None:
        return None


class NumberedFile(File):
    def __init__(self, number: int) -> None:
        super().__init__(str(number))


class WithNumberedFile(WithoutFile):
    file = NumberedFile


class NamedLock:
    def __init__(self, name: str) -> None:
        self.name = name

    def holder(self) -> str | None:
        return self.name


class WithNamedLock:
    file = File
    lock = NamedLock

    def open(self, name: str) -> File:
        return File(name)

    def guard(self, file: wit.File) -> wit.Lock:
        return Lock(60)

    def find(self, title: str) -> None:
        print(title)

    def whereabouts(self, book: wit.Book) -> wit.Place_Nowhere:
        return wit.Place_Nowhere()

    def grant(self, rights: wit.Rights, on: wit.Days) -> rt.Some[int] | None:
        return None


class FindsText(Part):
    file = File

    def find(self, title: str) -> str:
        return title


class GivesNumber(Part):
    file = File

    def find(self, title: str) -> None:
        print(title)

    def grant(self, rights: wit.Rights, on: wit.Days) -> int:  # wrong: an option in an option is `Some`
        return 1


class ReturnsNumber(Store):
    def whereabouts(self, book: wit.Book) -> int:  # wrong: the method of a base class returns another type
        return 1


class Declared(wit.Lock):
    def holder(self) -> int:  # wrong: what the Protocol says is `str | None`
        return 1


class TakesText(File):
    def read(self, count: str) -> bytearray:  # wrong: the count is an int
        return bytearray(count.encode())


class TakesTwo:
    def holder(self, of: str) -> str | None:
        return of


def imports_are_wrong() -> None:
    wit.LibraryImports(now=time.time_ns)  # wrong: the store is missing
    wit.LibraryImports(store=Store())  # wrong: the function of the world is missing
    wit.LibraryImports(store=WithoutFind(), now=time.time_ns)  # wrong: a method of the interface is missing
    wit.LibraryImports(store=WithoutFile(), now=time.time_ns)  # wrong: what makes objects of a resource is missing
    wit.LibraryImports(store=WithNumberedFile(), now=time.time_ns)  # wrong for mypy: the constructor takes a string
    wit.LibraryImports(store=WithNamedLock(), now=time.time_ns)  # wrong: the constructor of a lock takes seconds
    wit.LibraryImports(store=FindsText(), now=time.time_ns)  # wrong: a method returns another type
    wit.LibraryImports(store=Store(), now=time.ctime)  # wrong: a function that returns a string
    wit.LibraryImports(store=Store(), now=time.time_ns, later=1)  # wrong: nothing of that name is imported
    wit.Library.load("library.wasm")  # wrong: no imports
    wit.Library.load("library.wasm", Store())  # wrong: not the class of all imports
    wit.Library.load("library.wasm", RIGHT, limits=5)  # wrong: limits are more than a number
    wit.Library.load("library.wasm", RIGHT, providers=[RIGHT])  # wrong: imports are no provider
    wit.Library("library.wasm", RIGHT)  # wrong: a file is no component
    wit.provider(Store())  # wrong: not the class of all imports


def resources_are_wrong(world: wit.Library, entry: wit.Entry, cursor: wit.Cursor) -> None:
    world.catalogue.load(WithoutSize(), b"")  # wrong: a method of the resource is missing
    world.catalogue.load(Lock(60), b"")  # wrong: another resource of the host
    world.catalogue.load(entry, b"")  # wrong: a resource of the component
    world.catalogue.entry.join(entry, cursor)  # wrong: another resource of the component
    world.catalogue.entry.join(entry, File("x"))  # wrong: a resource of the host
    world.catalogue.entry(1)  # wrong: the constructor takes a string
    world.catalogue.cursor("x")  # wrong: the resource has no constructor
    wit.Entry()  # wrong: objects come from the component
    entry.remove()  # wrong: no such method
    guard: wit.Lock = TakesTwo()  # wrong: the method takes nothing
    print(guard)


def values_are_wrong(world: wit.Library) -> None:
    world.catalogue.add("Atlas")  # wrong: not a record
    world.catalogue.walk("maps", wit.Rights.READ, wit.Days.MONDAY)  # wrong: an enum is no string
    world.catalogue.walk(wit.Genre.MAPS, wit.Days.MONDAY, wit.Days.MONDAY)  # wrong: flags of another type
    world.catalogue.walk(wit.Genre.MAPS, 1, wit.Days.MONDAY)  # wrong: flags are no int
    world.catalogue.walk(wit.Genre.MAPS, wit.Rights.READ)  # wrong: an argument is missing
    world.catalogue.load(File("x"), "png")  # wrong: bytes are no string
    world.catalogue.load(File("x"), [1, 2])  # wrong: bytes are no list
    world.catalogue.volume(3)  # wrong: an option in an option is `Some`
    world.catalogue.check(3)  # wrong: neither `Ok` nor `Err`
    world.catalogue.check(rt.Ok("late"))  # wrong: `Ok` of what `Err` has
    world.catalogue.check(rt.Err(3))  # wrong: `Err` of what `Ok` has
    world.catalogue.sizes([(1, 2, 3)])  # wrong: a tuple too long
    world.total(["1"])  # wrong: a list of strings
    world.total(None)  # wrong: a list is no option
    wit.Rights.READ | wit.Days.MONDAY  # wrong: flags of two types
    wit.Rights.WRITE  # wrong: no such flag
    wit.Genre.DRAMA  # wrong: no such case
    wit.Place_Sold(1)  # wrong: no such case
    wit.Place_Shelf("three")  # wrong: the payload is an int
    wit.Place_Shelf()  # wrong: the payload is missing
    wit.Place_Nowhere(1)  # wrong: a case without a payload
    wit.Problem(1)  # wrong: a field is missing
    wit.Problem(1, "late", 2)  # wrong: no such field
    wit.ProblemException("late")  # wrong: the error is a record


def use_is_wrong(world: wit.Library, book: wit.Book, place: wit.Place) -> None:
    print(book.titel)  # wrong: a misspelled field
    book.pages = "many"  # wrong: the field is an int
    book.place = wit.Genre.MAPS  # wrong: the case of another type
    book.volume = 3  # wrong: an option in an option is `Some`
    book.chapters.append(3)  # wrong: the list is of strings
    len(book.subtitle)  # wrong: there may be none
    book.volume.value  # wrong: there may be none
    book.checked + 1  # wrong: the result was not looked at
    place.value  # wrong: one case has none
    if isinstance(place, wit.Place_Shelf):
        place.value = 3  # wrong: cases don't change
    world.catalogue.all().title  # wrong: a list of records
    count: str = world.total([1])  # wrong: the result is an int
    print(count)
    try:
        world.catalogue.add(OLD).title  # wrong: an entry is no book
    except wit.ProblemException as error:
        error.value.reason  # wrong: no such field


def error_is_no_exception() -> None:
    raise wit.Problem(1, "late")  # wrong: the record is no exception


def case_is_forgotten(place: wit.Place) -> str:
    match place:
        case wit.Place_Nowhere():
            return "nowhere"
        case wit.Place_Shelf() | wit.Place_Lent():
            return "somewhere"
        case _:
            assert_never(place)  # wrong: one case is not handled


def genre_is_forgotten(genre: wit.Genre) -> str:
    if genre is wit.Genre.FICTION or genre is wit.Genre.MAPS:
        return "novel"
    assert_never(genre)  # wrong: one case is not handled


def outcome_is_forgotten(result: rt.Ok[int] | rt.Err[str]) -> int:
    if isinstance(result, rt.Ok):
        return result.value
    return result.value  # wrong: this is the error, a string
