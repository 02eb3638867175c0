"""The tables while they are being filled: what `ir.Resolve` will hold, and what is known about its rows."""

from __future__ import annotations

from collections.abc import Sequence

from witgen import ir
from witgen.resolve import kinds

__all__ = ["Tables"]


class Tables:
    """Rows that refer to each other by index. They are only ever added; but those of a package that comes in several
    binaries gain what each has, before any package that is text is linked to them."""

    def __init__(self, names: Sequence[ir.PackageName] = ()) -> None:
        #: All packages that there are to be.
        self.names = names
        #: Those that could not be added because of what is wrong with them.
        self.failed: set[ir.PackageName] = set()
        self.worlds: list[ir.World] = []
        self.interfaces: list[ir.Interface] = []
        self.types: list[ir.TypeDef] = []
        self.packages: list[ir.Package] = []
        self.package_ids: dict[ir.PackageName, ir.PackageId] = {}
        self._kinds: list[ir.Primitive | ir.Kind] = []
        self._has_borrow: list[bool] = []
        self._used_interfaces: dict[ir.InterfaceId, tuple[ir.InterfaceId, ...]] = {}

    def add_type(self, type_: ir.TypeDef) -> ir.TypeId:
        """Add a type; all that it refers to must be there."""
        kind = type_.kind
        self.types.append(type_)
        self._kinds.append(self.kind(kind.target) if isinstance(kind, ir.Alias) else kind)
        self._has_borrow.append(
            isinstance(kind, ir.Borrow)
            or (not isinstance(kind, ir.Own) and any(self.has_borrow(inner) for inner in kinds.references(kind)))
        )
        return ir.TypeId(len(self.types) - 1)

    def kind(self, type_: ir.Type) -> ir.Primitive | ir.Kind:
        """What a type is, aliases followed."""
        return type_ if isinstance(type_, ir.Primitive) else self._kinds[type_]

    def has_borrow(self, type_: ir.Type) -> bool:
        """Whether a value of the type can hold a borrowed handle."""
        return not isinstance(type_, ir.Primitive) and self._has_borrow[type_]

    def used_interface(self, id_: ir.TypeId) -> ir.InterfaceId | None:
        """The interface from which a type was brought in with ``use``; None for other types."""
        type_ = self.types[id_]
        if not isinstance(type_.kind, ir.Alias) or isinstance(type_.kind.target, ir.Primitive):
            return None
        owner = self.types[type_.kind.target].owner
        return owner.id if isinstance(owner, ir.InterfaceOwner) and owner != type_.owner else None

    def used_interfaces(self, id_: ir.InterfaceId) -> tuple[ir.InterfaceId, ...]:
        """The interfaces from which an interface uses types, in the order of the types."""
        if id_ not in self._used_interfaces:
            used = (self.used_interface(type_) for type_ in self.interfaces[id_].types.values())
            self._used_interfaces[id_] = tuple(dict.fromkeys(i for i in used if i is not None))
        return self._used_interfaces[id_]

    def freeze(self) -> ir.Resolve:
        """The tables as they are now."""
        return ir.Resolve(tuple(self.worlds), tuple(self.interfaces), tuple(self.types), tuple(self.packages))
