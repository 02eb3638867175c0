"""From the files of a package to its draft: interfaces, functions and worlds.

Everything is named here that the package itself can name; what it uses of others stays a placeholder.
"""

from __future__ import annotations

from collections.abc import Sequence

from witgen import ir
from witgen.diagnostics import Note, Span, WitError
from witgen.resolve import gates
from witgen.resolve.docs import docs_text
from witgen.resolve.draft import Draft, DraftFunction, DraftInclude, DraftItem
from witgen.resolve.errors import Errors
from witgen.resolve.scope import Scope
from witgen.resolve.types import Types
from witgen.resolve.uniqueness import NameScope
from witgen.syntax import ast

__all__ = ["define_package"]


def define_package(name: ir.PackageName, span: Span, docs: str, files: Sequence[Sequence[ast.Item]]) -> Draft:
    """The draft of a package whose files hold these items.

    Raises WitError for everything that is wrong with the package whatever the others may hold.
    """
    draft = Draft(name, span, docs)
    errors = Errors()
    scope: Scope | None = None
    with errors.collect():
        scope = Scope(draft, files, errors)
    if scope is None:
        raise WitError(*errors.diagnostics)
    definer = _Definer(draft, scope)
    for item, known, file in sorted(scope.order, key=lambda entry: isinstance(entry[0], ast.World)):
        with errors.collect():
            if isinstance(item, ast.Interface):
                gates.no_external_id(item.gates, "an interface")
                definer.interface(ir.InterfaceId(known.id), item.items, item.comments, item.gates, file)
            else:
                definer.world(ir.WorldId(known.id), item, file)
    errors.raise_any()
    return draft


