//! Listings: the lines of LIST, which no standard fixes, in the form that clients know from Unix; those of NLST and MLSD.

use crate::bindings::component::ftp::types::{Entry, EntryKind, Permissions};
use crate::bindings::exports::component::ftp::control::ListingStyle;
use crate::facts::Facts;
use alloc::string::String;
use core::fmt::Write;
use guest_kit::calendar::Moment;

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// The seconds for which LIST gives the time of day: half a year, as `ls` has it.
const RECENT: u64 = 15_778_476;

/// How entries are put into lines.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub style: ListingStyle,
    pub facts: Facts,
    /// The time of day, in seconds since the Unix epoch.
    pub now: u64,
}

impl Format {
    /// Whether an entry can be listed: its name must not end its line.
    pub fn can_list(entry: &Entry) -> bool {
        !entry.name.is_empty() && !entry.name.contains(['\r', '\n', '\0'])
    }

    /// Writes the line of an entry, with its end; nothing if it can't be listed.
    pub fn write(&self, out: &mut String, entry: &Entry) {
        if !Self::can_list(entry) {
            return;
        }
        match self.style {
            ListingStyle::Long => self.write_long(out, entry),
            ListingStyle::Names => out.push_str(&entry.name),
            ListingStyle::Facts => self.facts.write(out, entry),
        }
        out.push_str("\r\n");
    }

    /// The line of LIST, without its end.
    pub fn write_long(&self, out: &mut String, entry: &Entry) {
        write_mode(out, entry);
        let owner = word(entry.owner.as_deref());
        let group = word(entry.group.as_deref());
        let size = entry.size.unwrap_or(0);
        let _ = write!(out, " 1 {owner:<8} {group:<8} {size:>12} ");
        self.write_time(out, entry.modified.unwrap_or(0) / SECOND);
        out.push(' ');
        out.push_str(&entry.name);
    }

    fn write_time(&self, out: &mut String, seconds: u64) {
        let at = Moment::after_epoch(seconds);
        let _ = write!(out, "{} {:02} ", at.month_name(), at.day);
        let is_recent = seconds <= self.now && self.now - seconds < RECENT;
        let _ = match is_recent {
            true => write!(out, "{:02}:{:02}", at.hour, at.minute),
            false => write!(out, "{:>5}", at.year),
        };
    }
}

fn write_mode(out: &mut String, entry: &Entry) {
    out.push(match entry.kind {
        EntryKind::File => '-',
        EntryKind::Other => '?',
        _ => 'd',
    });
    let mode = entry
        .unix_mode
        .unwrap_or_else(|| mode_of(entry.permissions));
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        out.push(if mode >> bit & 1 == 1 { letter } else { '-' });
    }
}

/// The bits of the owner, by what the user may do.
fn mode_of(permissions: Permissions) -> u16 {
    let bits = [
        (Permissions::RETRIEVE | Permissions::ENUMERATE, 0o400),
        (Permissions::STORE | Permissions::CREATE, 0o200),
        (Permissions::ENTER, 0o100),
    ];
    let granted = bits.iter().filter(|(any, _)| permissions.intersects(*any));
    granted.fold(0, |mode, (_, bit)| mode | bit)
}

/// A name in a column: without what would begin another column or line.
fn word(name: Option<&str>) -> &str {
    match name {
        Some(name) if !name.is_empty() && !name.contains(|char: char| char <= ' ') => name,
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::file;
    use alloc::string::ToString;

    fn line(style: ListingStyle, now: u64, entry: &Entry) -> String {
        let format = Format {
            style,
            facts: Facts::parse("size;"),
            now,
        };
        let mut text = String::new();
        format.write(&mut text, entry);
        text
    }

    #[test]
    fn list_is_as_clients_know_it() {
        let text = line(ListingStyle::Long, 784_111_800, &file());
        assert_eq!(
            text,
            "-rw-r--r-- 1 ada      users              12 Nov 06 08:49 a b\r\n"
        );
    }

    #[test]
    fn what_is_old_or_yet_to_come_has_its_year() {
        for now in [0, 784_111_776, 784_111_777 + RECENT] {
            let text = line(ListingStyle::Long, now, &file());
            assert!(text.contains(" Nov 06  1994 a b"), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_has_its_place_all_the_same() {
        let entry = Entry {
            kind: EntryKind::Directory,
            size: None,
            modified: None,
            permissions: Permissions::ENTER | Permissions::ENUMERATE,
            unix_mode: None,
            owner: None,
            group: Some("two words".to_string()),
            ..file()
        };
        let text = line(ListingStyle::Long, 0, &entry);
        assert_eq!(
            text,
            "dr-x------ 1 -        -                   0 Jan 01 00:00 a b\r\n"
        );
    }

    #[test]
    fn nlst_and_mlsd_have_their_own_lines() {
        assert_eq!(line(ListingStyle::Names, 0, &file()), "a b\r\n");
        assert_eq!(line(ListingStyle::Facts, 0, &file()), "size=12; a b\r\n");
    }

    #[test]
    fn names_that_would_end_the_line_are_left_out() {
        for name in ["", "a\nb", "a\rb", "a\0b"] {
            let entry = Entry {
                name: name.to_string(),
                ..file()
            };
            assert_eq!(line(ListingStyle::Names, 0, &entry), "");
        }
    }
}
