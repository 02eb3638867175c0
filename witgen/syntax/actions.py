"""What each rule of the grammar makes: one method a rule, named as the rule is, from spans and children to a node.

This is the only place that knows both the grammar and the tree. A method gets the start and the end of what the rule
covers, then its children; those of a rule with an underscore stand one after another in the place of the rule.
"""

from __future__ import annotations

from witgen import ir
from witgen.diagnostics import Source, Span, WitError
from witgen.syntax import ast, words
from witgen.syntax.lexer import Scan

__all__ = ["Actions"]

_PRIMITIVES = {primitive.value: primitive for primitive in ir.Primitive}
_LONGEST_LIST = 2**32 - 1


class Actions:
    """The actions for one source. Names in capitals make the values of terminals."""

    def __init__(self, source: Source, scan: Scan) -> None:
        self._source = source
        self._scan = scan

    def _span(self, start: int, end: int) -> Span:
        return Span(self._source, start, end)

    def _comments(self, start: int) -> tuple[ast.Comment, ...]:
        """The comments before what starts at `start`."""
        run = self._scan.leading.get(start)
        return () if run is None else tuple(self._comment(i) for i in range(*run))

    def _comment(self, index: int) -> ast.Comment:
        start, end = self._scan.comments[index]
        return ast.Comment(self._source.text[start:end], Span(self._source, start, end))

    # Terminals

    def ID(self, start: int, end: int) -> ast.Name:
        text = self._source.text[start:end]
        return ast.Name(text[1:] if text[0] == "%" else text, Span(self._source, start, end))

    def VERSION(self, start: int, end: int) -> ast.Version:
        text = self._source.text[start:end]
        problem = words.version_problem(text)
        if problem is not None:
            self._scan.tell(WitError.at(self._span(start, end), f"`{text}` is no version: {problem}"))
        return ast.Version(text, self._span(start, end))

    def INTEGER(self, start: int, end: int) -> int:
        digits = self._source.text[start:end].lstrip("0")
        if len(digits) > 10 or int(digits or "0") > _LONGEST_LIST:
            self._scan.tell(WitError.at(self._span(start, end), f"a list is at most {_LONGEST_LIST} long"))
            return 0
        return int(digits or "0")

    def STRING(self, start: int, end: int) -> str:
        return words.string_value(self._source, start, end)

    # Files

    def file(self, start: int, end: int, header: ast.PackageHeader | None, *items: ast.Item) -> ast.File:
        comments = tuple(self._comment(i) for i in range(len(self._scan.comments)))
        return ast.File(self._source, header, items, comments)

    def package_header(self, start: int, end: int, name: ast.PackageName) -> ast.PackageHeader:
        return ast.PackageHeader(name, self._span(start, end), self._comments(start))

    def package_name(
        self, start: int, end: int, namespace: ast.Name, name: ast.Name, version: ast.Version | None
    ) -> ast.PackageName:
        return ast.PackageName(namespace, name, version, self._span(start, end))

    def nested_package(self, start: int, end: int, name: ast.PackageName, *items: ast.Item) -> ast.NestedPackage:
        return ast.NestedPackage(name, items, self._span(start, end), self._comments(start))

    def top_level_use(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], path: ast.UsePath, alias: ast.Name | None
    ) -> ast.TopLevelUse:
        return ast.TopLevelUse(path, alias, gates, self._span(start, end), self._comments(start))

    def local_path(self, start: int, end: int, name: ast.Name) -> ast.UsePath:
        return ast.UsePath(None, name, name.span)

    def package_path(
        self, start: int, end: int, namespace: ast.Name, package: ast.Name, name: ast.Name, version: ast.Version | None
    ) -> ast.UsePath:
        span = self._span(start, package.span.end)
        return ast.UsePath(ast.PackageName(namespace, package, version, span), name, self._span(start, end))

    # Gates

    def gates(self, start: int, end: int, *gates: ast.Gate) -> tuple[ast.Gate, ...]:
        return gates

    def since(self, start: int, end: int, version: ast.Version) -> ast.Since:
        return ast.Since(version, self._span(start, end))

    def unstable(self, start: int, end: int, feature: ast.Name) -> ast.Unstable:
        return ast.Unstable(feature, self._span(start, end))

    def deprecated(self, start: int, end: int, version: ast.Version) -> ast.Deprecated:
        return ast.Deprecated(version, self._span(start, end))

    def external_id(self, start: int, end: int, value: str) -> ast.ExternalId:
        return ast.ExternalId(value, self._span(start, end))

    # Worlds

    def world(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, items: tuple[ast.WorldItem, ...]
    ) -> ast.World:
        return ast.World(name, items, gates, self._span(start, end), self._comments(start))

    def world_body(self, start: int, end: int, *items: ast.WorldItem) -> tuple[ast.WorldItem, ...]:
        return items

    def world_import(self, start: int, end: int, gates: tuple[ast.Gate, ...], extern: ast.Extern) -> ast.Import:
        return ast.Import(extern, gates, self._span(start, end), self._comments(start))

    def world_export(self, start: int, end: int, gates: tuple[ast.Gate, ...], extern: ast.Extern) -> ast.Export:
        return ast.Export(extern, gates, self._span(start, end), self._comments(start))

    def extern_function(self, start: int, end: int, name: ast.Name, function: ast.Function) -> ast.ExternFunction:
        return ast.ExternFunction(name, function, self._span(start, end))

    def extern_interface(
        self, start: int, end: int, name: ast.Name, items: tuple[ast.InterfaceItem, ...]
    ) -> ast.ExternInterface:
        return ast.ExternInterface(name, items, self._span(start, end))

    def extern_path(self, start: int, end: int, path: ast.UsePath) -> ast.ExternPath:
        return ast.ExternPath(None, path, self._span(start, end))

    def labelled_path(self, start: int, end: int, label: ast.Name, path: ast.UsePath) -> ast.ExternPath:
        return ast.ExternPath(label, path, self._span(start, end))

    def include(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], path: ast.UsePath, names: tuple[ast.IncludeName, ...]
    ) -> ast.Include:
        return ast.Include(path, names, gates, self._span(start, end), self._comments(start))

    def include_names(self, start: int, end: int, *names: ast.IncludeName) -> tuple[ast.IncludeName, ...]:
        return names

    def include_name(self, start: int, end: int, name: ast.Name, alias: ast.Name) -> ast.IncludeName:
        return ast.IncludeName(name, alias, self._span(start, end), self._comments(start))

    # Interfaces

    def interface(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, items: tuple[ast.InterfaceItem, ...]
    ) -> ast.Interface:
        return ast.Interface(name, items, gates, self._span(start, end), self._comments(start))

    def interface_body(self, start: int, end: int, *items: ast.InterfaceItem) -> tuple[ast.InterfaceItem, ...]:
        return items

    def use(self, start: int, end: int, gates: tuple[ast.Gate, ...], path: ast.UsePath, *names: ast.UseName) -> ast.Use:
        return ast.Use(path, names, gates, self._span(start, end), self._comments(start))

    def use_name(self, start: int, end: int, name: ast.Name, alias: ast.Name | None) -> ast.UseName:
        return ast.UseName(name, alias, self._span(start, end), self._comments(start))

    def named_function(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, function: ast.Function
    ) -> ast.NamedFunction:
        return ast.NamedFunction(name, function, gates, self._span(start, end), self._comments(start))

    def function(
        self, start: int, end: int, parameters: tuple[ast.Parameter, ...], result: ast.Type | None
    ) -> ast.Function:
        return ast.Function(parameters, result, False, self._span(start, end))

    def async_function(
        self, start: int, end: int, parameters: tuple[ast.Parameter, ...], result: ast.Type | None
    ) -> ast.Function:
        return ast.Function(parameters, result, True, self._span(start, end))

    def parameters(self, start: int, end: int, *parameters: ast.Parameter) -> tuple[ast.Parameter, ...]:
        return parameters

    def parameter(self, start: int, end: int, name: ast.Name, type_: ast.Type) -> ast.Parameter:
        return ast.Parameter(name, type_, self._span(start, end), self._comments(start))

    # Type definitions

    def type_alias(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, type_: ast.Type
    ) -> ast.TypeAlias_:
        return ast.TypeAlias_(name, type_, gates, self._span(start, end), self._comments(start))

    def record(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, *fields: ast.Field
    ) -> ast.Record:
        return ast.Record(name, fields, gates, self._span(start, end), self._comments(start))

    def field(self, start: int, end: int, name: ast.Name, type_: ast.Type) -> ast.Field:
        return ast.Field(name, type_, self._span(start, end), self._comments(start))

    def variant(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, *cases: ast.Case
    ) -> ast.Variant:
        return ast.Variant(name, cases, gates, self._span(start, end), self._comments(start))

    def case(self, start: int, end: int, name: ast.Name, type_: ast.Type | None) -> ast.Case:
        return ast.Case(name, type_, self._span(start, end), self._comments(start))

    def enum(self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, *cases: ast.Label) -> ast.Enum:
        return ast.Enum(name, cases, gates, self._span(start, end), self._comments(start))

    def flags(self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, *flags: ast.Label) -> ast.Flags:
        return ast.Flags(name, flags, gates, self._span(start, end), self._comments(start))

    def label(self, start: int, end: int, name: ast.Name) -> ast.Label:
        return ast.Label(name, name.span, self._comments(start))

    def resource(
        self,
        start: int,
        end: int,
        gates: tuple[ast.Gate, ...],
        name: ast.Name,
        functions: tuple[ast.ResourceFunction, ...] | None,
    ) -> ast.Resource:
        return ast.Resource(name, functions, gates, self._span(start, end), self._comments(start))

    def resource_body(self, start: int, end: int, *functions: ast.ResourceFunction) -> tuple[ast.ResourceFunction, ...]:
        return functions

    def no_resource_body(self, start: int, end: int) -> None:
        return None

    def method(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, function: ast.Function
    ) -> ast.ResourceFunction:
        return self._resource_function(ir.FunctionKind.METHOD, start, end, gates, name, function)

    def static_function(
        self, start: int, end: int, gates: tuple[ast.Gate, ...], name: ast.Name, function: ast.Function
    ) -> ast.ResourceFunction:
        return self._resource_function(ir.FunctionKind.STATIC, start, end, gates, name, function)

    def constructor(
        self,
        start: int,
        end: int,
        gates: tuple[ast.Gate, ...],
        name: ast.Name,
        parameters: tuple[ast.Parameter, ...],
        result: ast.Type | None,
    ) -> ast.ResourceFunction:
        function = ast.Function(parameters, result, False, self._span(name.span.start, end))
        return self._resource_function(ir.FunctionKind.CONSTRUCTOR, start, end, gates, name, function)

    def constructor_name(self, start: int, end: int) -> ast.Name:
        return ast.Name(self._source.text[start:end], self._span(start, end))

    def _resource_function(
        self,
        kind: ir.FunctionKind,
        start: int,
        end: int,
        gates: tuple[ast.Gate, ...],
        name: ast.Name,
        function: ast.Function,
    ) -> ast.ResourceFunction:
        return ast.ResourceFunction(kind, name, function, gates, self._span(start, end), self._comments(start))

    # Types

    def primitive(self, start: int, end: int, keyword: str) -> ast.Primitive:
        return ast.Primitive(_PRIMITIVES[keyword], Span(self._source, start, end))

    def named_type(self, start: int, end: int, name: ast.Name) -> ast.NamedType:
        return ast.NamedType(name, name.span)

    def list_type(self, start: int, end: int, element: ast.Type, length: int | None) -> ast.List | ast.FixedLengthList:
        if length is None:
            return ast.List(element, self._span(start, end))
        return ast.FixedLengthList(element, length, self._span(start, end))

    def map_type(self, start: int, end: int, key: ast.Type, value: ast.Type) -> ast.Map:
        return ast.Map(key, value, self._span(start, end))

    def option_type(self, start: int, end: int, element: ast.Type) -> ast.Option:
        return ast.Option(element, self._span(start, end))

    def bare_result(self, start: int, end: int) -> ast.Result:
        return ast.Result(None, None, self._span(start, end))

    def result_type(self, start: int, end: int, ok: ast.Type, err: ast.Type | None) -> ast.Result:
        return ast.Result(ok, err, self._span(start, end))

    def error_result(self, start: int, end: int, err: ast.Type) -> ast.Result:
        return ast.Result(None, err, self._span(start, end))

    def tuple_type(self, start: int, end: int, *elements: ast.Type) -> ast.Tuple:
        return ast.Tuple(elements, self._span(start, end))

    def future_type(self, start: int, end: int, element: ast.Type | None) -> ast.Future:
        return ast.Future(element, self._span(start, end))

    def stream_type(self, start: int, end: int, element: ast.Type | None) -> ast.Stream:
        return ast.Stream(element, self._span(start, end))

    def own_type(self, start: int, end: int, resource: ast.Name) -> ast.Own:
        return ast.Own(resource, self._span(start, end))

    def borrow_type(self, start: int, end: int, resource: ast.Name) -> ast.Borrow:
        return ast.Borrow(resource, self._span(start, end))