class _Definer:
    def __init__(self, draft: Draft, scope: Scope) -> None:
        self._draft = draft
        self._scope = scope
        self._types = Types(draft, scope)

    def interface(
        self,
        id_: ir.InterfaceId,
        items: Sequence[ast.InterfaceItem],
        comments: Sequence[ast.Comment],
        item_gates: Sequence[ast.Gate],
        file: int,
    ) -> None:
        """Define an interface, one inside a world too."""
        interface = self._draft.interfaces[id_]
        interface.docs = docs_text(comments)
        interface.stability = gates.stability(item_gates)
        types = self._types
        # Until it is done; what fails halfway stays failed.
        types.failed.add(id_)
        errors = Errors()
        types.define(ir.InterfaceOwner(id_), items, file, errors)
        names = NameScope()
        for name, type_ in types.names.items():
            assert type_ is not None
            with errors.collect():
                names.define(name, types.spans[name])
                interface.types[name] = type_
        for item in items:
            with errors.collect():
                if isinstance(item, ast.NamedFunction):
                    types.name_function(item.name)
                    function = self._function(item.name.text, item.name, item.function, item)
                    names.define(function.name, item.name.span)
                    interface.functions.append(DraftFunction(function, item.name.span))
                elif isinstance(item, ast.Resource):
                    interface.functions += self._resource_functions(item, names, errors)
        types.finish_interface(id_)
        errors.raise_any()

    def world(self, id_: ir.WorldId, item: ast.World, file: int) -> None:
        """Define a world, all but its includes."""
        world = self._draft.worlds[id_]
        gates.no_external_id(item.gates, "a world")
        world.docs = docs_text(item.comments)
        world.stability = gates.stability(item.gates)
        types = self._types
        errors = Errors()
        types.define(ir.WorldOwner(id_), item.items, file, errors)
        for part in item.items:
            if isinstance(part, ast.Include):
                with errors.collect():
                    world.includes.append(self._include(part, file))
        imports, exports = NameScope(), NameScope()
        for name, type_ in types.names.items():
            assert type_ is not None
            with errors.collect():
                imports.define(name, types.spans[name])
                world.imports[name] = DraftItem(ir.TypeItem(type_), types.spans[name])
        for part in item.items:
            with errors.collect():
                match part:
                    case ast.Resource():
                        for draft in self._resource_functions(part, imports, errors):
                            world.imports[draft.function.name] = DraftItem(ir.FunctionItem(draft.function), draft.span)
                    case ast.Import():
                        self._extern(part, world.imports, imports, "import", file)
                    case ast.Export():
                        self._extern(part, world.exports, exports, "export", file)
        errors.raise_any()

    # Items of a world

    def _extern(
        self,
        item: ast.Import | ast.Export,
        items: dict[ir.WorldKey, DraftItem],
        names: NameScope,
        direction: str,
        file: int,
    ) -> None:
        """Add an import or export to those of its world."""
        extern = item.extern
        key: ir.WorldKey
        draft: ir.WorldItem
        match extern:
            case ast.ExternFunction():
                key, span = extern.name.text, extern.name.span
                draft = ir.FunctionItem(self._function(key, extern.name, extern.function, item))
            case ast.ExternInterface():
                key, span = extern.name.text, extern.name.span
                draft = self._inline_interface(extern, item, file)
            case ast.ExternPath(label=label):
                span = (label or extern.path.name).span
                stability, external_id = gates.stability(item.gates), gates.external_id(item.gates)
                id_ = self._scope.interface(extern.path, file)
                key = id_ if label is None else label.text
                draft = ir.InterfaceItem(id_, stability, docs_text(item.comments), label is not None, external_id)
        if key in items:
            previous = items[key]
            if isinstance(key, str):
                message = f"{direction} `{key}` conflicts with the {_what(previous.item)} of the same name"
            else:
                message = f"interface can't be {direction}ed more than once"
            raise WitError.at(span, message, Note("first defined here", previous.span))
        if isinstance(key, str):
            names.define(key, span)
        items[key] = DraftItem(draft, span)

    def _inline_interface(
        self, extern: ast.ExternInterface, item: ast.Import | ast.Export, file: int
    ) -> ir.InterfaceItem:
        id_ = self._scope.new_interface(None, extern.name.span)
        with self._types.nested():
            self.interface(id_, extern.items, item.comments, item.gates, file)
        return ir.InterfaceItem(id_, self._draft.interfaces[id_].stability, external_id=gates.external_id(item.gates))

    def _include(self, item: ast.Include, file: int) -> DraftInclude:
        gates.no_external_id(item.gates, "an `include`")
        stability = gates.stability(item.gates)
        return DraftInclude(
            world=self._scope.world(item.path, file),
            names=tuple(item.names),
            stability=stability,
            span=item.path.name.span,
        )

    # Functions

    def _resource_functions(self, resource: ast.Resource, names: NameScope, errors: Errors) -> list[DraftFunction]:
        """The functions of a resource, their names taken in `names`."""
        id_ = self._types.lookup(resource.name)
        drafts = []
        for item in resource.functions or ():
            name = f"[{item.kind.value}]{resource.name.text}"
            if item.kind is not ir.FunctionKind.CONSTRUCTOR:
                name += f".{item.name.text}"
            with errors.collect():
                function = self._function(name, item.name, item.function, item, item.kind, id_)
                names.define(name, item.name.span)
                drafts.append(DraftFunction(function, item.name.span))
        return drafts

    def _function(
        self,
        name: str,
        written: ast.Name,
        function: ast.Function,
        item: ast.NamedFunction | ast.ResourceFunction | ast.Import | ast.Export,
        kind: ir.FunctionKind = ir.FunctionKind.FREESTANDING,
        resource: ir.TypeId | None = None,
    ) -> ir.Function:
        stability, external_id = gates.stability(item.gates), gates.external_id(item.gates)
        return ir.Function(
            name,
            kind,
            resource,
            self._parameters(function, kind, resource),
            self._result(function, kind, resource),
            function.is_async,
            docs_text(item.comments),
            stability,
            external_id,
        )

    def _parameters(
        self, function: ast.Function, kind: ir.FunctionKind, resource: ir.TypeId | None
    ) -> tuple[ir.Param, ...]:
        parameters: list[ir.Param] = []
        seen: dict[str, Span | None] = {}
        if kind is ir.FunctionKind.METHOD:
            assert resource is not None
            parameters.append(ir.Param("self", self._types.nameless(ir.Borrow(resource), function.span)))
            seen["self"] = None
        for parameter in function.parameters:
            name = parameter.name
            key = name.text.lower()
            if key in seen:
                place = seen[key]
                note = (
                    Note("a method has a parameter `self` already")
                    if place is None
                    else Note("first defined here", place)
                )
                raise WitError.at(name.span, f"parameter `{name.text}` is defined more than once", note)
            seen[key] = name.span
            parameters.append(ir.Param(name.text, self._types.resolve(parameter.type)))
        return tuple(parameters)

    def _result(self, function: ast.Function, kind: ir.FunctionKind, resource: ir.TypeId | None) -> ir.Type | None:
        written = function.result
        if kind is not ir.FunctionKind.CONSTRUCTOR:
            return None if written is None else self._types.resolve(written)
        if written is None:
            return resource
        result = self._types.resolve(written)
        result_kind = None if isinstance(result, ir.Primitive) else self._draft.types[result].kind
        if not isinstance(result_kind, ir.Result):
            raise WitError.at(
                written.span,
                "a constructor returns its resource, or a `result` of it",
                Note("leave the return type away, or write `-> result<…, error>`"),
            )
        if result_kind.ok != resource:
            ok = written.ok if isinstance(written, ast.Result) else None
            raise WitError.at((ok or written).span, "the `ok` type must be the resource that is constructed")
        return result


def _what(item: ir.WorldItem) -> str:
    match item:
        case ir.InterfaceItem():
            return "interface"
        case ir.FunctionItem():
            return "function"
        case ir.TypeItem():
            return "type"
