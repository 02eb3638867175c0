//! A crate that says what others have to say.

#![no_std]

extern crate alloc;

mod bindings;

use alloc::string::String;
use alloc::vec::Vec;

pub fn say(text: &str) -> Vec<String> {
    bindings::test::several_worlds::log::say(text)
}
