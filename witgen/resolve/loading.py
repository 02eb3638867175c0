"""From roots to the resolved model: by way of the store where the same bytes were resolved before.

A model that was kept needs neither the parser nor the rules of the language; neither is imported for it. All that
decides a model is part of its key: names and bytes of the files, their order, the features, and the code that resolves.
Where the files lie is not: it appears in no model.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import ir, store
from witgen.diagnostics import WitError
from witgen.fingerprint import FRONT_END, fingerprint
from witgen.garbage import no_garbage
from witgen.resolve.binaries import is_text_form
from witgen.resolve.files import Contents, Group, read_root
from witgen.resolve.kept import pack, unpack

__all__ = ["Loaded", "load"]

_KIND = "packages"


@dataclass(frozen=True)
class Loaded:
    """What a set of roots holds.

    `main` is the package of the last root. `key` is the digest of all that decides the model, in the store and for what
    is made of the model; None where nothing can be kept.
    """

    resolve: ir.Resolve
    main: ir.PackageId
    key: str | None = None


def load(roots: Sequence[Path], *, features: Collection[str] = (), all_features: bool = False) -> Loaded:
    """Read and resolve the packages of `roots`: WIT files, folders with their ``deps``, and WebAssembly files.

    All roots see each other's packages. Items gated by ``@unstable`` are there if their feature is among `features` or
    `all_features` is set; what comes out of a binary is there whatever its gates. Of a component, the world that it
    implements is read, as package ``root:component``. Raises WitError for everything that is wrong with the input.
    """
    if not roots:
        raise WitError.at("witgen", "there is nothing to read; name a WIT file or a folder of WIT files")
    groups = [read_root(root) for root in roots]
    contents = Contents()
    key = _key(groups, contents, features, all_features)
    with no_garbage():
        found = None if key is None else _kept(key)
        if found is not None:
            return found
        from witgen.resolve.assemble import assemble
        from witgen.resolve.gates import Features

        loaded = Loaded(*assemble(groups, contents, Features(frozenset(features), all_features)), key)
        if key is not None:
            store.put(_KIND, key, pack(loaded.resolve, loaded.main))
    return loaded


def _kept(key: str) -> Loaded | None:
    """What the store has for a key."""
    data = store.get(_KIND, key)
    model = None if data is None else unpack(data)
    return None if model is None else Loaded(*model, key)


def _key(
    roots: Sequence[Sequence[Group]], contents: Contents, features: Collection[str], all_features: bool
) -> str | None:
    """The digest of all that decides the model; None where a file can't be read, or nothing can be kept."""
    code = fingerprint(*FRONT_END) if store.is_on() else None
    if code is None:
        return None
    enabled = ["*"] if all_features else sorted(set(features))
    parts = [code, *_numbered([feature.encode() for feature in enabled]), b"%d" % len(roots)]
    for groups in roots:
        parts.append(b"%d" % len(groups))
        for i, group in enumerate(groups):
            if group.problem is not None:
                return None
            # A root may be called otherwise the next time; a dependency has the name of its entry in `deps`.
            parts.append(Path(group.path).name.encode() if i else b"")
            parts.append(b"file" if group.stands_alone else b"folder")
            parts += _numbered([os.fsencode(path.name) for path in group.files])
            with contextlib.suppress(WitError):
                parts += [contents[path] for path in group.files]
                if not any(is_text_form(contents[path]) for path in group.files):
                    continue
            # What can't be read makes no model; what the text form of WebAssembly comes to is for wasmtime to say.
            return None
    return store.key_of(*parts)


def _numbered(parts: Sequence[bytes]) -> list[bytes]:
    return [b"%d" % len(parts), *parts]
