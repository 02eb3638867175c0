//! What a guest does with resources of the host: it makes, uses, lends, keeps and drops them.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use test::imported_resources::store::{self, Choice, Entry, Picky, Thing};

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::imported_resources::user::Guest for Component {
    fn make(label: String) -> Thing {
        Thing::new(&label)
    }

    fn make_picky(label: String) -> Result<Thing, String> {
        let picky = Picky::new(&label)?;
        Ok(picky.owner())
    }

    fn relabel(v: Thing, label: String) -> (String, Thing) {
        let before = v.rename(&label);
        (before, v)
    }

    fn merge(a: Thing, b: &Thing) -> Thing {
        Thing::merge(a, b)
    }

    fn find(label: String) -> Option<Thing> {
        Thing::find(&label)
    }

    fn keep(v: Thing) -> Thing {
        store::keep(v)
    }

    fn peek(v: &Thing) -> String {
        store::peek(v)
    }

    fn peek_all(v: Vec<&Thing>) -> Vec<String> {
        store::peek_all(&v)
    }

    fn peek_maybe(v: Option<&Thing>) -> Option<String> {
        store::peek_maybe(v)
    }

    fn of_list(v: Vec<Thing>) -> Vec<Thing> {
        store::of_list(v)
    }

    fn of_option(v: Option<Thing>) -> Option<Thing> {
        store::of_option(v)
    }

    fn of_result(v: Result<Thing, String>) -> Result<Thing, String> {
        store::of_result(v)
    }

    fn of_tuple(v: (Thing, u8)) -> (Thing, u8) {
        store::of_tuple(v)
    }

    fn of_entry(v: Entry) -> Entry {
        store::of_entry(v)
    }

    fn of_choice(v: Choice) -> Choice {
        store::of_choice(v)
    }

    fn take(v: Thing) {
        drop(v);
    }
}
