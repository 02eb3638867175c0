//! Facts of MLST and MLSD (RFC 3659, 7): which there are, which a client wants, and the lines that say them.

use crate::bindings::component::ftp::types::{Entry, EntryKind, Permissions};
use alloc::string::String;
use core::fmt::Write;
use guest_kit::calendar::Moment;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// The facts that there are, in the order in which they are said; those behind the first five only if asked for.
const NAMES: [&str; 8] = [
    "type",
    "size",
    "modify",
    "perm",
    "unique",
    "UNIX.mode",
    "UNIX.owner",
    "UNIX.group",
];
const DEFAULT: u8 = 0b0001_1111;

/// Letters of the fact `perm` (RFC 3659, 7.5.5).
const PERMISSIONS: [(Permissions, char); 10] = [
    (Permissions::APPEND, 'a'),
    (Permissions::CREATE, 'c'),
    (Permissions::DELETE, 'd'),
    (Permissions::ENTER, 'e'),
    (Permissions::RENAME, 'f'),
    (Permissions::ENUMERATE, 'l'),
    (Permissions::MAKE_DIRECTORY, 'm'),
    (Permissions::PURGE, 'p'),
    (Permissions::RETRIEVE, 'r'),
    (Permissions::STORE, 'w'),
];

/// The facts that a client wants, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts(u8);

impl Default for Facts {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Facts {
    /// The facts of OPTS MLST. Unknown ones are left out (RFC 3659, 7.9).
    pub fn parse(argument: &str) -> Self {
        let mut found = 0;
        for wanted in argument.split(';') {
            for (at, name) in NAMES.iter().enumerate() {
                if name.eq_ignore_ascii_case(wanted) {
                    found |= 1 << at;
                }
            }
        }
        Self(found)
    }

    fn has(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }

    /// All facts with a mark behind those that are wanted, for FEAT.
    pub fn feature(self) -> String {
        let mut text = String::from("MLST ");
        for (at, name) in NAMES.iter().enumerate() {
            let mark = if self.has(at) { "*" } else { "" };
            let _ = write!(text, "{name}{mark};");
        }
        text
    }

    /// The text of the reply to OPTS MLST.
    pub fn chosen(self) -> String {
        let mut text = String::from("MLST OPTS ");
        for (at, name) in NAMES.iter().enumerate() {
            if self.has(at) {
                let _ = write!(text, "{name};");
            }
        }
        text
    }

    /// Writes the facts of an entry, and its name, without the end of the line.
    pub fn write(self, out: &mut String, entry: &Entry) {
        for (at, name) in NAMES.iter().enumerate() {
            let before = out.len();
            if !self.has(at) {
                continue;
            }
            let _ = write!(out, "{name}=");
            let value = out.len();
            write_value(out, at, entry);
            match out.len() == value && at != 3 {
                // Nothing is known of it. Without permissions there still is the fact.
                true => out.truncate(before),
                false => out.push(';'),
            }
        }
        out.push(' ');
        out.push_str(&entry.name);
    }
}

fn write_value(out: &mut String, at: usize, entry: &Entry) {
    let _ = match at {
        0 => out.write_str(kind(entry.kind)),
        1 => match (entry.kind, entry.size) {
            (EntryKind::File | EntryKind::Other, Some(size)) => write!(out, "{size}"),
            _ => Ok(()),
        },
        2 => entry
            .modified
            .map_or(Ok(()), |modified| write!(out, "{}", Time(modified))),
        3 => {
            for (permission, letter) in PERMISSIONS {
                if entry.permissions.contains(permission) {
                    out.push(letter);
                }
            }
            Ok(())
        }
        4 => write_word(out, entry.unique.as_deref()),
        5 => entry
            .unix_mode
            .map_or(Ok(()), |mode| write!(out, "{:04o}", mode & 0o7777)),
        6 => write_word(out, entry.owner.as_deref()),
        _ => write_word(out, entry.group.as_deref()),
    };
}

/// A value that the host gives, unless it would end the fact or the line.
fn write_word(out: &mut String, word: Option<&str>) -> core::fmt::Result {
    let ends = |char: char| char == ';' || char == ' ' || char.is_control();
    match word {
        Some(word) if !word.contains(ends) => out.write_str(word),
        _ => Ok(()),
    }
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Directory => "dir",
        EntryKind::CurrentDirectory => "cdir",
        EntryKind::ParentDirectory => "pdir",
        EntryKind::Other => "OS.unix=other",
    }
}

/// A point in time, in nanoseconds since the Unix epoch, as `time-val` (RFC 3659, 2.3), in whole seconds.
pub struct Time(pub u64);

impl core::fmt::Display for Time {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let at = Moment::after_epoch(self.0 / SECOND);
        write!(
            out,
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            at.year, at.month, at.day, at.hour, at.minute, at.second
        )
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use alloc::string::ToString;

    /// A file of which all is known.
    pub fn file() -> Entry {
        Entry {
            name: "a b".to_string(),
            kind: EntryKind::File,
            size: Some(12),
            modified: Some(784_111_777 * SECOND),
            permissions: Permissions::RETRIEVE | Permissions::DELETE,
            unix_mode: Some(0o644),
            owner: Some("ada".to_string()),
            group: Some("users".to_string()),
            unique: Some("1g2".to_string()),
        }
    }

    fn line(facts: Facts, entry: &Entry) -> String {
        let mut text = String::new();
        facts.write(&mut text, entry);
        text
    }

    #[test]
    fn a_line_says_the_facts_that_are_wanted() {
        let text = line(Facts::default(), &file());
        assert_eq!(
            text,
            "type=file;size=12;modify=19941106084937;perm=dr;unique=1g2; a b"
        );
        let text = line(
            Facts::parse("UNIX.group;unix.MODE;nothing;UNIX.owner;"),
            &file(),
        );
        assert_eq!(text, "UNIX.mode=0644;UNIX.owner=ada;UNIX.group=users; a b");
        assert_eq!(line(Facts::parse(""), &file()), " a b");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let entry = Entry {
            kind: EntryKind::Directory,
            modified: None,
            permissions: Permissions::empty(),
            unique: Some("a;b".to_string()),
            ..file()
        };
        assert_eq!(line(Facts::default(), &entry), "type=dir;perm=; a b");
    }

    #[test]
    fn feat_marks_the_facts_that_are_wanted() {
        let text = Facts::parse("size;").feature();
        assert_eq!(
            text,
            "MLST type;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;"
        );
        assert_eq!(Facts::parse("perm;SIZE").chosen(), "MLST OPTS size;perm;");
    }
}
