"""What is said where a host value does not fit: which value, which type it is not, in which argument.

Generated code writes values without looking at them first; what does not fit is refused by ``struct``, by a memoryview
or by Python itself, in words of their own. Only then does this module look at the statement that failed, in the source
of the generated module, for the value that it was given. It changes nothing, and knows no more of types than the
letters by which scalars are written.
"""

from __future__ import annotations

import ast
import linecache
import re
import reprlib
import struct
import textwrap
from collections.abc import Iterator
from itertools import islice
from types import CodeType, FrameType, TracebackType

__all__ = ["argument_of", "in_words"]

#: What the letters of ``struct`` write, and those of the views of a `CoreFunction`.
_TYPES = {
    "b": "an s8",
    "B": "a u8",
    "h": "an s16",
    "H": "a u16",
    "i": "an s32",
    "I": "a u32",
    "q": "an s64",
    "Q": "a u64",
    "f": "an f32",
    "d": "an f64",
}
_VIEWS = {"u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d"}
#: What the functions of `scalars` take as ``value``.
_CHECKS = {
    "check_s8": "an s8",
    "check_s16": "an s16",
    "unsigned_32": "an s32",
    "unsigned_64": "an s64",
    "f32_bits": "an f32",
    "f64_bits": "an f64",
    "code_point": "a char",
}
#: What a value lacks that is no string, mapping or resource.
_LACKS = {"encode": "a string", "items": "a mapping", "_lend": "a resource", "_give": "a resource"}
_ITEM = re.compile(r"(\d*)([a-zA-Z?])")


def in_words(error: BaseException) -> BaseException:
    """`error`, or a TypeError or ValueError in words of WIT for what Python's own steps raised in generated code."""
    frame, statement = _innermost(error.__traceback__)
    if frame is None or not isinstance(error, struct.error | OverflowError | TypeError | ValueError | AttributeError):
        return error
    if isinstance(error, AttributeError):
        return _lacking(error)
    check = _CHECKS.get(frame.f_code.co_name)
    if check is not None and "value" in frame.f_locals:
        value = frame.f_locals["value"]
        return error if type(error) is ValueError else _misfit(value, check, isinstance(error, OverflowError))
    for name, value, letter in _refused(statement, frame):
        is_number = isinstance(value, int | float) if letter in "fd" else hasattr(value, "__index__")
        return _misfit(value, _TYPES[letter], is_number, name.partition(".")[2])
    if isinstance(error, struct.error):
        return (TypeError if "required argument" in str(error) else ValueError)(str(error))
    return error


def argument_of(error: BaseException, function: str) -> str:
    """Where a call of `function` did not get through: the argument that the failed statement names, if it is one."""
    if error.__traceback__ is not None:
        frame, statement = _read(error.__traceback__)
        names = frame.f_code.co_varnames[1 : frame.f_code.co_argcount]
        if statement is not None and len(names) > 1:
            used = {name.partition(".")[0] for name, *_ in _refused(statement, frame)} or _names(statement)
            used = _origins(used, frame.f_code)
            names = tuple(name for name in names if name in used)
        if len(names) == 1:
            return f"in the argument `{names[0]}` of {function}"
    return f"in an argument of {function}"


def _misfit(value: object, wanted: str, is_number: bool, field: str = "") -> BaseException:
    place = f"{field}: " if field else ""
    return (ValueError if is_number else TypeError)(f"{place}{reprlib.repr(value)} is not {wanted}")


def _lacking(error: AttributeError) -> BaseException:
    """The error for a value that lacks what one of its type has."""
    value, wanted = reprlib.repr(error.obj), _LACKS.get(error.name or "")
    return TypeError(f"{value} is not {wanted}" if wanted else f"{value} has no `{error.name}`")


def _innermost(traceback: TracebackType | None) -> tuple[FrameType | None, ast.stmt | None]:
    """The frame that failed and its statement; nothing where that is in code of the host."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None or not _is_ours(traceback.tb_frame):
        return None, None
    return _read(traceback)


def _is_ours(frame: FrameType) -> bool:
    """Whether a frame is of this package, or of a generated module, which has it as ``rt``."""
    module = frame.f_globals
    name = str(module.get("__name__"))
    return name.startswith(f"{__package__}.") or getattr(module.get("rt"), "__name__", None) == __package__


def _read(traceback: TracebackType) -> tuple[FrameType, ast.stmt | None]:
    """The frame of a traceback entry, and the statement that it was at, if that can be read."""
    frame = traceback.tb_frame
    first, last, _, _ = next(islice(frame.f_code.co_positions(), traceback.tb_lasti // 2, None))
    lines = range(first or 0, (last or 0) + 1)
    try:
        (statement,) = ast.parse("".join(linecache.getline(frame.f_code.co_filename, n) for n in lines).strip()).body
    except (SyntaxError, ValueError):
        return frame, None
    return frame, statement


def _names(code: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}


def _origins(names: set[str], code: CodeType) -> set[str]:
    """The names, and those of which their values were made in a function."""
    last = max(line for _, line, _, _ in code.co_positions() if line)
    text = "".join(linecache.getline(code.co_filename, n) for n in range(code.co_firstlineno, last + 1))
    made = [node for node in ast.walk(ast.parse(textwrap.dedent(text))) if isinstance(node, ast.Assign)]
    for assignment in reversed(made):
        if any(_names(target) & names for target in assignment.targets):
            names = names | _names(assignment.value)
    return names


def _refused(statement: ast.stmt | None, frame: FrameType) -> Iterator[tuple[str, object, str]]:
    """The values of a statement that can't be written, as `_written` has them."""
    for name, value, letter in _written(statement, frame):
        try:
            struct.pack("<" + letter, value)
        except (struct.error, OverflowError):
            yield name, value, letter


def _written(statement: ast.stmt | None, frame: FrameType) -> Iterator[tuple[str, object, str]]:
    """The values that a statement writes, each with the expression for it and its letter."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("struct")), [format_, _, _, ast.Starred(ast.Name(name))])):
            letter = ast.unparse(format_)[-2]
            yield from (("", value, letter) for value in frame.f_locals[name])
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(layout), "pack_into"), [_, _, *values])):
            items = _ITEM.findall(frame.f_globals[layout].format)
            letters = [letter for count, letter in items if letter != "x" for _ in range(int(count or 1))]
            for expression, letter in zip(values, letters, strict=False):
                yield from _value(expression, letter, frame)
        case ast.Assign([ast.Subscript(ast.Attribute(_, view) | ast.Name(view))], expression) if view in _VIEWS:
            yield from _value(expression, _VIEWS[view], frame)


def _value(expression: ast.expr, letter: str, frame: FrameType) -> Iterator[tuple[str, object, str]]:
    """The value of a name, or of a field of one."""
    text = ast.unparse(expression)
    name, *fields = text.split(".")
    if letter in _TYPES and name in frame.f_locals and all(map(str.isidentifier, fields)):
        value = frame.f_locals[name]
        for field in fields:
            value = getattr(value, field)
        yield text, value, letter
