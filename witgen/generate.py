"""``witgen generate``: from contracts to files, all of them or none.

It knows which emitter makes which file; the emitters know the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from witgen import ir
from witgen.diagnostics import WitError
from witgen.emit.names import snake
from witgen.limits import check_types
from witgen.project import PROVIDED, Contract, Project, Target
from witgen.resolve import Loaded, load, select_world

__all__ = ["generate", "target_for"]

_SUFFIXES = {"python": ".py", "rust": ".rs"}


def target_for(
    paths: Sequence[Path],
    world: str | None,
    language: str,
    out: Path,
    *,
    split: bool = False,
    derives: Sequence[str] = (),
    provided: Sequence[str] = PROVIDED,
) -> Target:
    """A target that is given on the command line instead of in the project file."""
    for name, suffix in _SUFFIXES.items():
        if out.suffix == suffix and name != language:
            raise WitError.at(str(out), f"is not a {language} file; a folder or a {_SUFFIXES[language]} file is")
    return Target(Contract("", tuple(paths)), world, ((language, out),), split, tuple(derives), tuple(provided))


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
            place = _place(out, snake(found.resolve.worlds[world].name), _SUFFIXES[language])
            if language == "rust":
                texts = _rust(found.resolve, world, source, place, target)
            else:
                texts = {place: _python(found.resolve, world, source, target.provided)}
            for path, text in texts.items():
                if path in files:
                    raise WitError.at(str(path), "two targets generate this file")
                files[path] = text.encode()
    return files


def project_targets(project: Project, contracts: Sequence[str] = ()) -> list[Target]:
    """The targets of a project, or those of some of its contracts."""
    return [target for target in project.targets if not contracts or target.contract.name in contracts]


def _place(out: Path, name: str, suffix: str) -> Path:
    return out if out.suffix == suffix else out / (name + suffix)


def _source_name(root: Path, folder: Path) -> str:
    try:
        return root.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return root.name


def _python(resolve: ir.Resolve, world: ir.WorldId, source: str, provided: Sequence[str]) -> str:
    from witgen.emit import python

    return python.emit(resolve, world, source=source, provided=provided)


def _rust(resolve: ir.Resolve, world: ir.WorldId, source: str, path: Path, target: Target) -> dict[Path, str]:
    from witgen.binary import encode_component_type
    from witgen.contract.digest import Digests
    from witgen.emit import rust

    try:
        component_type = encode_component_type(resolve, world)
    except ValueError as error:
        raise WitError.at(source, f"has no binary form, which guests carry: {error}") from None
    stub = rust.Stub(component_type, Digests(resolve).world(world).digest, source, target.derives)
    if not target.split:
        return {path: rust.emit(resolve, world, stub)}
    folder = path.with_suffix("")
    return {folder / name: text for name, text in rust.emit_split(resolve, world, stub).items()}
