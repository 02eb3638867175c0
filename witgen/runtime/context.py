"""Linear memory as the canonical ABI sees it: bounded, aligned, with the guest's own allocator and handles.

Everything that is read from or written to a guest goes through a `Context`. It checks a region once, before generated
code touches it; inside a region that was checked, plain slices and ``struct`` do the work. See `CanonicalABI.md`,
sections "Loading" and "Storing".
"""

from __future__ import annotations

import contextlib
import reprlib
from typing import TYPE_CHECKING, Any

import wasmtime

from witgen.runtime.core import DEEP, CoreFunction, ascii_region, memory_region
from witgen.runtime.errors import ComponentError, Trap
from witgen.runtime.misfits import in_words

if TYPE_CHECKING:
    from witgen.runtime.handles import ResourceType
    from witgen.runtime.instance import Instance
    from witgen.runtime.providers import Source
    from witgen.runtime.resources import GuestResource
    from witgen.runtime.state import InstanceState

if TYPE_CHECKING:
    from typing_extensions import Buffer
else:
    Buffer = bytes | bytearray | memoryview

__all__ = ["Buffer", "CompactUtf16Context", "Context", "Utf16Context", "context_class"]

#: The longest string or list, in bytes, that may cross (`CanonicalABI.md`: ``MAX_STRING_BYTE_LENGTH``).
MAX_BYTES = (1 << 31) - 1
#: The shortest string that is copied from where the interpreter has it; shorter ones are encoded faster.
LONG_STRING = 4096


class Context:
    """What values cross with: a memory, an allocator, a string encoding (UTF-8 here) and the handles of an instance.

    One is made for each set of canonical options with which functions of an instance are lifted or lowered by a
    generated module (`CanonicalABI.md`: ``LiftLowerContext``).

    `view` is the memory as last seen and `size` its length in bytes: reading at or above `size` needs `check` first,
    which looks whether the memory has grown.
    """

    __slots__ = (
        "_memory",
        "_realloc",
        "_store",
        "given",
        "handles",
        "instance",
        "owners",
        "resources",
        "size",
        "state",
        "view",
    )

    def __init__(
        self,
        instance: Instance,
        state: InstanceState,
        source: Source,
        memory: wasmtime.Memory | None,
        realloc: wasmtime.Func | None,
    ) -> None:
        self._store = instance.store
        self._memory = memory
        self._realloc = None if realloc is None else CoreFunction(instance.store, realloc, 4)
        self.instance = instance
        self.state = state
        self.handles = state.handles
        #: What a call gives away: objects and the handles that the guest gets for them.
        self.given: list[tuple[GuestResource, int]] = []
        #: The resource types of the contract, by their index in the generated module.
        self.resources: list[ResourceType] = source.resources
        #: The generated objects of the interfaces that define them.
        self.owners: list[Any] = source.owners
        self.view = memoryview(b"") if memory is None else memory_region(instance.store, memory)
        self.size = len(self.view)

    def check(self, pointer: int, length: int, alignment: int = 1) -> int:
        """`pointer`, if `length` bytes from it on lie in memory and it is aligned.

        Raises `Trap` if not. Generated code calls it only where a region ends above `size` or is not aligned.
        """
        if pointer & (alignment - 1):
            raise Trap(f"pointer {pointer:#x} is not aligned to {alignment} bytes")
        if pointer + length > self.size:
            if self._memory is not None:
                self.view = memory_region(self._store, self._memory)
                self.size = len(self.view)
            if pointer + length > self.size:
                raise Trap(f"{length} bytes at {pointer:#x} lie outside the memory of {self.size} bytes")
        return pointer

    def allocate(self, length: int, alignment: int) -> int:
        """A new region of `length` bytes in the guest, from its ``realloc``. Raises `Trap` if that is not sound."""
        realloc = self._realloc
        if realloc is None:
            raise Trap("the function was lifted without realloc")
        if length > MAX_BYTES:
            raise ValueError(f"{length} bytes are more than a component takes at once")
        # The second argument is never anything but 0; the first is where the result is left.
        u32 = realloc.u32
        u32[0] = 0
        u32[8] = alignment
        u32[12] = length
        # An instance that traps here is done for, so that only what goes well restores the flag.
        isinstance(None, DEEP)  # As `room`: there are many of these calls.
        state = self.state
        state.may_leave = False
        if (error := realloc.invoke(*realloc.args)) or realloc.trap[0]:
            raise realloc.failure(error)
        state.may_leave = True
        found = u32[0]
        if found & (alignment - 1) or found + length > self.size:
            self.check(found, length, alignment)
        return found

    def string(self, pointer: int, length: int) -> str:
        """The string of `length` code units at `pointer`."""
        if pointer + length > self.size:
            self.check(pointer, length)
        try:
            return str(self.view[pointer : pointer + length], "utf-8")
        except UnicodeDecodeError as error:
            raise Trap(f"a string is not UTF-8: {error.reason} at byte {error.start}") from None

    def put_string(self, text: str) -> tuple[int, int]:
        """Copies a string into the guest; gives its pointer and its length in code units."""
        try:
            # The interpreter has the UTF-8 of ASCII; of other text it would make it, and keep it as long as the string.
            data = text.encode() if len(text) < LONG_STRING or not text.isascii() else ascii_region(text)
        except (AttributeError, TypeError):
            raise TypeError(f"{reprlib.repr(text)} is not a string") from None
        length = len(data)
        pointer = self.allocate(length, 1)
        self.view[pointer : pointer + length] = data
        return pointer, length

    def bytes(self, pointer: int, length: int) -> bytes:
        """A copy of `length` bytes at `pointer`: a ``list<u8>``."""
        if pointer + length > self.size:
            self.check(pointer, length)
        return self.view[pointer : pointer + length].tobytes()

    def put_bytes(self, data: Buffer) -> tuple[int, int]:
        """Copies the bytes of a buffer, those of its items in order, into the guest; gives their pointer and number."""
        items = data if isinstance(data, bytes) else _bytes_of(memoryview(data))
        length = len(items)
        pointer = self.allocate(length, 1)
        self.view[pointer : pointer + length] = items
        return pointer, length

    @staticmethod
    def not_taken(error: BaseException) -> BaseException:
        """What to raise for an error met while the guest's arguments were read: a discriminant that no case has."""
        return Trap("a discriminant is out of range") if isinstance(error, IndexError) else error

    @staticmethod
    def not_given(error: BaseException, function: str) -> BaseException:
        """What to raise for an error met while the result of the host's `function` was written."""
        if isinstance(error, Exception) and not isinstance(error, ComponentError):
            # Whatever the value does that is looked at.
            with contextlib.suppress(Exception):
                error = in_words(error)
                error.add_note(f"in the result of {function}")
        return error


