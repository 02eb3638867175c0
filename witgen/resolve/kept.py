"""The resolved model as bytes, for the store: written and read by this version of witgen alone.

The form is a pickle that names nothing but the classes of the model: no other name in it is looked up, and no code of
its choice is run.
"""

from __future__ import annotations

import dataclasses
import io
import operator
import pickle
from collections.abc import Callable
from typing import Any

from witgen import ir
from witgen.ir import BlankDocs

__all__ = ["pack", "unpack"]

_MODEL: list[type] = [
    value for value in vars(ir).values() if isinstance(value, type) and dataclasses.is_dataclass(value)
]
_CLASSES = {
    (class_.__module__, class_.__qualname__): class_ for class_ in (*_MODEL, ir.Primitive, ir.FunctionKind, BlankDocs)
}


def _reducer(class_: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    """How an object is taken apart: into the arguments that it is made of again."""
    names = [field.name for field in dataclasses.fields(class_)]
    if not names:
        return lambda value: (class_, ())
    get = operator.attrgetter(*names)
    if len(names) == 1:
        return lambda value: (class_, (get(value),))
    return lambda value: (class_, get(value))


_REDUCERS = {class_: _reducer(class_) for class_ in _MODEL}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _CLASSES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no class of the model") from None


def pack(resolve: ir.Resolve, main: ir.PackageId) -> bytes:
    """A model and its main package as bytes."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump((resolve, main))
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[ir.Resolve, ir.PackageId] | None:
    """What `pack` was given; None where the bytes aren't a model's."""
    try:
        resolve, main = _Unpickler(io.BytesIO(data)).load()
    except Exception:
        # A pickle that is none fails in a dozen ways, all of which mean the same.
        return None
    return (resolve, main) if isinstance(resolve, ir.Resolve) else None
