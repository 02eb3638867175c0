//! A file of the guest wraps one of the host, which has the same interface.

#![no_std]

extern crate alloc;

include!("bindings.rs");

mod support;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use exports::test::resources_both_ways::files::{Entry, File, FileBorrow, GuestFile, Problem};
use test::resources_both_ways::files as host;

struct Wrapped(host::File);

fn problem(from: host::Problem) -> Problem {
    match from {
        host::Problem::Missing => Problem::Missing,
        host::Problem::Broken => Problem::Broken,
    }
}

impl GuestFile for Wrapped {
    fn new(name: String) -> Self {
        Self(host::File::new(&name))
    }

    fn name(&self) -> String {
        format!("guest's {}", self.0.name())
    }

    fn open(name: String) -> Result<File, Problem> {
        let file = host::File::open(&name).map_err(problem)?;
        Ok(File::new(Self(file)))
    }

    fn same(&self, other: FileBorrow<'_>) -> bool {
        self.0.same(&other.get::<Self>().0)
    }
}

struct Component;

export!(Component);

impl Guest for Component {
    fn allocated() -> u64 {
        support::allocated()
    }
}

impl exports::test::resources_both_ways::files::Guest for Component {
    type File = Wrapped;

    fn newest(v: Vec<File>) -> Option<File> {
        let files = v.into_iter().map(|file| file.into_inner::<Wrapped>().0);
        let found = host::newest(files.collect())?;
        Some(File::new(Wrapped(found)))
    }

    fn describe(v: FileBorrow<'_>) -> String {
        host::describe(&v.get::<Wrapped>().0)
    }

    fn of_entry(v: Entry) -> Entry {
        let file = v.file.into_inner::<Wrapped>().0;
        let found = host::of_entry(host::Entry { name: v.name, file });
        Entry { name: found.name, file: File::new(Wrapped(found.file)) }
    }
}
