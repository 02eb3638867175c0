"""Instantiation: the definitions of a component carried out in order, on core modules alone.

`Instance` walks a decoded component as `Binary.md` orders it, keeping its index spaces: it instantiates core modules
with wasmtime's core API, makes core functions of lowered imports and of resource built-ins, and remembers what was
lifted, so that a generated adapter can ask for it by name. It knows how parts fit together, not what any type means:
lifting and lowering are the adapter's.

What it can't run it refuses here, by name, before any guest code runs that depends on it.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import wasmtime

from witgen.binary import model
from witgen.binary.model import Sort
from witgen.contract.verification import linker
from witgen.runtime.component import Component, Contract
from witgen.runtime.context import Context, context_class
from witgen.runtime.core import CoreFunction, HostCallback, Store, host_function, raw_trap, signature
from witgen.runtime.errors import ComponentError, InstanceUnavailable, LinkError, Trap, UnsupportedComponent
from witgen.runtime.handles import HandleTable, ResourceType
from witgen.runtime.host_types import HostTypes
from witgen.runtime.misfits import argument_of, in_words
from witgen.runtime.providers import HostFunction, Provider, Source, Sources, drop_host_object
from witgen.runtime.resources import GuestResource

__all__ = ["Instance", "LiftedFunction"]


@dataclass(frozen=True, slots=True)
class _Lifted:
    """A component function that the component itself lifted."""

    core: wasmtime.Func
    options: model.CanonOptions
    frame: _Frame


@dataclass(frozen=True, slots=True)
class _ImportedFunction:
    interface: str
    name: str


@dataclass(frozen=True, slots=True)
class _ImportedInstance:
    interface: str


@dataclass(frozen=True, slots=True)
class _Closure:
    """A nested component with the frame in which it was defined."""

    component: model.Component
    frame: _Frame


class _Frame:
    """The index spaces of one component while it is instantiated."""

    def __init__(self, parent: _Frame | None) -> None:
        self.parent = parent
        self.spaces: dict[Sort, list[Any]] = {sort: [] for sort in Sort}
        self.exports: dict[str, Any] = {}


class LiftedFunction(CoreFunction):
    """An export ready to be called by generated code, with what surrounds the core call.

    `enter` claims the instance (False: it is in use or has trapped), `leave` gives it back, `finish` also lets the
    guest free what it returned.
    """

    __slots__ = ("cx", "enter", "finish", "instance", "leave", "name", "post")

    def __init__(
        self, instance: Instance, name: str, core: wasmtime.Func, cx: Context, post: wasmtime.Func | None
    ) -> None:
        params, results = signature(instance.store, core)
        super().__init__(instance.store, core, max(len(params), len(results)))
        self.instance = instance
        self.name = name
        self.cx = cx
        self.enter = instance.enter
        self.leave = instance.leave
        self.finish = self.leave
        if post is not None:
            self.post = CoreFunction(instance.store, post, 1)
            self.finish = self._finish

    def _finish(self) -> None:
        post = self.post
        post.u64[0] = self.u64[0]
        error = post.call()
        if error or post.trap[0]:
            raise self._poisoned(post.failure(error))
        self.leave()

    def refused(self) -> InstanceUnavailable:
        """The error where `enter` said no."""
        reason = self.instance.poison or "the instance is in another call"
        return InstanceUnavailable(f"{self.name}: {reason}")

    def not_lowered(self, error: BaseException, given: Sequence[tuple[GuestResource, int]] = ()) -> BaseException:
        """What to raise where an argument could not be passed; the instance goes on unless the guest is to blame.

        What was `given` away is the host's again, what was lent is not lent any more.
        """
        if isinstance(error, Trap):
            return self._poisoned(error)
        for resource, handle in given:
            resource._take_back(handle)
        self.instance.handles.end_lending()
        self.leave()
        found = in_words(error)
        found.add_note(argument_of(error, self.name))
        return found

    def trapped(self, error: int) -> BaseException:
        """What to raise where the core call did not return: an exception of host code that it called, or a trap."""
        trap = self.failure(error)
        found = self.instance.unwound(trap)
        if isinstance(found, Trap) and found.function is None:
            return self._poisoned(found)
        self._poisoned(Trap(f"host code raised {type(found).__name__}"))
        frames = ", ".join(trap.frames) or "the guest"
        with contextlib.suppress(TypeError):  # Where `__notes__` is something else.
            found.add_note(f"raised in host code called by {self.name} ({frames})")
        return found

    def not_lifted(self, error: BaseException) -> BaseException:
        """What to raise where a result breaks a rule of the canonical ABI."""
        if isinstance(error, Trap):
            return self._poisoned(error)
        if isinstance(error, IndexError):
            return self._poisoned(Trap("a discriminant is out of range"))
        self._poisoned(Trap(f"its result could not be read: {error}"))
        return error

    def _poisoned(self, trap: Trap) -> Trap:
        """Makes the instance unusable for good: it stays claimed."""
        self.instance.poison = f"the instance has trapped before, in {self.name}: {trap.reason}"
        return Trap(trap.reason, self.name, trap.frames)


class Instance:
    """A running component: store, handle table, and the functions that it lifted."""

    def __init__(
        self,
        component: Component,
        contract: Contract,
        imports: Mapping[str, Mapping[str, HostFunction]],
        providers: Sequence[Provider] = (),
    ) -> None:
        """Instantiates `component` with the functions that `imports` holds by interface and name, and for what those
        have not with that of the first of `providers` that has it.

        Raises `ContractError` if the component was made for another contract, `LinkError` if it asks for something
        that is not there, `UnsupportedComponent` if it needs what this runtime lacks, `Trap` if its start fails.
        """
        component.verify(contract, [provider.contract for provider in providers])
        self._sources = Sources(contract, imports, providers)
        self._sources.check(component)
        self.component = component
        self._lock = threading.Lock()
        # Without its store the instance is in use for good.
        self.store = Store(component.engine, functools.partial(self._lock.acquire, False))
        self.handles = HandleTable()
        self.contract = contract
        self.owners = self._sources.own.owners
        self.resources = self._sources.own.resources
        #: Resources (index and representation) of objects that were collected while the guest was in a call.
        self.orphans: list[tuple[int, int]] = []
        #: An exception of host code on its way through the guest.
        self.pending: BaseException | None = None
        #: Why the instance can't be used any more, once it has trapped.
        self.poison: str | None = None
        self.enter = self._lock.acquire
        self.leave = self._lock.release
        self._contexts: dict[tuple[int | None, int | None, str, int], Context] = {}
        self._keep: list[object] = []
        self._host_types = HostTypes(component, self._sources.host_types)
        self._root = self._run(component.definition, _Frame(None), {})
        self._exports = linker(self._root)
        for index, (interface, name, host) in enumerate(contract.resources):
            if not host:
                self.resources[index] = self._exported_resource(interface, name, self.resources[index].name)

    def export(self, interface: str, name: str, params: str, results: str) -> LiftedFunction:
        """The exported function `name` of an interface (``""``: of the world itself) with this core type."""
        full = f"{interface}#{name}" if interface else name
        lifted = self._exported(interface, name)
        found = signature(self.store, lifted.core)
        if found != (params, results):
            raise LinkError(f"{full}: its core type is {found[0]}->{found[1]}, not {params}->{results}")
        post = lifted.options.post_return
        post_return = None if post is None else lifted.frame.spaces[Sort.CORE_FUNC][post]
        if post_return is not None and signature(self.store, post_return) != (results, ""):
            raise LinkError(f"{full}: its post-return function does not take its results")
        context = self._context(lifted.options, lifted.frame, self._sources.own)
        return LiftedFunction(self, full, lifted.core, context, post_return)

    def fail(self, error: BaseException) -> int:
        """Keeps an exception of host code until the guest is unwound; gives the trap that unwinds it."""
        if self.pending is None:
            self.pending = error
        # Nothing may be raised here, as `str(error)` might: there is no one to catch it between engine and guest.
        return raw_trap(error.reason if isinstance(error, Trap) else type(error).__name__)

    def unwound(self, failure: ComponentError, function: str | None = None) -> BaseException:
        """What to raise where guest code did not return: the exception of host code that it called, or `failure`."""
        pending, self.pending = self.pending, None
        if isinstance(pending, Trap) and pending.function is None:  # With a function it is that of another component.
            return Trap(pending.reason, function, failure.frames if isinstance(failure, Trap) else ())
        return failure if pending is None else pending

    def _exported(self, interface: str, name: str) -> Any:
        exports = self._root
        if interface:
            exports = self._root.get(self._exports(interface) or interface, {})
        if name not in exports:
            raise LinkError(f"the component does not export {name} of {interface or 'its world'}")
        return exports[name]

    def _exported_resource(self, interface: str, name: str, shown: str) -> ResourceType:
        found: ResourceType = self._exported(interface, name)
        if found.drop is drop_host_object:
            _unsupported(f"a resource that it imports as its own {name} of {interface}")
        found.name = shown
        return found

    # Carrying out definitions

    def _run(self, component: model.Component, frame: _Frame, args: Mapping[str, Any]) -> dict[str, Any]:
        """Carries out a component's definitions; gives what it exports."""
        for definition in component.definitions:
            step = _STEPS.get(type(definition))
            if step is None:
                _unsupported(f"{type(definition).__name__} definitions")
            if isinstance(definition, model.Import):
                frame.spaces[definition.space].append(self._imported(definition, frame, args))
                continue
            made = step(self, definition, frame)
            if definition.space is not None:
                frame.spaces[definition.space].append(made)
        return frame.exports

    def _imported(self, definition: model.Import, frame: _Frame, args: Mapping[str, Any]) -> Any:
        name, sort = definition.name, definition.desc.sort
        if frame.parent is not None:
            if name not in args:
                raise LinkError(f"a nested component is not given its import {name}")
            return args[name]
        if sort is Sort.INSTANCE:
            return _ImportedInstance(name)
        if sort is Sort.FUNC:
            return _ImportedFunction("", name)
        if sort is Sort.TYPE:
            return self._host_types.find("", name)
        _unsupported(f"the import of a {sort.value} ({name})")

    def _module(self, definition: model.CoreModule, frame: _Frame) -> wasmtime.Module:
        return self.component.module(definition)

    def _closure(self, definition: model.Component, frame: _Frame) -> _Closure:
        return _Closure(definition, frame)

    def _instantiate_module(self, definition: model.InstantiateModule, frame: _Frame) -> Mapping[str, Any]:
        module: wasmtime.Module = frame.spaces[Sort.CORE_MODULE][definition.module]
        given = {arg.name: frame.spaces[Sort.CORE_INSTANCE][arg.instance] for arg in definition.args}
        externs = []
        for wanted in module.imports:
            found = given.get(wanted.module, {}).get(wanted.name)
            if found is None:
                raise LinkError(f"a core module imports {wanted.module} {wanted.name}, which it is not given")
            externs.append(found)
        failure: ComponentError
        try:
            instance = wasmtime.Instance(self.store, module, externs)
        except wasmtime.Trap as trap:
            failure = Trap(_last_line(trap.message).removeprefix("wasm trap: "), "start")
        except wasmtime.WasmtimeError as error:
            failure = LinkError(_last_line(str(error)))
        else:
            exports = instance.exports(self.store)
            return {export.name: exports[export.name] for export in module.exports}
        # Raised outside the handlers, so that an exception of host code keeps the context that it has.
        raise self.unwound(failure, "start")

    def _bundle_core(self, definition: model.BundleCoreExports, frame: _Frame) -> Mapping[str, Any]:
        return {item.name: frame.spaces[item.sort][item.index] for item in definition.exports}

    def _instantiate_component(self, definition: model.InstantiateComponent, frame: _Frame) -> Mapping[str, Any]:
        closure: _Closure = frame.spaces[Sort.COMPONENT][definition.component]
        args = {arg.name: frame.spaces[arg.sort][arg.index] for arg in definition.args}
        return self._run(closure.component, _Frame(closure.frame), args)

    def _bundle(self, definition: model.BundleExports, frame: _Frame) -> Mapping[str, Any]:
        return {item.name: frame.spaces[item.sort][item.index] for item in definition.exports}

    def _alias(self, definition: model.ExportAlias, frame: _Frame) -> Any:
        instance = frame.spaces[Sort.INSTANCE][definition.instance]
        if isinstance(instance, _ImportedInstance):
            if definition.sort is Sort.FUNC:
                return _ImportedFunction(instance.interface, definition.name)
            if definition.sort is Sort.TYPE:
                return self._host_types.find(instance.interface, definition.name)
            _unsupported(f"a {definition.sort.value} in the imported instance {instance.interface}")
        return instance[definition.name]

    def _core_alias(self, definition: model.CoreExportAlias, frame: _Frame) -> Any:
        instance = frame.spaces[Sort.CORE_INSTANCE][definition.instance]
        if definition.name not in instance:
            raise LinkError(f"a core instance does not export {definition.name}")
        return instance[definition.name]

    def _outer(self, definition: model.OuterAlias, frame: _Frame) -> Any:
        for _ in range(definition.count):
            assert frame.parent is not None
            frame = frame.parent
        return frame.spaces[definition.sort][definition.index]

    def _type(self, definition: model.TypeDef, frame: _Frame) -> ResourceType | None:
        if not isinstance(definition.type, model.ResourceType):
            return None
        if definition.type.dtor is None:
            return ResourceType("resource", _nothing)
        dtor = frame.spaces[Sort.CORE_FUNC][definition.type.dtor]
        self._expect(dtor, "i", "", "a destructor")
        function = CoreFunction(self.store, dtor, 1)

        def drop(rep: int) -> None:
            function.u64[0] = rep
            error = function.call()
            if error or function.trap[0]:
                raise self.unwound(function.failure(error))

        return ResourceType("resource", drop)

    def _lift(self, definition: model.CanonLift, frame: _Frame) -> _Lifted:
        _refuse_options(definition.options)
        return _Lifted(frame.spaces[Sort.CORE_FUNC][definition.core_func], definition.options, frame)

    def _lower(self, definition: model.CanonLower, frame: _Frame) -> wasmtime.Func:
        _refuse_options(definition.options)
        function = frame.spaces[Sort.FUNC][definition.func]
        if not isinstance(function, _ImportedFunction):
            _unsupported("calls between components inside a component")
        found = self._sources.find(function.interface, function.name)
        assert found is not None, "what is not given is refused before"
        source, host = found
        callback = host.make(self._context(definition.options, frame, source))
        return self._core_function(host.params, host.results, callback)

    def _resource_new(self, definition: model.ResourceNew, frame: _Frame) -> wasmtime.Func:
        type_ = frame.spaces[Sort.TYPE][definition.resource]
        add = self.handles.add

        def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
            try:
                a[0] = add(type_, a[0] & 0xFFFFFFFF)
            except BaseException as error:
                return self.fail(error)
            return 0

        return self._core_function("i", "i", call)

    def _resource_rep(self, definition: model.ResourceRep, frame: _Frame) -> wasmtime.Func:
        type_ = frame.spaces[Sort.TYPE][definition.resource]
        rep = self.handles.rep

        def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
            try:
                a[0] = rep(a[0] & 0xFFFFFFFF, type_)
            except BaseException as error:
                return self.fail(error)
            return 0

        return self._core_function("i", "i", call)

    def _resource_drop(self, definition: model.ResourceDrop, frame: _Frame) -> wasmtime.Func:
        type_ = frame.spaces[Sort.TYPE][definition.resource]
        drop = self.handles.drop

        def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
            try:
                drop(a[0] & 0xFFFFFFFF, type_)
            except BaseException as error:
                return self.fail(error)
            return 0

        return self._core_function("i", "", call)

    def _builtin(self, definition: model.CanonBuiltin, frame: _Frame) -> NoReturn:
        _unsupported(f"the canonical built-in {definition.name}")

    def _start(self, definition: model.Start, frame: _Frame) -> NoReturn:
        _unsupported("component start functions")

    def _export(self, definition: model.Export, frame: _Frame) -> Any:
        found = frame.exports[definition.name] = frame.spaces[definition.sort][definition.index]
        return found

    def _skip(self, definition: model.Definition, frame: _Frame) -> None:
        return None

    # Parts

    def _core_function(self, params: str, results: str, callback: HostCallback) -> wasmtime.Func:
        function, native = host_function(self.store, params, results, callback)
        self._keep.append(native)
        return function

    def _context(self, options: model.CanonOptions, frame: _Frame, source: Source) -> Context:
        """The context of a set of options; functions of a source with the same options share one."""
        key = (options.memory, options.realloc, options.string_encoding.value, id(source))
        shared = frame.parent is None
        if shared and key in self._contexts:
            return self._contexts[key]
        memory = None if options.memory is None else frame.spaces[Sort.CORE_MEMORY][options.memory]
        if memory is not None and (not isinstance(memory, wasmtime.Memory) or memory.type(self.store).is_64):
            _unsupported("64-bit or shared memories")
        realloc = None if options.realloc is None else frame.spaces[Sort.CORE_FUNC][options.realloc]
        if realloc is not None:
            self._expect(realloc, "iiii", "i", "realloc")
        context = context_class[options.string_encoding.value](self, source, memory, realloc)
        if shared:
            self._contexts[key] = context
        return context

    def _expect(self, function: wasmtime.Func, params: str, results: str, what: str) -> None:
        if signature(self.store, function) != (params, results):
            raise LinkError(f"{what} has another core type than the canonical ABI gives it")


