//! Every exported function calls the imported one of the same name with what it was given.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use test::options_and_results::types::{Failure};
use test::options_and_results::values as host;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::options_and_results::values::Guest for Component {
    fn some_number(v: Option<u32>) -> Option<u32> {
        host::some_number(v)
    }

    fn some_float(v: Option<f64>) -> Option<f64> {
        host::some_float(v)
    }

    fn some_string(v: Option<String>) -> Option<String> {
        host::some_string(v.as_deref())
    }

    fn some_list(v: Option<Vec<String>>) -> Option<Vec<String>> {
        host::some_list(v.as_deref())
    }

    fn some_some(v: Option<Option<u8>>) -> Option<Option<u8>> {
        host::some_some(v)
    }

    fn bare(v: Result<(), ()>) -> Result<(), ()> {
        host::bare(v)
    }

    fn only_ok(v: Result<String, ()>) -> Result<String, ()> {
        host::only_ok(v.as_deref().map_err(|_| ()))
    }

    fn only_error(v: Result<(), String>) -> Result<(), String> {
        host::only_error(v.as_ref().map(|_| ()).map_err(|error| error.as_str()))
    }

    fn both(v: Result<f32, u64>) -> Result<f32, u64> {
        host::both(v)
    }

    fn failing(v: Result<Vec<u8>, Failure>) -> Result<Vec<u8>, Failure> {
        host::failing(v.as_deref())
    }

    fn nested(v: Result<Option<String>, Result<u8, Failure>>) -> Result<Option<String>, Result<u8, Failure>> {
        host::nested(v.as_ref().map(Option::as_deref).map_err(|e| e.as_ref().map(|n| *n)))
    }

    fn in_tuple(v: (Option<String>, Result<u8, String>)) -> (Option<String>, Result<u8, String>) {
        host::in_tuple((v.0.as_deref(), v.1.as_ref().map(|n| *n).map_err(|e| e.as_str())))
    }
}
