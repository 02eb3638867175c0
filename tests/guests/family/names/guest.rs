//! Names that are reserved, and names that collide, handed on to the host's functions of the same names.

#![no_std]

extern crate alloc as heap;

include!("bindings.rs");

mod support;

use exports::test::names::self_::{
    Enum, Flags, GuestStatic, Guest_, Option, ResultLike, Static, Type, Vec,
};
use heap::string::String;
use test::names::self_ as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

struct Wrapped(host::Static);

impl GuestStatic for Wrapped {
    fn new(type_: u32) -> Self {
        Self(host::Static::new(type_))
    }

    fn match_(&self, mod_: u32, mod_x: u32) -> u32 {
        self.0.match_(mod_, mod_x)
    }

    fn new_(loop_: String) -> u32 {
        host::Static::new_(&loop_)
    }

    fn drop(&self) {
        self.0.drop();
    }
}

fn word(from: Enum) -> host::Enum {
    match from {
        Enum::Super => host::Enum::Super,
        Enum::Self_ => host::Enum::Self_,
        Enum::Crate => host::Enum::Crate,
        Enum::Ok => host::Enum::Ok,
        Enum::Err => host::Enum::Err,
        Enum::Some => host::Enum::Some,
        Enum::None => host::Enum::None,
    }
}

fn outgoing(from: Type) -> host::Type {
    host::Type {
        struct_: from.struct_,
        fn_: from.fn_,
        gen: from.gen,
        self_: from.self_,
        async_: from.async_,
        none: from.none,
    }
}

fn incoming(from: host::Type) -> Type {
    Type {
        struct_: from.struct_,
        fn_: from.fn_,
        gen: from.gen,
        self_: from.self_,
        async_: from.async_,
        none: from.none,
    }
}

impl exports::test::names::self_::Guest for Component {
    type Static = Wrapped;

    fn yield_(type_: Type, ref_: Enum) -> Type {
        incoming(host::yield_(&outgoing(type_), word(ref_)))
    }

    fn return_(self_: String, result: Result<u8, String>) -> Result<u8, String> {
        let result = match &result {
            Ok(number) => Ok(*number),
            Err(text) => Err(text.as_str()),
        };
        host::return_(&self_, result)
    }

    fn gen(let_: Flags, where_: Guest_) -> Guest_ {
        let let_ = host::Flags::from_bits_retain(let_.bits());
        let guest = host::gen(let_, host::Guest_ { guest: where_.guest }).guest;
        Guest_ { guest }
    }

    fn ret(ptr0: heap::vec::Vec<String>, result0: Vec, len0: Option) -> Option {
        let result0 = host::Vec { string: result0.string };
        let option = host::Option { option: len0.option };
        let option = host::ret(&ptr0, &result0, option).option;
        Option { option }
    }

    fn main(a: ResultLike) -> ResultLike {
        let a = match a {
            ResultLike::Ok(number) => host::ResultLike::Ok(number),
            ResultLike::Err(text) => host::ResultLike::Err(text),
            ResultLike::None => host::ResultLike::None,
            ResultLike::Some => host::ResultLike::Some,
        };
        match host::main(&a) {
            host::ResultLike::Ok(number) => ResultLike::Ok(number),
            host::ResultLike::Err(text) => ResultLike::Err(text),
            host::ResultLike::None => ResultLike::None,
            host::ResultLike::Some => ResultLike::Some,
        }
    }
}

impl exports::test::names::core::Guest for Component {
    fn f(a: u32) -> u32 {
        test::names::core::f(a)
    }
}

impl exports::test::names::alloc::Guest for Component {
    fn f(a: String) -> String {
        test::names::alloc::f(&a)
    }
}

/// What a handle stands for, so that the name of its type is used.
#[allow(dead_code)]
fn inner(from: Static) -> host::Static {
    from.into_inner::<Wrapped>().0
}
