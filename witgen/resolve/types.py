"""The types of a draft: definitions in the order of dependency, and the nameless types in between.

A nameless type (``list<u8>``) is made once and used wherever it is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from witgen import ir
from witgen.diagnostics import Note, Span, WitError
from witgen.resolve import gates, kinds
from witgen.resolve.docs import docs_text
from witgen.resolve.draft import Draft, DraftType
from witgen.resolve.errors import Errors, follows
from witgen.resolve.order import did_you_mean, sort_by_dependency
from witgen.resolve.scope import Scope
from witgen.resolve.uniqueness import unique_key
from witgen.syntax import ast

__all__ = ["Types"]

_KEYS = frozenset(ir.Primitive) - {ir.Primitive.F32, ir.Primitive.F64, ir.Primitive.ERROR_CONTEXT}
_MOST_FLAGS = 32
_RENAMED = {"float32": "f32", "float64": "f64", "handle": "own", "expected": "result", "unit": "_"}

#: What a name in an interface or world stands for: a type, or None for a function.
Meaning = ir.TypeId | None


class Types:
    """Defines the types of a draft. `names` holds those of the interface or world that is being defined."""

    def __init__(self, draft: Draft, scope: Scope) -> None:
        self._draft = draft
        self._scope = scope
        self._nameless: dict[ir.Kind, ir.TypeId] = {}
        #: For each alias of a type, what it stands for after all: chains of aliases are long where interfaces use
        #: interfaces that use interfaces.
        self._meant: dict[ir.TypeId, ir.TypeId] = {}
        #: The names of each interface that was defined, functions among them.
        self._of_interface: dict[ir.InterfaceId, dict[str, Meaning]] = {}
        #: Interfaces that can't be defined.
        self.failed: set[ir.InterfaceId] = set()
        self.names: dict[str, Meaning] = {}
        self.spans: dict[str, Span] = {}
        #: Names whose types can't be defined; who needs one of them fails without a word.
        self._failed_names: set[str] = set()

    def define(
        self, owner: ir.Owner, items: Sequence[ast.WorldItem | ast.InterfaceItem], file: int, errors: Errors
    ) -> None:
        """Start a new interface or world: define all types among its items.

        Adds to `errors` the names that are taken or don't exist, and the types that can't be. Raises WitError for types
        that depend on themselves.
        """
        self.names = {}
        self.spans = {}
        self._failed_names = set()
        for item in items:
            if isinstance(item, ast.Use):
                with errors.collect():
                    self._use(owner, item, file, errors)
        definitions: dict[str, ast.TypeDefinition | None] = {}
        edges: dict[str, list[ast.Name]] = {}
        for item in items:
            match item:
                case ast.Use():
                    for use in item.names:
                        name = (use.alias or use.name).text
                        definitions[name] = None
                        edges[name] = []
                case ast.TypeAlias_() | ast.Record() | ast.Variant() | ast.Enum() | ast.Flags() | ast.Resource():
                    name = item.name.text
                    if name in definitions:
                        previous = definitions[name]
                        where = previous.name.span if previous else self.spans.get(name)
                        errors.add(follows() if where is None else _defined_twice(item.name, where))
                        continue
                    definitions[name] = item
                    edges[name] = list(_names_in(item))
        self._drop_missing(edges, items, errors)
        for name in sort_by_dependency("type", edges):
            definition = definitions[name]
            if definition is not None and name not in self._failed_names:
                self._failed_names.add(name)
                with errors.collect():
                    self._define(owner, definition)
                    self._failed_names.discard(name)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """While an interface inside a world is defined; then the names are those of the world again."""
        outer = self.names, self.spans, self._failed_names
        try:
            yield
        finally:
            self.names, self.spans, self._failed_names = outer

    def finish_interface(self, interface: ir.InterfaceId) -> None:
        """Keep the names of the interface for those that use it, unless some of them failed."""
        self._of_interface[interface] = self.names
        if not self._failed_names:
            self.failed.discard(interface)

    def _drop_missing(
        self, edges: dict[str, list[ast.Name]], items: Sequence[ast.WorldItem | ast.InterfaceItem], errors: Errors
    ) -> None:
        """Take out of `edges` the names that don't exist; definitions that are made of them fail."""
        for user, names in edges.items():
            missing = [name for name in names if name.text not in edges]
            if missing:
                self._failed_names.add(user)
                edges[user] = [name for name in names if name.text in edges]
            for name in missing:
                notes = self._notes_on_missing(name, list(edges), items)
                errors.add(WitError.at(name.span, f"type `{name.text}` does not exist", *notes))

    def _notes_on_missing(
        self, name: ast.Name, known: list[str], items: Sequence[ast.WorldItem | ast.InterfaceItem]
    ) -> list[Note]:
        for item in items:
            if isinstance(item, ast.NamedFunction) and item.name.text == name.text:
                return [Note(f"`{name.text}` is a function", item.name.span)]
        return _renamed(name) or did_you_mean(name.text, known)

    def _use(self, owner: ir.Owner, use: ast.Use, file: int, errors: Errors) -> None:
        written = {(item.alias or item.name).text for item in use.names}
        # Until they are defined.
        self._failed_names |= written
        interface = self._scope.interface(use.path, file)
        if interface in self.failed:
            raise follows()
        stability = gates.stability(use.gates)
        external_id = gates.external_id(use.gates)
        names: Mapping[str, Meaning] = self._of_interface.get(interface) or self._draft.interfaces[interface].types
        for item in use.names:
            with errors.collect():
                kind = ir.Alias(self._used_type(item.name, names, use.path))
                name = item.alias or item.name
                id_ = self._add(
                    DraftType(name.text, kind, owner, item.name.span, stability=stability, external_id=external_id)
                )
                self._name(name, id_)
                self._failed_names.discard(name.text)

    def _used_type(self, name: ast.Name, names: Mapping[str, Meaning], path: ast.UsePath) -> ir.TypeId:
        if name.text not in names:
            raise WitError.at(
                name.span,
                f"name `{name.text}` does not exist in interface `{path.name.text}`",
                *did_you_mean(name.text, list(names)),
            )
        target = names[name.text]
        if target is None:
            raise WitError.at(name.span, f"`{name.text}` is a function; only types can be used")
        return target

    def _define(self, owner: ir.Owner, definition: ast.TypeDefinition) -> None:
        stability = gates.stability(definition.gates)
        external_id = gates.external_id(definition.gates)
        kind = self._kind(definition, stability)
        spans = tuple(field.name.span for field in definition.fields) if isinstance(definition, ast.Record) else ()
        draft = DraftType(
            definition.name.text,
            kind,
            owner,
            definition.name.span,
            docs_text(definition.comments),
            stability,
            external_id,
            spans,
        )
        self._name(definition.name, self._add(draft))

    def _add(self, type_: DraftType) -> ir.TypeId:
        id_ = ir.TypeId(len(self._draft.types))
        self._draft.types.append(type_)
        if isinstance(type_.kind, ir.Alias) and not isinstance(type_.kind.target, ir.Primitive):
            self._meant[id_] = self._meant.get(type_.kind.target, type_.kind.target)
        return id_

    def _name(self, name: ast.Name, meaning: Meaning) -> None:
        if name.text in self.names:
            raise _defined_twice(name, self.spans[name.text])
        self.names[name.text] = meaning
        self.spans[name.text] = name.span

    def name_function(self, name: ast.Name) -> None:
        """Remember that a name is a function's, to say so where it is used as a type."""
        if name.text not in self.names:
            self.names[name.text] = None
            self.spans[name.text] = name.span

    # Kinds

    def _kind(self, definition: ast.TypeDefinition, stability: ir.Stability) -> ir.Kind:
        name = definition.name
        match definition:
            case ast.TypeAlias_():
                return self._kind_of_type(definition.type, stability)
            case ast.Resource():
                return ir.Resource()
            case ast.Record(fields=fields):
                _check_names("field", fields)
                return ir.Record(
                    tuple(
                        ir.Field(field.name.text, self.resolve(field.type, stability), docs_text(field.comments))
                        for field in fields
                    )
                )
            case ast.Variant(cases=cases):
                _check_not_empty(name, "variant", cases)
                _check_names("case", cases)
                return ir.Variant(
                    tuple(
                        ir.Case(case.name.text, self._optional(case.type, stability), docs_text(case.comments))
                        for case in cases
                    )
                )
            case ast.Enum():
                _check_not_empty(name, "enum", definition.cases)
                _check_names("case", definition.cases)
                return ir.Enum(_labels(definition.cases))
            case ast.Flags():
                if len(definition.flags) > _MOST_FLAGS:
                    raise WitError.at(
                        definition.flags[_MOST_FLAGS].name.span,
                        f"flags `{name.text}` has more than {_MOST_FLAGS} flags",
                    )
                _check_names("flag", definition.flags)
                return ir.Flags(_labels(definition.flags))

    def _kind_of_type(self, type_: ast.Type, stability: ir.Stability) -> ir.Kind:
        """What a written type is; for a name or a primitive an alias of it."""
        match type_:
            case ast.Primitive():
                return ir.Alias(type_.kind)
            case ast.NamedType():
                return ir.Alias(self.lookup(type_.name))
            case ast.List():
                return ir.List(self.resolve(type_.element, stability))
            case ast.FixedLengthList():
                return ir.FixedLengthList(self.resolve(type_.element, stability), type_.length)
            case ast.Map():
                key, value = self.resolve(type_.key, stability), self.resolve(type_.value, stability)
                if key not in _KEYS:
                    raise WitError.at(
                        type_.key.span, "the key of a map must be `bool`, `char`, `string` or an integer type"
                    )
                return ir.Map(key, value)
            case ast.Option():
                return ir.Option(self.resolve(type_.element, stability))
            case ast.Result():
                return ir.Result(self._optional(type_.ok, stability), self._optional(type_.err, stability))
            case ast.Tuple():
                return ir.Tuple(tuple(self.resolve(element, stability) for element in type_.elements))
            case ast.Future():
                return ir.Future(self._optional(type_.element, stability))
            case ast.Stream():
                return ir.Stream(self._optional(type_.element, stability))
            case ast.Own():
                return ir.Own(self._resource(type_.resource))
            case ast.Borrow():
                return ir.Borrow(self._resource(type_.resource))

    def resolve(self, type_: ast.Type, stability: ir.Stability = ir.STABLE) -> ir.Type:
        """The type that is written in `type_`, where `stability` is the gate of the definition that it is part of.

        Raises WitError for names that don't exist or mean something else.
        """
        if isinstance(type_, ast.Primitive):
            return type_.kind
        if isinstance(type_, ast.NamedType):
            return self.lookup(type_.name)
        kind = self._kind_of_type(type_, stability)
        if isinstance(kind, ir.Own):
            # An owned handle is what a resource's own name stands for.
            return kind.resource
        return self.nameless(kind, type_.span, stability)

    def nameless(self, kind: ir.Kind, span: Span, stability: ir.Stability = ir.STABLE) -> ir.TypeId:
        """The nameless type of that kind."""
        id_ = self._nameless.get(kind)
        if id_ is None:
            id_ = self._add(DraftType(None, kind, None, span, stability=self._inherited(kind, stability)))
            self._nameless[kind] = id_
        return id_

    def _inherited(self, kind: ir.Kind, stability: ir.Stability) -> ir.Stability:
        """The gate of a nameless type: its definition's, or else that of the first gated type in it."""
        if stability != ir.STABLE:
            return stability
        for type_ in kinds.references(kind):
            if not isinstance(type_, ir.Primitive) and self._draft.types[type_].stability != ir.STABLE:
                return self._draft.types[type_].stability
        return ir.STABLE

    def _optional(self, type_: ast.Type | None, stability: ir.Stability) -> ir.Type | None:
        return None if type_ is None else self.resolve(type_, stability)

    def lookup(self, name: ast.Name) -> ir.TypeId:
        """The type with that name. Raises WitError where there is none."""
        if name.text in self._failed_names:
            raise follows()
        if name.text not in self.names:
            notes = _renamed(name) or did_you_mean(name.text, list(self.names))
            raise WitError.at(name.span, f"type `{name.text}` does not exist", *notes)
        meaning = self.names[name.text]
        if meaning is None:
            raise WitError.at(
                name.span,
                f"`{name.text}` is a function, not a type",
                Note("defined here", self.spans[name.text]),
            )
        return meaning

    def _resource(self, name: ast.Name) -> ir.TypeId:
        """The resource, or alias of one, that a handle is made of."""
        id_ = self.lookup(name)
        meant = self._meant.get(id_, id_)
        kind = self._draft.types[meant].kind
        if kind is None:
            self._draft.resources.append((meant, name.span))
        elif not isinstance(kind, ir.Resource):
            raise WitError.at(
                name.span,
                f"`{name.text}` is no resource; only resources have handles",
                Note("defined here", self._draft.types[id_].span),
            )
        return id_