def _refuse_options(options: model.CanonOptions) -> None:
    if options.is_async:
        _unsupported("async functions")
    if options.is_gc:
        _unsupported("functions lifted with the gc option")


def _unsupported(what: str) -> NoReturn:
    raise UnsupportedComponent(f"the component uses {what}, which this runtime does not have")


def _last_line(message: str) -> str:
    return message.strip().splitlines()[-1].strip()


def _nothing(rep: Any) -> None:
    return None


_STEPS: Mapping[type, Callable[[Instance, Any, _Frame], Any]] = {
    model.CustomSection: Instance._skip,
    model.CoreTypeDef: Instance._skip,
    model.CoreModule: Instance._module,
    model.Component: Instance._closure,
    model.InstantiateModule: Instance._instantiate_module,
    model.BundleCoreExports: Instance._bundle_core,
    model.InstantiateComponent: Instance._instantiate_component,
    model.BundleExports: Instance._bundle,
    model.ExportAlias: Instance._alias,
    model.CoreExportAlias: Instance._core_alias,
    model.OuterAlias: Instance._outer,
    model.TypeDef: Instance._type,
    model.CanonLift: Instance._lift,
    model.CanonLower: Instance._lower,
    model.ResourceNew: Instance._resource_new,
    model.ResourceRep: Instance._resource_rep,
    model.ResourceDrop: Instance._resource_drop,
    model.CanonBuiltin: Instance._builtin,
    model.Start: Instance._start,
    model.Import: Instance._skip,
    model.Export: Instance._export,
}
