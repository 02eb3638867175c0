//! Command lines out of the bytes of a control connection (RFC 959, 4.1 and 5.3; RFC 854 for Telnet).
//!
//! Telnet commands are taken out wherever they stand. What a line means is not known here, with one exception: ABOR may
//! come with its last byte, or with the data mark before it, as urgent data, which a host may have to do without; so it
//! is complete with its CR.

use alloc::vec::Vec;

const NUL: u8 = 0;
const LF: u8 = b'\n';
const CR: u8 = b'\r';
/// Telnet: end and begin of a subnegotiation, the first of the four requests, and what comes before all of them.
const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const IAC: u8 = 255;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Text(Vec<u8>),
    /// It was longer than it may be. Nothing of it is kept.
    TooLong,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After CR.
    Return,
    /// After IAC.
    Command,
    /// After IAC and WILL, WON'T, DO or DON'T.
    Option,
    /// In a subnegotiation, and there after IAC.
    Subnegotiation,
    SubCommand,
}

/// Reads lines, byte by byte, however they come.
#[derive(Debug, Default)]
pub struct Lines {
    state: State,
    /// Where to go on after a Telnet command.
    before: State,
    line: Vec<u8>,
    too_long: bool,
    /// Whether the LF that belongs to the last line may still come.
    ended_early: bool,
}

impl Lines {
    /// The next line of some bytes, and how many were used up. No line: all were.
    pub fn read(&mut self, bytes: &[u8], limit: usize) -> (usize, Option<Line>) {
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(line) = self.take(*byte, limit) {
                return (at + 1, Some(line));
            }
        }
        (bytes.len(), None)
    }

    fn take(&mut self, byte: u8, limit: usize) -> Option<Line> {
        match self.state {
            State::Text | State::Return if byte == IAC => {
                self.before = self.state;
                self.state = State::Command;
                None
            }
            State::Text => self.text(byte, limit),
            State::Return => {
                self.state = State::Text;
                match byte {
                    LF => Some(self.end()),
                    // A CR that is meant as such (RFC 854).
                    NUL => self.push(CR, limit),
                    byte => {
                        self.push(CR, limit);
                        self.text(byte, limit)
                    }
                }
            }
            State::Command => self.command(byte, limit),
            State::Option => {
                self.state = self.before;
                None
            }
            State::Subnegotiation => {
                if byte == IAC {
                    self.state = State::SubCommand;
                }
                None
            }
            State::SubCommand => {
                self.state = match byte {
                    SE => self.before,
                    _ => State::Subnegotiation,
                };
                None
            }
        }
    }

    fn text(&mut self, byte: u8, limit: usize) -> Option<Line> {
        if core::mem::take(&mut self.ended_early) && matches!(byte, LF | NUL) {
            return None;
        }
        match byte {
            LF => Some(self.end()),
            CR if self.line.eq_ignore_ascii_case(b"ABOR") => {
                self.ended_early = true;
                Some(self.end())
            }
            CR => {
                self.state = State::Return;
                None
            }
            byte => self.push(byte, limit),
        }
    }

    /// The byte after IAC.
    fn command(&mut self, byte: u8, limit: usize) -> Option<Line> {
        self.state = self.before;
        match byte {
            IAC => {
                // A data byte.
                if core::mem::replace(&mut self.state, State::Text) == State::Return {
                    self.push(CR, limit);
                }
                self.push(IAC, limit)
            }
            WILL..=254 => {
                self.state = State::Option;
                None
            }
            SB => {
                self.state = State::Subnegotiation;
                None
            }
            SE.. => None,
            // No command: the byte that was one has gone its own way, as urgent data.
            byte => self.take(byte, limit),
        }
    }

    fn push(&mut self, byte: u8, limit: usize) -> Option<Line> {
        if self.line.len() >= limit {
            self.too_long = true;
            self.line = Vec::new();
        }
        if !self.too_long {
            self.line.push(byte);
        }
        None
    }

    fn end(&mut self) -> Line {
        let line = core::mem::take(&mut self.line);
        match core::mem::take(&mut self.too_long) {
            true => Line::TooLong,
            false => Line::Text(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(pieces: &[&[u8]]) -> Vec<Line> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            let mut at = 0;
            while at < piece.len() {
                let (used, line) = lines.read(&piece[at..], 10);
                at += used;
                found.extend(line);
            }
        }
        found
    }

    fn text(line: &[u8]) -> Line {
        Line::Text(line.to_vec())
    }

    #[test]
    fn lines_end_in_lf_with_cr_or_without() {
        assert_eq!(
            read(&[b"a b\r\nc\n\r\nd"]),
            [text(b"a b"), text(b"c"), text(b"")]
        );
    }

    #[test]
    fn other_crs_are_part_of_the_line() {
        assert_eq!(read(&[b"a\rb\r\0\r\r\n"]), [text(b"a\rb\r\r")]);
    }

    #[test]
    fn telnet_commands_are_no_part_of_it() {
        assert_eq!(
            read(&[b"a\xff\xf1b\xff\xfb\x01c\r\xff\xf1\n"]),
            [text(b"abc")]
        );
        assert_eq!(read(&[b"\xff\xfax\r\n\xff\xffy\xff\xf0a\n"]), [text(b"a")]);
        assert_eq!(
            read(&[b"a\xff\xffb\n\r\xff\xff\n"]),
            [text(b"a\xffb"), text(b"\r\xff")]
        );
    }

    #[test]
    fn abor_is_complete_with_its_cr() {
        assert_eq!(read(&[b"\xff\xf4\xff\xf2abor\r"]), [text(b"abor")]);
        // As urgent data the byte after IAC, or the last one, does not come.
        assert_eq!(
            read(&[b"\xff\xf4\xffABOR\r\nNOOP\r\n"]),
            [text(b"ABOR"), text(b"NOOP")]
        );
        assert_eq!(read(&[b"ABOR\rNOOP\r\n"]), [text(b"ABOR"), text(b"NOOP")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_read_to_its_end() {
        assert_eq!(read(&[b"0123456789\n"]), [text(b"0123456789")]);
        let long = vec![b'x'; 1000];
        assert_eq!(read(&[&long, b"\r\na\r\n"]), [Line::TooLong, text(b"a")]);
    }

    #[test]
    fn it_makes_no_difference_where_bytes_are_split() {
        let data = b"ABOR\r\n\xff\xf4\xff\xf2a\r\0b\xff\xfb\x03\r\n\xff\xfa\xff\xf0ABOR\rxyz0123456789\n\n";
        let whole = read(&[data]);
        assert_eq!(whole.len(), 5);
        for at in 0..data.len() {
            assert_eq!(read(&[&data[..at], &data[at..]]), whole, "split at {at}");
        }
    }
}
