"""What generated adapters stand on: instantiation, memory, handles, errors.

It imports wasmtime, `witgen.binary` and the digests of `witgen.contract`; never the parser, the resolver or an emitter.
"""

from witgen.runtime.component import Component, Contract, default_engine
from witgen.runtime.context import Buffer, Context
from witgen.runtime.core import HostCallback, Slots, new_engine
from witgen.runtime.errors import (
    ComponentError,
    ContractError,
    InstanceUnavailable,
    LinkError,
    ResourceDropped,
    Trap,
    UnsupportedComponent,
)
from witgen.runtime.instance import Instance, instance_of
from witgen.runtime.lifted import LiftedFunction
from witgen.runtime.limits import DEFAULT as DEFAULT_LIMITS
from witgen.runtime.limits import Limits
from witgen.runtime.providers import HostFunction, Provider
from witgen.runtime.resources import GuestResource
from witgen.runtime.scalars import (
    bad_case,
    bad_length,
    bad_type,
    bits_f32,
    bits_f64,
    char,
    check_s8,
    check_s16,
    code_point,
    f32_bits,
    f64_bits,
    in_range,
    unsigned_32,
    unsigned_64,
    wrong_class,
)
from witgen.runtime.values import Cases, Err, Ok, Some

__all__ = [
    "DEFAULT_LIMITS",
    "Buffer",
    "Cases",
    "Component",
    "ComponentError",
    "Context",
    "Contract",
    "ContractError",
    "Err",
    "GuestResource",
    "HostCallback",
    "HostFunction",
    "Instance",
    "InstanceUnavailable",
    "LiftedFunction",
    "Limits",
    "LinkError",
    "Ok",
    "Provider",
    "ResourceDropped",
    "Slots",
    "Some",
    "Trap",
    "UnsupportedComponent",
    "bad_case",
    "bad_length",
    "bad_type",
    "bits_f32",
    "bits_f64",
    "char",
    "check_s8",
    "check_s16",
    "code_point",
    "default_engine",
    "f32_bits",
    "f64_bits",
    "in_range",
    "instance_of",
    "new_engine",
    "unsigned_32",
    "unsigned_64",
    "wrong_class",
]
