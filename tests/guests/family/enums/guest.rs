//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::vec::Vec;
use test::enums::types::{Colour, Many, Single};
use test::enums::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::enums::values::Guest for Component {
    fn of_colour(v: Colour) -> Colour {
        host::of_colour(v)
    }

    fn of_many(v: Many) -> Many {
        host::of_many(v)
    }

    fn of_single(v: Single) -> Single {
        host::of_single(v)
    }

    fn of_list(v: Vec<Many>) -> Vec<Many> {
        host::of_list(&v)
    }

    fn of_option(v: Option<Colour>) -> Option<Colour> {
        host::of_option(v)
    }

    fn of_result(v: Result<u8, Colour>) -> Result<u8, Colour> {
        host::of_result(v)
    }
}
