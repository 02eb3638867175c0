//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use test::records::types::{Gaps, Named, Point, Wide};
use test::records::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::records::values::Guest for Component {
    fn of_point(v: Point) -> Point {
        host::of_point(v)
    }

    fn of_gaps(v: Gaps) -> Gaps {
        host::of_gaps(v)
    }

    fn of_named(v: Named) -> Named {
        host::of_named(&v)
    }

    fn of_wide(v: Wide) -> Wide {
        host::of_wide(&v)
    }

    fn of_several(a: Point, b: Named, c: Point) -> (Point, Named, Point) {
        host::of_several(a, &b, c)
    }
}