def _bytes_of(data: memoryview) -> bytes | memoryview:
    """The bytes of the items of a view, in order: where they are if that is one piece, else a copy."""
    try:
        return data.cast("B")
    except (TypeError, ValueError):
        # Strides, no items, or a format that casts don't know.
        return data.tobytes()


class Utf16Context(Context):
    """As `Context`, with strings in UTF-16."""

    __slots__ = ()

    def string(self, pointer: int, length: int) -> str:
        """The string of `length` 16-bit code units at `pointer`."""
        if pointer & 1 or pointer + 2 * length > self.size:
            self.check(pointer, 2 * length, 2)
        try:
            return str(self.view[pointer : pointer + 2 * length], "utf-16-le")
        except UnicodeDecodeError as error:
            raise Trap(f"a string is not UTF-16: {error.reason} at byte {error.start}") from None

    def put_string(self, text: str) -> tuple[int, int]:
        """Copies a string into the guest; gives its pointer and its length in 16-bit code units."""
        data = text.encode("utf-16-le")
        pointer = self.allocate(len(data), 2)
        self.view[pointer : pointer + len(data)] = data
        return pointer, len(data) // 2


class CompactUtf16Context(Utf16Context):
    """As `Context`, with strings in Latin-1 where that is enough and in UTF-16, marked by bit 31, where not."""

    __slots__ = ()

    _UTF16 = 1 << 31

    def string(self, pointer: int, length: int) -> str:
        """The string at `pointer`, whose `length` says by bit 31 in which encoding it is."""
        if length & self._UTF16:
            return super().string(pointer, length ^ self._UTF16)
        if pointer & 1 or pointer + length > self.size:
            self.check(pointer, length, 2)
        return str(self.view[pointer : pointer + length], "latin-1")

    def put_string(self, text: str) -> tuple[int, int]:
        """Copies a string into the guest; gives its pointer and its tagged length."""
        try:
            data = text.encode("latin-1")
        except UnicodeEncodeError:
            pointer, length = super().put_string(text)
            return pointer, length | self._UTF16
        pointer = self.allocate(len(data), 2)
        self.view[pointer : pointer + len(data)] = data
        return pointer, len(data)


#: The class of `Context` for each string encoding of the canonical options.
context_class: dict[str, type[Context]] = {
    "utf8": Context,
    "utf16": Utf16Context,
    "latin1+utf16": CompactUtf16Context,
}
