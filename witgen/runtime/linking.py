"""The definitions of a component carried out in order, on core modules alone.

`Linker` walks a decoded component as `Binary.md` orders it, keeping its index spaces: it instantiates core modules with
wasmtime's core API, makes core functions of lowered functions and of resource built-ins, instantiates the components
inside, and remembers what was lifted. It knows how parts fit together, not what any type means: the host's side of
values is the adapter's, calls between components are `fusion`'s.

What it can't carry out at all was refused before (`refusals`); that types fit was found by `witgen.binary.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import wasmtime

from witgen.binary import entities, model
from witgen.binary.model import Sort
from witgen.runtime.builtins import resource_drop, resource_new, resource_rep
from witgen.runtime.codecs import Codecs
from witgen.runtime.context import Context, context_class
from witgen.runtime.core import (
    DEEP,
    CoreExports,
    CoreFunction,
    HostCallback,
    host_function,
    room_below,
    signature,
    trap_of,
)
from witgen.runtime.errors import LinkError, Trap
from witgen.runtime.fusion import Signature, fuse, signature_of
from witgen.runtime.handles import ResourceType
from witgen.runtime.host_types import HostTypes
from witgen.runtime.providers import HostFunction, Source, Sources, drop_host_object
from witgen.runtime.state import InstanceState

if TYPE_CHECKING:
    from witgen.runtime.instance import Instance

__all__ = ["Frame", "ImportedFunction", "ImportedInstance", "Lifted", "Linker", "member"]


class Frame:
    """The index spaces of one component instance while it is instantiated.

    `outer` is the frame in which its component was defined, which is what outer aliases go through.
    """

    __slots__ = ("args", "contexts", "exports", "outer", "scope", "spaces", "state")

    def __init__(self, state: InstanceState, outer: Frame | None, args: Mapping[str, Any]) -> None:
        self.state = state
        self.outer = outer
        self.args = args
        self.spaces: dict[Sort, list[Any]] = {sort: [] for sort in Sort}
        #: The space of types, for those who follow the indices in a type.
        self.scope = entities.Scope(None, self.spaces[Sort.TYPE])
        self.exports: dict[str, Any] = {}
        self.contexts: dict[tuple[int | None, int | None, str, int], Context] = {}

    def at(self, sort: Sort, index: int) -> Any:
        """What an index refers to. Raises `LinkError` if it refers to nothing."""
        space = self.spaces[sort]
        if index >= len(space):
            raise LinkError(f"the component has no {sort.value} {index}")
        return space[index]


@dataclass(frozen=True, slots=True)
class Lifted:
    """A component function that a component instance lifted; `type` is its type."""

    core: wasmtime.Func
    options: model.CanonOptions
    frame: Frame
    type: entities.Node


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """A function of the host, by its interface (``""``: none) and name; `type` is its type."""

    interface: str
    name: str
    type: entities.Node


@dataclass(frozen=True, slots=True)
class ImportedInstance:
    """An instance of the host, with what the component's own types say of it."""

    interface: str
    exports: entities.Externs


@dataclass(frozen=True, slots=True)
class _Closure:
    """A nested component with the frame in which it was defined."""

    component: model.Component
    frame: Frame


#: What a component instance is, outside of its own walk: its exports.
Exports: TypeAlias = Mapping[str, Any] | ImportedInstance


def member(instance: Exports, name: str) -> Any:
    """What an instance exports under a name; None if it exports nothing under it."""
    if not isinstance(instance, ImportedInstance):
        return instance.get(name)
    extern = instance.exports.get(name)
    if extern is None:
        return None
    return _imported(instance.interface, name, extern.entity)


def _imported(interface: str, name: str, entity: entities.Entity) -> Any:
    """An import as others refer to it; types are their own nodes."""
    match entity:
        case entities.Func(type_):
            return ImportedFunction(interface, name, type_)
        case entities.Instance(exports):
            return ImportedInstance(name, exports)
        case _:
            return entity


