"""``witgen generate``: from contracts to files, all of them or none.

It knows which emitter makes which file; the emitters know the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from witgen import ir
from witgen.diagnostics import WitError
from witgen.emit.python.naming import module_name
from witgen.limits import check_types
from witgen.project import Contract, Project, Target
from witgen.resolve import Loaded, load, select_world

__all__ = ["generate", "target_for"]

_SUFFIXES = {"python": ".py", "rust": ".rs"}


def target_for(paths: Sequence[Path], world: str | None, language: str, out: Path) -> Target:
    """A target that is given on the command line instead of in the project file."""
    for name, suffix in _SUFFIXES.items():
        if out.suffix == suffix and name != language:
            raise WitError.at(str(out), f"is not a {language} file; a folder or a {_SUFFIXES[language]} file is")
    return Target(Contract("", tuple(paths)), world, ((language, out),))


def generate(targets: Sequence[Target], folder: Path) -> dict[Path, bytes]:
    """The files of `targets`, ready to be written.

    `folder` is that of the project: headers name contracts relative to it. Raises `WitError` if a contract is wrong,
    an emitter can't carry it, or two targets want the same file.
    """
    files: dict[Path, bytes] = {}
    loaded: dict[tuple[Path, ...], Loaded] = {}
    for target in targets:
        roots = target.contract.roots
        found = loaded.get(roots)
        if found is None:
            found = loaded[roots] = load(roots)
            check_types(found.resolve)
        world = select_world(found, target.world)
        source = _source_name(roots[-1], folder)
        for language, out in target.outputs:
            path = _output_path(out, language, found.resolve.worlds[world].name)
            if path in files:
                raise WitError.at(str(path), "two targets generate this file")
            files[path] = _emit(language, found.resolve, world, source).encode()
    return files


def project_targets(project: Project, contracts: Sequence[str] = ()) -> list[Target]:
    """The targets of a project, or those of some of its contracts."""
    return [target for target in project.targets if not contracts or target.contract.name in contracts]


def _output_path(out: Path, language: str, world: str) -> Path:
    return out if out.suffix == _SUFFIXES[language] else out / (module_name(world) + _SUFFIXES[language])


def _source_name(root: Path, folder: Path) -> str:
    try:
        return root.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return root.name


def _emit(language: str, resolve: ir.Resolve, world: ir.WorldId, source: str) -> str:
    if language == "python":
        from witgen.emit import python

        return python.emit(resolve, world, source=source)
    from witgen.binary import encode_component_type
    from witgen.contract.digest import Digests
    from witgen.emit import rust

    try:
        component_type = encode_component_type(resolve, world)
    except ValueError as error:
        raise WitError.at(source, f"has no binary form, which guests carry: {error}") from None
    return rust.emit(
        resolve,
        world,
        component_type=component_type,
        digest=Digests(resolve).world(world).digest,
        source=source,
    )
