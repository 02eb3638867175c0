//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use test::maps::types::{Entry};
use test::maps::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::maps::values::Guest for Component {
    fn of_numbers(v: BTreeMap<u32, f64>) -> BTreeMap<u32, f64> {
        host::of_numbers(&v)
    }

    fn of_strings(v: BTreeMap<String, String>) -> BTreeMap<String, String> {
        host::of_strings(&v)
    }

    fn of_lists(v: BTreeMap<char, Vec<u8>>) -> BTreeMap<char, Vec<u8>> {
        host::of_lists(&v)
    }

    fn of_maps(v: BTreeMap<String, BTreeMap<i8, bool>>) -> BTreeMap<String, BTreeMap<i8, bool>> {
        host::of_maps(&v)
    }

    fn of_entries(v: Vec<Entry>) -> Vec<Entry> {
        host::of_entries(&v)
    }

    fn of_option(v: Option<BTreeMap<u64, Option<String>>>) -> Option<BTreeMap<u64, Option<String>>> {
        host::of_option(v.as_ref())
    }
}
