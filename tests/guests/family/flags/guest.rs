//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::vec::Vec;
use test::flags::types::{Eight, Nine, One, Seventeen, Several, Sixteen, ThirtyTwo};
use test::flags::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::flags::values::Guest for Component {
    fn of_one(v: One) -> One {
        host::of_one(v)
    }

    fn of_eight(v: Eight) -> Eight {
        host::of_eight(v)
    }

    fn of_nine(v: Nine) -> Nine {
        host::of_nine(v)
    }

    fn of_sixteen(v: Sixteen) -> Sixteen {
        host::of_sixteen(v)
    }

    fn of_seventeen(v: Seventeen) -> Seventeen {
        host::of_seventeen(v)
    }

    fn of_thirty_two(v: ThirtyTwo) -> ThirtyTwo {
        host::of_thirty_two(v)
    }

    fn of_several(v: Several) -> Several {
        host::of_several(v)
    }

    fn of_list(v: Vec<Nine>) -> Vec<Nine> {
        host::of_list(&v)
    }
}