def _renamed(name: ast.Name) -> list[Note]:
    """A note on the name that a type has now, if it had another once."""
    if name.text not in _RENAMED:
        return []
    return [Note(f"`{name.text}` is called `{_RENAMED[name.text]}` now")]


def _labels(labels: Iterable[ast.Label]) -> tuple[ir.Label, ...]:
    return tuple(ir.Label(label.name.text, docs_text(label.comments)) for label in labels)


def _check_not_empty(name: ast.Name, what: str, cases: Sequence[ast.Case | ast.Label]) -> None:
    """Raise WitError for a type that has no value at all."""
    if not cases:
        raise WitError.at(name.span, f"{what} `{name.text}` is empty; it needs at least one case")


def _check_names(part: str, parts: Sequence[ast.Field | ast.Case | ast.Label]) -> None:
    """Raise WitError if two parts of a definition have the same name."""
    seen: dict[tuple[bool, str], ast.Name] = {}
    for item in parts:
        previous = seen.setdefault(unique_key(item.name.text), item.name)
        if previous is not item.name:
            raise WitError.at(
                item.name.span,
                (
                    f"{part} `{item.name.text}` is defined more than once"
                    if previous.text == item.name.text
                    else f"{part} `{item.name.text}` differs from {part} `{previous.text}` in case alone"
                ),
                Note("first defined here", previous.span),
            )


