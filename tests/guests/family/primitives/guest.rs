//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use test::primitives::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::primitives::values::Guest for Component {
    fn of_bool(v: bool) -> bool {
        host::of_bool(v)
    }

    fn of_s8(v: i8) -> i8 {
        host::of_s8(v)
    }

    fn of_u8(v: u8) -> u8 {
        host::of_u8(v)
    }

    fn of_s16(v: i16) -> i16 {
        host::of_s16(v)
    }

    fn of_u16(v: u16) -> u16 {
        host::of_u16(v)
    }

    fn of_s32(v: i32) -> i32 {
        host::of_s32(v)
    }

    fn of_u32(v: u32) -> u32 {
        host::of_u32(v)
    }

    fn of_s64(v: i64) -> i64 {
        host::of_s64(v)
    }

    fn of_u64(v: u64) -> u64 {
        host::of_u64(v)
    }

    fn of_f32(v: f32) -> f32 {
        host::of_f32(v)
    }

    fn of_f64(v: f64) -> f64 {
        host::of_f64(v)
    }

    fn of_char(v: char) -> char {
        host::of_char(v)
    }

    fn of_string(v: String) -> String {
        host::of_string(&v)
    }

    fn of_nothing() {
        host::of_nothing()
    }
}
