//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use test::fixed_lengths::types::{Block};
use test::fixed_lengths::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::fixed_lengths::values::Guest for Component {
    fn of_bytes(v: [u8; 4]) -> [u8; 4] {
        host::of_bytes(v)
    }

    fn of_wide(v: [u64; 17]) -> [u64; 17] {
        host::of_wide(v)
    }

    fn of_strings(v: [String; 2]) -> [String; 2] {
        host::of_strings(v)
    }

    fn of_nested(v: [[u16; 2]; 3]) -> [[u16; 2]; 3] {
        host::of_nested(v)
    }

    fn of_lists(v: [Vec<i32>; 2]) -> [Vec<i32>; 2] {
        host::of_lists(v)
    }

    fn of_blocks(v: Vec<Block>) -> Vec<Block> {
        host::of_blocks(&v)
    }

    fn of_options(v: [Option<f32>; 3]) -> [Option<f32>; 3] {
        host::of_options(v)
    }
}