def _defined_twice(name: ast.Name, previous: Span) -> WitError:
    return WitError.at(name.span, f"`{name.text}` is defined more than once", Note("first defined here", previous))


def _names_in(definition: ast.TypeDefinition) -> Iterator[ast.Name]:
    """The names of types that a definition is made of."""
    match definition:
        case ast.TypeAlias_(type=type_):
            yield from _names_in_type(type_)
        case ast.Record(fields=fields):
            for field in fields:
                yield from _names_in_type(field.type)
        case ast.Variant(cases=cases):
            for case in cases:
                if case.type is not None:
                    yield from _names_in_type(case.type)


def _names_in_type(type_: ast.Type) -> Iterator[ast.Name]:
    pending = [type_]
    while pending:
        match pending.pop():
            case ast.NamedType(name=name) | ast.Own(resource=name) | ast.Borrow(resource=name):
                yield name
            case ast.List(element=element) | ast.FixedLengthList(element=element) | ast.Option(element=element):
                pending.append(element)
            case ast.Map(key=key, value=value):
                pending += [value, key]
            case ast.Tuple(elements=elements):
                pending += reversed(elements)
            case ast.Result(ok=ok, err=err):
                pending += [inner for inner in (err, ok) if inner is not None]
            case ast.Future(element=inner) | ast.Stream(element=inner):
                if inner is not None:
                    pending.append(inner)
