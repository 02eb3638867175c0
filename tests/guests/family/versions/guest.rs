//! Two versions of one package, imported and exported; what the old one says goes on to the new one.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use dep::log1_2_0::entries as old;
use dep::log2_0_0::entries as new;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::versions::current::Guest for Component {
    fn convert(v: old::Entry) -> new::Entry {
        new::Entry { text: v.text, level: 7 }
    }
}

impl exports::dep::log1_2_0::sink::Guest for Component {
    fn write(v: old::Entry) -> u32 {
        dep::log1_2_0::sink::write(&v)
    }
}

impl exports::dep::log2_0_0::sink::Guest for Component {
    fn write(v: new::Entry) -> u64 {
        dep::log2_0_0::sink::write(&v)
    }
}
