//! What comes to one store of the guest goes to one of the host's, each with types of its own.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use exports::{backup, cache};

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl cache::Guest for Component {
    fn get(key: String) -> Option<cache::Item> {
        let found = first::get(&key)?;
        Some(cache::Item { key: found.key, value: found.value })
    }

    fn set(item: cache::Item) {
        first::set(&first::Item { key: item.key, value: item.value });
    }
}

impl backup::Guest for Component {
    fn get(key: String) -> Option<backup::Item> {
        let found = second::get(&key)?;
        Some(backup::Item { key: found.key, value: found.value })
    }

    fn set(item: backup::Item) {
        second::set(&second::Item { key: item.key, value: item.value });
    }
}
