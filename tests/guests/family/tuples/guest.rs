//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use test::tuples::values::{self as host, Pair};

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::tuples::values::Guest for Component {
    fn of_one(v: (String,)) -> (String,) {
        host::of_one((&v.0,))
    }

    fn of_pair(v: Pair) -> Pair {
        host::of_pair(&v)
    }

    fn of_nested(v: ((u8, u16), (u32, (u64,)))) -> ((u8, u16), (u32, (u64,))) {
        host::of_nested(v)
    }

    fn of_mixed(v: (bool, f32, f64, char, i8, Vec<u8>)) -> (bool, f32, f64, char, i8, Vec<u8>) {
        host::of_mixed((v.0, v.1, v.2, v.3, v.4, &v.5))
    }

    fn of_twelve(v: (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, String)) -> (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, String) {
        host::of_twelve((v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7, v.8, v.9, v.10, &v.11))
    }

    fn of_thirteen(v: (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, String)) -> (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, String) {
        host::of_thirteen((v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7, v.8, v.9, v.10, v.11, &v.12))
    }
}
