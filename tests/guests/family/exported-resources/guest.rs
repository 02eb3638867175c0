//! Resources of the guest: made by constructors and functions, lent, given back and dropped.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};
use exports::test::exported_resources::counters::{
    Choice, Counter, CounterBorrow, Entry, GuestCounter, GuestPicky, View,
};

static LIVING: AtomicU32 = AtomicU32::new(0);

/// A number that counts up; how many there are is known.
struct Count(Cell<u32>);

impl Count {
    fn from(start: u32) -> Self {
        LIVING.fetch_add(1, Ordering::Relaxed);
        Self(Cell::new(start))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GuestCounter for Count {
    fn new(start: u32) -> Self {
        Self::from(start)
    }

    fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    fn sum(a: CounterBorrow<'_>, b: Counter) -> Counter {
        let b = b.into_inner::<Count>();
        Counter::new(Count::from(a.get::<Count>().0.get() + b.0.get()))
    }

    fn clone(&self) -> Counter {
        Counter::new(Count::from(self.0.get()))
    }
}

struct PickyCount(Count);

impl GuestPicky for PickyCount {
    fn new(start: u32) -> Result<Self, String> {
        if start == 0 {
            return Err(String::from("a counter does not begin at zero"));
        }
        Ok(Self(Count::from(start)))
    }

    fn counter(&self) -> Counter {
        Counter::new(Count::from(self.0 .0.get()))
    }
}

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::exported_resources::counters::Guest for Component {
    type Counter = Count;
    type Picky = PickyCount;

    fn keep(mut v: Counter) -> Counter {
        let count = v.get_mut::<Count>().0.get_mut();
        *count += 100;
        v
    }

    fn peek(v: CounterBorrow<'_>) -> u32 {
        v.get::<Count>().0.get()
    }

    fn peek_all(v: Vec<CounterBorrow<'_>>) -> Vec<u32> {
        v.iter().map(|lent| lent.get::<Count>().0.get()).collect()
    }

    fn peek_view(v: View<'_>) -> String {
        alloc::format!("{}: {}", v.name, v.counter.get::<Count>().0.get())
    }

    fn of_list(mut v: Vec<Counter>) -> Vec<Counter> {
        v.reverse();
        v
    }

    fn of_option(v: Option<Counter>) -> Option<Counter> {
        v
    }

    fn of_result(v: Result<Counter, String>) -> Result<Counter, String> {
        v
    }

    fn of_entry(v: Entry) -> Entry {
        v
    }

    fn of_choice(v: Choice) -> Choice {
        v
    }

    fn take(v: Counter) -> u32 {
        v.get::<Count>().0.get()
    }

    fn living() -> u32 {
        LIVING.load(Ordering::Relaxed)
    }
}
