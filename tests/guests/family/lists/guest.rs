//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use test::lists::types::{Colour, Named, Point};
use test::lists::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::lists::values::Guest for Component {
    fn of_bool(v: Vec<bool>) -> Vec<bool> {
        host::of_bool(&v)
    }

    fn of_s8(v: Vec<i8>) -> Vec<i8> {
        host::of_s8(&v)
    }

    fn of_u8(v: Vec<u8>) -> Vec<u8> {
        host::of_u8(&v)
    }

    fn of_s16(v: Vec<i16>) -> Vec<i16> {
        host::of_s16(&v)
    }

    fn of_u16(v: Vec<u16>) -> Vec<u16> {
        host::of_u16(&v)
    }

    fn of_s32(v: Vec<i32>) -> Vec<i32> {
        host::of_s32(&v)
    }

    fn of_u32(v: Vec<u32>) -> Vec<u32> {
        host::of_u32(&v)
    }

    fn of_s64(v: Vec<i64>) -> Vec<i64> {
        host::of_s64(&v)
    }

    fn of_u64(v: Vec<u64>) -> Vec<u64> {
        host::of_u64(&v)
    }

    fn of_f32(v: Vec<f32>) -> Vec<f32> {
        host::of_f32(&v)
    }

    fn of_f64(v: Vec<f64>) -> Vec<f64> {
        host::of_f64(&v)
    }

    fn of_char(v: Vec<char>) -> Vec<char> {
        host::of_char(&v)
    }

    fn of_string(v: Vec<String>) -> Vec<String> {
        host::of_string(&v)
    }

    fn of_bytes(v: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        host::of_bytes(&v)
    }

    fn of_points(v: Vec<Point>) -> Vec<Point> {
        host::of_points(&v)
    }

    fn of_named(v: Vec<Named>) -> Vec<Named> {
        host::of_named(&v)
    }

    fn of_colours(v: Vec<Colour>) -> Vec<Colour> {
        host::of_colours(&v)
    }

    fn of_pairs(v: Vec<(u8, u64)>) -> Vec<(u8, u64)> {
        host::of_pairs(&v)
    }

    fn of_options(v: Vec<Option<String>>) -> Vec<Option<String>> {
        host::of_options(&v)
    }

    fn of_results(v: Vec<Result<u32, String>>) -> Vec<Result<u32, String>> {
        host::of_results(&v)
    }

    fn of_deep(v: Vec<Vec<Vec<String>>>) -> Vec<Vec<Vec<String>>> {
        host::of_deep(&v)
    }

    fn of_two(a: Vec<String>, b: Vec<u16>) -> (Vec<String>, Vec<u16>) {
        host::of_two(&a, &b)
    }
}
