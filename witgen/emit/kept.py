"""Generated code from the store, where the same was generated before: of the same model, by the same code.

Formatting takes most of the time, and most runs find nothing changed. It knows no language.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence

from witgen import store
from witgen.fingerprint import EMITTERS, fingerprint

__all__ = ["kept"]

_KIND = "emitted"
#: The packages whose versions show in what is generated.
_PACKAGES = ("black", "jinja2")


def kept(model: str | None, options: Sequence[str], emit: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What `emit` makes, texts by file name, of the model with that key and with these options.

    Without a key it is made anew.
    """
    code = fingerprint(*EMITTERS) if model is not None and store.is_on() else None
    if model is None or code is None:
        return emit()
    versions = [importlib.metadata.version(package) for package in _PACKAGES]
    key = store.key_of(code, *(part.encode() for part in (model, *versions, *options)))
    found = store.get(_KIND, key)
    if found is None:
        texts = emit()
        store.put(_KIND, key, json.dumps(texts).encode())
        return texts
    texts = json.loads(found)
    assert isinstance(texts, dict)
    return texts
