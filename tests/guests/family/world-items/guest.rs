//! Functions, types, a resource and nameless interfaces of the world itself.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }

    fn run(v: Named) -> Result<Vec<Named>, Mood> {
        log(&format!("run {}", v.name));
        if v.name.is_empty() {
            return Err(Mood::Bad);
        }
        Ok(vec![name_it(v.point, &v.name), v])
    }

    fn shift_twice(v: Point) -> Point {
        shift(shift(v))
    }

    fn tokens(text: String) -> String {
        let token = Token::new(&text);
        exchange(token).text()
    }
}

impl exports::inner::Guest for Component {
    fn double(v: u32) -> u32 {
        inline::double(v)
    }
}
