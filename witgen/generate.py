"""``witgen generate``: from contracts to files, all of them or none.

It knows which emitter makes which file; the emitters know the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from witgen import ir
from witgen.diagnostics import WitError
from witgen.emit.kept import kept
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
            texts = _texts(found, world, language, source, target)
            for name, text in texts.items():
                path = place.with_suffix("") / name if name else place
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


def _texts(loaded: Loaded, world: ir.WorldId, language: str, source: str, target: Target) -> Mapping[str, str]:
    """The files of a target in a language by their names in the target's folder; the one that is all has no name."""
    options = (language, str(world), source, str(target.split), str(target.derives), str(target.provided))
    emit = {"python": _python, "rust": _rust}[language]
    return kept(loaded.key, options, lambda: emit(loaded.resolve, world, source, target))


def _python(resolve: ir.Resolve, world: ir.WorldId, source: str, target: Target) -> dict[str, str]:
    from witgen.emit import python

    return {"": python.emit(resolve, world, source=source, provided=target.provided)}


def _rust(resolve: ir.Resolve, world: ir.WorldId, source: str, target: Target) -> dict[str, str]:
    from witgen.binary import encode_component_type
    from witgen.contract.digest import Digests
    from witgen.emit import rust

    try:
        component_type = encode_component_type(resolve, world)
    except ValueError as error:
        raise WitError.at(source, f"has no binary form, which guests carry: {error}") from None
    stub = rust.Stub(component_type, Digests(resolve).world(world).digest, source, target.derives)
    if not target.split:
        return {"": rust.emit(resolve, world, stub)}
    return dict(rust.emit_split(resolve, world, stub))
