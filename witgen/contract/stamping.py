"""``witgen build``: which contract a crate is built for, and its stamp on the component.

The project file says it: the crate in which the Rust stubs of a contract lie is a guest of that contract. It knows
project and contracts; the form of a stamp is that of `stamp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from witgen import __version__, binary
from witgen.contract import stamp as stamps
from witgen.contract.digest import Digests
from witgen.contract.stamp import Stamp
from witgen.contract.verification import own_digests
from witgen.diagnostics import Diagnostic, Note, WitError
from witgen.files import write_all
from witgen.project import Target, find_project, project_file, read_project, roots_of
from witgen.resolve import load, select_world

__all__ = ["contract_of", "put_stamp", "stamp_for", "stamp_of"]

GENERATOR = f"witgen {__version__}"


def contract_of(crate: Path) -> Target | None:
    """The target of the nearest project file whose Rust stubs lie in the crate of that folder, if there is just one.

    Raises `WitError` for a project file that is wrong.
    """
    path = project_file(crate)
    targets = () if path is None else read_project(path).targets
    found = [
        target
        for target in targets
        for language, out in target.outputs
        if language == "rust" and _crate_of(out) == crate.resolve()
    ]
    return found[0] if len(found) == 1 else None


def _crate_of(path: Path) -> Path | None:
    """The folder of the crate in which a file lies."""
    return next((folder for folder in path.resolve().parents if (folder / "Cargo.toml").is_file()), None)


def stamp_for(target: Target) -> Stamp:
    """What a component that is built for a target is stamped with. Raises `WitError` for a contract that is wrong."""
    return _stamp(target.contract.roots, target.world)


def stamp_of(roots: Sequence[Path], world: str | None) -> Stamp:
    """As `stamp_for`, for a world of the contract of `roots`; of the project's, where there are none."""
    return _stamp(roots or roots_of(find_project(Path.cwd()), world), world)


def _stamp(roots: Sequence[Path], world: str | None) -> Stamp:
    loaded = load(roots)
    id_ = select_world(loaded, world)
    return Stamp(GENERATOR, loaded.resolve.world_name(id_), Digests(loaded.resolve).world(id_))


def put_stamp(path: Path, stamp: Stamp) -> None:
    """Stamps the component in a file, unless it is stamped so.

    Raises `WitError` for a component that does not keep the contract of the stamp, with a diagnostic for each function
    that differs; the file is left as it was.
    """
    try:
        data = path.read_bytes()
        lines = stamps.differences(stamp, own_digests(binary.decode(data)))
        content = stamps.stamped(data, stamp)
    except OSError as error:
        raise WitError.at(str(path), f"can't be read: {(error.strerror or str(error)).lower()}") from None
    except binary.BinaryError as error:
        raise WitError.at(str(path), str(error)) from None
    if lines:
        note = Note(f"it is built for world {stamp.world}: are its stubs up to date? (`witgen generate --check`)")
        raise WitError(*(Diagnostic(line, str(path), (note,)) for line in lines))
    if content != data:
        write_all({path: content})