class Linker:
    """Carries out the definitions of one component for one `Instance`."""

    def __init__(self, instance: Instance, sources: Sources, handles: int) -> None:
        """`handles` is how many each of the component instances may have."""
        self._instance = instance
        self._component = instance.component
        self._store = instance.store
        self._sources = sources
        self._host_types = HostTypes(self._component, sources.host_types)
        self._resources: dict[entities.Node, ResourceType] = {}
        self._codecs = Codecs(self.resource)
        self._signatures: dict[entities.Node, Signature] = {}
        self._keep: list[object] = []
        self.state = InstanceState(None, handles)
        self._states = [self.state]

    def run(self) -> dict[str, Any]:
        """Instantiates the component; gives what it exports."""
        return self._run(self._component.definition, Frame(self.state, None, {}))

    def _run(self, component: model.Component, frame: Frame) -> dict[str, Any]:
        spaces = frame.spaces
        for definition in component.definitions:
            made = _STEPS[type(definition)](self, definition, frame)
            if definition.space is not None:
                spaces[definition.space].append(made)
        return frame.exports

    def drop_host_objects(self) -> None:
        """Drops all objects of the host to which component instances have handles. Raises what the first one raised.

        An object may refuse with a `Trap` as long as there are others that depend on it.
        """
        left = [(type_, rep) for state in self._states for type_, rep in state.handles.abandon() if type_.home is None]
        failures: list[BaseException] = []
        count = -1
        while len(left) != count:
            count = len(left)
            refused, traps = [], []
            for type_, rep in left:
                try:
                    type_.drop(rep)
                except Trap as trap:
                    refused.append((type_, rep))
                    traps.append(trap)
                except BaseException as error:
                    failures.append(error)
            left = refused
        failures += traps
        if failures:
            raise failures[0]

    # What others ask for

    def resource(self, node: entities.Node) -> ResourceType:
        """The resource type that a node stands for in this instance."""
        bare = entities.bare(node)
        if not isinstance(bare, entities.ResourceNode):
            raise LinkError("a canonical definition of resources refers to a type that is no resource")
        found = self._resources.get(bare)
        if found is None:
            found = self._host_types.behind(bare) or ResourceType("resource", drop_host_object)
            self._resources[bare] = found
        return found

    def signature(self, type_: entities.Node) -> Signature:
        """How calls of a function type are carried from one component instance to another."""
        found = self._signatures.get(type_)
        if found is None:
            found = self._signatures[type_] = signature_of(self._codecs, type_)
        return found

    def source(self, function: ImportedFunction) -> tuple[Source, HostFunction]:
        """What serves an import."""
        found = self._sources.find(function.interface, function.name)
        assert found is not None, "what is not given is refused before"
        return found

    def context(self, options: model.CanonOptions, frame: Frame, source: Source) -> Context:
        """The context of a set of options; functions of a source with the same options share one."""
        key = (options.memory, options.realloc, options.string_encoding.value, id(source))
        found = frame.contexts.get(key)
        if found is None:
            memory = None if options.memory is None else frame.at(Sort.CORE_MEMORY, options.memory)
            if memory is not None:
                self._instance.meter.add_memory(memory)
            realloc = None if options.realloc is None else frame.at(Sort.CORE_FUNC, options.realloc)
            if realloc is not None:
                self.expect(realloc, "iiii", "i", "realloc")
            make = context_class[options.string_encoding.value]
            found = frame.contexts[key] = make(self._instance, frame.state, source, memory, realloc)
        return found

    def post_return(self, lifted: Lifted, results: str) -> wasmtime.Func | None:
        """The function that frees what a lifted function returned, if there is one."""
        if lifted.options.post_return is None:
            return None
        found: wasmtime.Func = lifted.frame.at(Sort.CORE_FUNC, lifted.options.post_return)
        self.expect(found, results, "", "a post-return function")
        return found

    def core_function(self, params: str, results: str, callback: HostCallback) -> wasmtime.Func:
        """A core function that calls Python."""
        function, native = host_function(self._store, params, results, callback)
        self._keep.append(native)
        return function

    def expect(self, function: wasmtime.Func, params: str, results: str, what: str) -> None:
        """Raises `LinkError` if a core function is not of this type."""
        if signature(self._store, function) != (params, results):
            raise LinkError(f"{what} has another core type than the canonical ABI gives it")

    # Core definitions

    def _module(self, definition: model.CoreModule, frame: Frame) -> wasmtime.Module:
        return self._component.module(definition)

    def _instantiate_module(self, definition: model.InstantiateModule, frame: Frame) -> Mapping[str, Any]:
        module: wasmtime.Module = frame.at(Sort.CORE_MODULE, definition.module)
        given = {arg.name: frame.at(Sort.CORE_INSTANCE, arg.instance) for arg in definition.args}
        externs = []
        for wanted in module.imports:
            found = given.get(wanted.module, {}).get(wanted.name)
            if found is None:
                raise LinkError(f"a core module imports {wanted.module} {wanted.name}, which it is not given")
            externs.append(found)
        room_below(_FRAMES_TO_START)
        try:
            return CoreExports(self._store, module, wasmtime.Instance(self._store, module, externs))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            failure = self._not_started(error)
        # Raised outside the handler, so that an exception of host code keeps the context that it has.
        raise failure

    def _not_started(self, error: wasmtime.Trap | wasmtime.WasmtimeError) -> BaseException:
        """What to raise where a core module could not be instantiated: it does not fit, or its start failed."""
        trap = trap_of(error)
        starts = isinstance(error, wasmtime.Trap) or trap.frames
        found = self._instance.unwound(trap if starts else LinkError(trap.reason))
        if isinstance(found, Trap) and found.function is None:
            return Trap(found.reason, "start", found.frames)
        return found

    def _bundle_core(self, definition: model.BundleCoreExports, frame: Frame) -> Mapping[str, Any]:
        return {item.name: frame.at(item.sort, item.index) for item in definition.exports}

    def _core_alias(self, definition: model.CoreExportAlias, frame: Frame) -> Any:
        found = frame.at(Sort.CORE_INSTANCE, definition.instance).get(definition.name)
        if found is None:
            raise LinkError(f"a core instance does not export {definition.name}")
        if not isinstance(found, _CORE_KINDS.get(definition.sort, object)):
            raise LinkError(f"{definition.name} of a core instance is no {definition.sort.value}")
        return found

    # Components and what they export

    def _closure(self, definition: model.Component, frame: Frame) -> _Closure:
        return _Closure(definition, frame)

    def _instantiate_component(self, definition: model.InstantiateComponent, frame: Frame) -> Exports:
        self._instance.meter.count_instance()
        closure: _Closure = frame.at(Sort.COMPONENT, definition.component)
        args = {arg.name: frame.at(arg.sort, arg.index) for arg in definition.args}
        state = InstanceState(frame.state, frame.state.handles.most)
        self._states.append(state)
        return self._run(closure.component, Frame(state, closure.frame, args))

    def _bundle(self, definition: model.BundleExports, frame: Frame) -> Exports:
        return {item.name: frame.at(item.sort, item.index) for item in definition.exports}

    def _alias(self, definition: model.ExportAlias, frame: Frame) -> Any:
        found = member(frame.at(Sort.INSTANCE, definition.instance), definition.name)
        if found is None:
            raise LinkError(f"an instance does not export {definition.name}")
        return found

    def _outer(self, definition: model.OuterAlias, frame: Frame) -> Any:
        for _ in range(definition.count):
            assert frame.outer is not None, "the decoder counts the components around"
            frame = frame.outer
        return frame.at(definition.sort, definition.index)

    def _import(self, definition: model.Import, frame: Frame) -> Any:
        name = definition.name
        if frame.outer is None:
            return _imported("", name, self._component.imports[name].entity)
        if name not in frame.args:
            raise LinkError(f"a nested component is not given its import {name}")
        return frame.args[name]

    def _export(self, definition: model.Export, frame: Frame) -> Any:
        found = frame.exports[definition.name] = frame.at(definition.sort, definition.index)
        return found

    # Types

    def _type(self, definition: model.TypeDef, frame: Frame) -> entities.Node:
        if not isinstance(definition.type, model.ResourceType):
            return entities.Defined(definition.type, frame.scope, definition.offset)
        node = entities.ResourceNode(definition.offset)
        self._resources[node] = ResourceType("resource", self._destructor(definition.type, frame), frame.state)
        return node

    def _destructor(self, type_: model.ResourceType, frame: Frame) -> Callable[[Any], None]:
        if type_.dtor is None:
            return _nothing
        dtor = frame.at(Sort.CORE_FUNC, type_.dtor)
        self.expect(dtor, "i", "", "a destructor")
        function = CoreFunction(self._store, dtor, 1)

        def drop(rep: int) -> None:
            function.u64[0] = rep
            isinstance(None, DEEP)  # As `room`.
            if (error := function.invoke(*function.args)) or function.trap[0]:
                raise self._instance.unwound(function.failure(error))

        return drop

    # Canonical definitions

    def _lift(self, definition: model.CanonLift, frame: Frame) -> Lifted:
        core = frame.at(Sort.CORE_FUNC, definition.core_func)
        return Lifted(core, definition.options, frame, frame.at(Sort.TYPE, definition.type))

    def _lower(self, definition: model.CanonLower, frame: Frame) -> wasmtime.Func:
        function = frame.at(Sort.FUNC, definition.func)
        if isinstance(function, Lifted):
            return self._fuse(function, definition.options, frame)
        source, host = self.source(function)
        callback = host.make(self.context(definition.options, frame, source))
        return self.core_function(host.params, host.results, callback)

    def _fuse(self, lifted: Lifted, options: model.CanonOptions, frame: Frame) -> wasmtime.Func:
        """What one component instance lifted, as another one calls it."""
        found = self.signature(lifted.type)
        params, results = found.lifted
        self.expect(lifted.core, params, results, "a function that is called between components")
        post = self.post_return(lifted, results)
        own = self._sources.own
        callback = fuse(
            found,
            self.context(options, frame, own),
            self.context(lifted.options, lifted.frame, own),
            CoreFunction(self._store, lifted.core, max(len(params), len(results))),
            None if post is None else CoreFunction(self._store, post, 1),
        )
        return self.core_function(*found.lowered, callback)

    def _resource_new(self, definition: model.ResourceNew, frame: Frame) -> wasmtime.Func:
        type_ = self.resource(frame.at(Sort.TYPE, definition.resource))
        if type_.home is not frame.state:
            raise LinkError("resource.new of a type that another component defines")
        return self.core_function("i", "i", resource_new(frame.state, type_))

    def _resource_rep(self, definition: model.ResourceRep, frame: Frame) -> wasmtime.Func:
        type_ = self.resource(frame.at(Sort.TYPE, definition.resource))
        if type_.home is not frame.state:
            raise LinkError("resource.rep of a type that another component defines")
        return self.core_function("i", "i", resource_rep(frame.state, type_))

    def _resource_drop(self, definition: model.ResourceDrop, frame: Frame) -> wasmtime.Func:
        type_ = self.resource(frame.at(Sort.TYPE, definition.resource))
        return self.core_function("i", "", resource_drop(frame.state, type_))

    def _skip(self, definition: model.Definition, frame: Frame) -> None:
        return None


