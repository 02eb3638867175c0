//! Two worlds in one crate, a library that has a third, and this once more in the crate itself.

#![no_std]

extern crate alloc;

mod again;
mod first;
mod second;
mod support;

use alloc::string::String;
use core::sync::atomic::{AtomicU32, Ordering};
use first::exports::test::several_worlds::greetings::{Guest, GuestPerson};

static CONSTRUCTED: AtomicU32 = AtomicU32::new(0);

extern "C" fn construct() {
    CONSTRUCTED.fetch_add(1, Ordering::Relaxed);
}

#[used]
#[link_section = ".init_array"]
static CONSTRUCTOR: extern "C" fn() = construct;

struct Person(String);

impl GuestPerson for Person {
    fn new(name: String) -> Self {
        Self(name)
    }

    fn greet(&self) -> String {
        let mut said = library::say(&self.0);
        said.extend(again::test::several_worlds::log::say("again"));
        said.join(" ")
    }
}

struct First;

impl Guest for First {
    type Person = Person;
}

first::export!(First with_types_in first);

mod numbers {
    use crate::second::{exports::test::several_worlds::numbers, Guest};
    use crate::{support, CONSTRUCTED};
    use alloc::vec::Vec;
    use core::sync::atomic::Ordering;

    struct Second;

    impl numbers::Guest for Second {
        fn sum(v: Vec<u32>) -> (u64, u32) {
            (v.into_iter().map(u64::from).sum(), CONSTRUCTED.load(Ordering::Relaxed))
        }
    }

    impl Guest for Second {
        fn allocated() -> u64 {
            support::allocated()
        }
    }

    crate::second::export!(Second beside crate::first with_types_in crate::second);
}
