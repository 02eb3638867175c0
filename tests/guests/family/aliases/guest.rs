//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use test::aliases::base::{Text, Texts};
use test::aliases::values::{self as host, Again, Many, Maybe, Object, Outcome, Pair};

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::aliases::values::Guest for Component {
    fn of_text(v: Text) -> Text {
        host::of_text(&v)
    }

    fn of_texts(v: Texts) -> Texts {
        host::of_texts(&v)
    }

    fn of_object(v: Object) -> Object {
        host::of_object(&v)
    }

    fn of_again(v: Again) -> Again {
        host::of_again(&v)
    }

    fn of_many(v: Many) -> Many {
        host::of_many(&v)
    }

    fn of_pair(v: Pair) -> Pair {
        host::of_pair(&v)
    }

    fn of_maybe(v: Maybe) -> Maybe {
        host::of_maybe(&v)
    }

    fn of_outcome(v: Outcome) -> Outcome {
        host::of_outcome(&v)
    }
}