def _nothing(rep: Any) -> None:
    return None


#: How many frames of wasmtime-py are, or might be, above the start function of a core module.
_FRAMES_TO_START = 10

_CORE_KINDS: Mapping[Sort, type] = {
    Sort.CORE_FUNC: wasmtime.Func,
    Sort.CORE_TABLE: wasmtime.Table,
    Sort.CORE_MEMORY: wasmtime.Memory,
    Sort.CORE_GLOBAL: wasmtime.Global,
}

_STEPS: Mapping[type, Callable[[Linker, Any, Frame], Any]] = {
    model.CustomSection: Linker._skip,
    model.CoreTypeDef: Linker._skip,
    model.CoreModule: Linker._module,
    model.Component: Linker._closure,
    model.InstantiateModule: Linker._instantiate_module,
    model.BundleCoreExports: Linker._bundle_core,
    model.InstantiateComponent: Linker._instantiate_component,
    model.BundleExports: Linker._bundle,
    model.ExportAlias: Linker._alias,
    model.CoreExportAlias: Linker._core_alias,
    model.OuterAlias: Linker._outer,
    model.TypeDef: Linker._type,
    model.CanonLift: Linker._lift,
    model.CanonLower: Linker._lower,
    model.ResourceNew: Linker._resource_new,
    model.ResourceRep: Linker._resource_rep,
    model.ResourceDrop: Linker._resource_drop,
    model.Import: Linker._import,
    model.Export: Linker._export,
}
