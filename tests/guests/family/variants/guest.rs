//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::vec::Vec;
use test::variants::types::{Floats, Holder, Mixed, Numbers, Plain, Same};
use test::variants::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::variants::values::Guest for Component {
    fn of_plain(v: Plain) -> Plain {
        host::of_plain(v)
    }

    fn of_numbers(v: Numbers) -> Numbers {
        host::of_numbers(v)
    }

    fn of_floats(v: Floats) -> Floats {
        host::of_floats(v)
    }

    fn of_same(v: Same) -> Same {
        host::of_same(v)
    }

    fn of_mixed(v: Mixed) -> Mixed {
        host::of_mixed(&v)
    }

    fn of_list(v: Vec<Mixed>) -> Vec<Mixed> {
        host::of_list(&v)
    }

    fn of_holder(v: Holder) -> Holder {
        host::of_holder(&v)
    }

    fn of_error(v: Result<Plain, Mixed>) -> Result<Plain, Mixed> {
        host::of_error(v.as_ref())
    }
}
