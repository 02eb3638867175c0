//! With the standard library: an error of the host goes on with `?`, and what it gives is counted in a hash map.

include!("bindings.rs");

use exports::test::std_guest::values::{Entry, Problem};
use std::collections::HashMap;
use test::std_guest::values as host;

struct Component;

export!(Component);

fn find(name: &str) -> Result<host::Entry, Box<dyn std::error::Error>> {
    Ok(host::lookup(name)?)
}

impl exports::test::std_guest::values::Guest for Component {
    fn lookup(v: String) -> Result<Entry, Problem> {
        match find(&v) {
            Ok(entry) => {
                let mut seen = HashMap::new();
                for tag in entry.tags {
                    *seen.entry(tag).or_insert(0) += 1;
                }
                let mut tags: Vec<_> = seen.into_iter().map(|(tag, n)| format!("{tag} {n}")).collect();
                tags.sort();
                Ok(Entry { name: entry.name, tags })
            }
            Err(error) => {
                eprintln!("{error}");
                match error.downcast_ref::<host::Problem>() {
                    Some(host::Problem::Empty) => Err(Problem::Empty),
                    _ => Err(Problem::Unknown),
                }
            }
        }
    }
}
