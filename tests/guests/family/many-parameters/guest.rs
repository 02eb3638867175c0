//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use test::many_parameters::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

#[rustfmt::skip]
impl exports::test::many_parameters::values::Guest for Component {
    fn sixteen(a: u8, b: i8, c: u16, d: i16, e: u32, f: i32, g: u64, h: i64, i: f32, j: f64, k: bool, l: char, m: String, n: String) -> String {
        host::sixteen(a, b, c, d, e, f, g, h, i, j, k, l, &m, &n)
    }

    fn seventeen(a: u8, b: i8, c: u16, d: i16, e: u32, f: i32, g: u64, h: i64, i: f32, j: f64, k: bool, l: char, m: String, n: String, o: u8) -> (String, u8, u64, f32) {
        host::seventeen(a, b, c, d, e, f, g, h, i, j, k, l, &m, &n, o)
    }

    fn none_back(a: String, b: String, c: String, d: String, e: String, f: String, g: String, h: String, i: String) {
        host::none_back(&a, &b, &c, &d, &e, &f, &g, &h, &i)
    }

    fn large() -> (u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64) {
        host::large()
    }

    fn pair(a: u64) -> (u64, u64) {
        host::pair(a)
    }
}
