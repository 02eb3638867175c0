//! The chunked transfer coding (RFC 9112, 7.1): a decoder that is fed bytes, and what an encoder puts around them.
//!
//! Lines end in CRLF and nothing else, sizes are digits without anything around them, extensions are read over, and
//! trailer fields too: all of it within limits.

use alloc::vec::Vec;

/// The most bytes of a line with the size of a chunk.
const LONGEST_LINE: u32 = 1024;
/// The most digits of a size, so that it fits.
const MOST_DIGITS: u32 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the size of a chunk, after some digits.
    Size(u32),
    /// Behind the size, in blanks that only an extension may follow.
    Blank,
    Extension,
    /// In a quoted string of an extension, with whether the next character is escaped.
    Quoted(bool),
    /// LF is next, after the line with the size.
    SizeEnd,
    Data,
    /// CR or LF is next, after the data.
    DataEnd(bool),
    /// At the beginning of a line of the trailer section.
    Trailer,
    TrailerLine,
    /// LF is next, after a line of the trailer section; whether it was the empty one.
    TrailerEnd(bool),
    Done,
}

/// What comes next in the bytes that a decoder was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All of them are used up.
    More,
    /// This many bytes of content, at least 1.
    Data(usize),
    /// The end.
    End,
}

#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Bytes of the chunk that are still to come.
    left: u64,
    /// Bytes of the line so far.
    line: u32,
    /// Bytes that the trailer section may still have.
    trailer: u64,
}

impl Decoder {
    /// `trailer` is how many bytes the trailer section may have.
    pub fn new(trailer: u64) -> Self {
        Self {
            state: State::Size(0),
            left: 0,
            line: 0,
            trailer,
        }
    }

    /// How many bytes of framing come first, and what comes after them. Content is to be told of with `took`.
    pub fn step(&mut self, input: &[u8]) -> Result<(usize, Step), &'static str> {
        for (at, &byte) in input.iter().enumerate() {
            match self.state {
                State::Data => {
                    let there = (input.len() - at) as u64;
                    return Ok((at, Step::Data(there.min(self.left) as usize)));
                }
                State::Done => return Ok((at, Step::End)),
                _ => self.feed(byte)?,
            }
        }
        let step = if self.state == State::Done {
            Step::End
        } else {
            Step::More
        };
        Ok((input.len(), step))
    }

    /// Content was taken, at most as much as `step` has said.
    pub fn took(&mut self, count: u64) {
        self.left -= count;
        if self.left == 0 {
            self.state = State::DataEnd(false);
        }
    }

    /// How much content comes next without framing; 0 where that is not known.
    pub fn run(&self) -> u64 {
        if self.state == State::Data {
            self.left
        } else {
            0
        }
    }

    fn feed(&mut self, byte: u8) -> Result<(), &'static str> {
        self.line += 1;
        self.state = match (self.state, byte) {
            (State::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if digits == MOST_DIGITS {
                    return Err("the size of a chunk is too large");
                }
                self.left = self.left << 4 | u64::from(hex(byte));
                State::Size(digits + 1)
            }
            (State::Size(1..), b' ' | b'\t') | (State::Blank, b' ' | b'\t') => State::Blank,
            (State::Size(1..) | State::Blank, b';') => State::Extension,
            (State::Size(1..) | State::Extension, b'\r') => State::SizeEnd,
            (State::Size(_) | State::Blank, _) => return Err("a malformed size of a chunk"),
            (State::SizeEnd, b'\n') => {
                self.line = 0;
                if self.left == 0 {
                    State::Trailer
                } else {
                    State::Data
                }
            }
            (State::Extension, b'"') => State::Quoted(false),
            (State::Quoted(false), b'"') => State::Extension,
            (State::Quoted(false), b'\\') => State::Quoted(true),
            (State::Extension, _) if is_text(byte) => State::Extension,
            (State::Quoted(_), _) if is_text(byte) => State::Quoted(false),
            (State::Extension | State::Quoted(_), _) => {
                return Err("a control character in the extension of a chunk")
            }
            (State::DataEnd(false), b'\r') => State::DataEnd(true),
            (State::DataEnd(true), b'\n') => {
                self.line = 0;
                State::Size(0)
            }
            (State::DataEnd(_), _) => return Err("a chunk is longer than its size"),
            (State::Trailer, b'\r') => State::TrailerEnd(true),
            (State::TrailerLine, b'\r') => State::TrailerEnd(false),
            (State::Trailer, b' ' | b'\t') => return Err("a folded line in the trailer section"),
            (State::Trailer | State::TrailerLine, _) if is_text(byte) => State::TrailerLine,
            (State::Trailer | State::TrailerLine, _) => {
                return Err("a control character in the trailer section")
            }
            (State::TrailerEnd(true), b'\n') => State::Done,
            (State::TrailerEnd(false), b'\n') => State::Trailer,
            (State::SizeEnd | State::TrailerEnd(_), _) => return Err("a CR without its LF"),
            (State::Data | State::Done, _) => unreachable!(),
        };
        if self.line > LONGEST_LINE && !self.in_trailer() {
            return Err("the line with the size of a chunk is too long");
        }
        if self.in_trailer() {
            let left = self.trailer.checked_sub(1);
            self.trailer = left.ok_or("the trailer section is too large")?;
        }
        Ok(())
    }

    fn in_trailer(&self) -> bool {
        matches!(
            self.state,
            State::Trailer | State::TrailerLine | State::TrailerEnd(_)
        )
    }
}

fn hex(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

fn is_text(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7f || byte == b'\t'
}

/// What ends chunked content: the last chunk, and no trailer fields.
pub const LAST: &[u8] = b"0\r\n\r\n";

/// The most bytes that `encode` adds to those that it is given.
pub const OVERHEAD: usize = 16 + 4;

/// Puts bytes, one at least, as a chunk behind others.
pub fn encode(out: &mut Vec<u8>, data: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let size = data.len();
    let digits = (usize::BITS - size.leading_zeros()).div_ceil(4);
    for place in (0..digits).rev() {
        out.push(DIGITS[size >> (4 * place) & 15]);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    /// All the content and how many bytes it took, with the input cut into pieces of a size.
    fn decode(input: &[u8], size: usize) -> Result<Option<(String, usize)>, &'static str> {
        let mut decoder = Decoder::new(32);
        let (mut content, mut used) = (Vec::new(), 0);
        for piece in input.chunks(size) {
            let mut rest = piece;
            loop {
                let (framing, step) = decoder.step(rest)?;
                used += framing;
                rest = &rest[framing..];
                match step {
                    Step::More => break,
                    Step::End => return Ok(Some((String::from_utf8(content).unwrap(), used))),
                    Step::Data(count) => {
                        content.extend_from_slice(&rest[..count]);
                        decoder.took(count as u64);
                        used += count;
                        rest = &rest[count..];
                    }
                }
            }
        }
        Ok(None)
    }

    #[test]
    fn content_is_the_same_wherever_the_bytes_are_split() {
        let input =
            b"5;a=\"\\\"\"\r\nhello\r\n00A ; b\r\n, wide wor\r\n2\r\nld\r\n0\r\nx: y\r\n\r\nGET";
        for size in 1..=input.len() {
            let expected = Some(("hello, wide world".to_string(), input.len() - 3));
            assert_eq!(decode(input, size), Ok(expected), "pieces of {size}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut out = Vec::new();
        encode(&mut out, b"x");
        encode(&mut out, &[b'y'; 300]);
        out.extend_from_slice(LAST);
        assert!(out.starts_with(b"1\r\nx\r\n12c\r\n"));
        assert_eq!(
            decode(&out, 7),
            Ok(Some(("x".to_string() + &"y".repeat(300), out.len())))
        );
    }

    #[test]
    fn malformed_framing_is_refused() {
        for wrong in [
            "\r\n",
            " 5\r\n",
            "5 \r\n",
            "+5\r\n",
            "0x5\r\n",
            "5\n",
            "5\r5",
            "g\r\n",
            "-1\r\n",
            "5;a\nb\r\n",
            "5;a\rb\r\n",
            "5;\"a\r\n",
            "5;a\0\r\n",
            "5\r\nhello!",
            "5\r\nhello\n",
            "5\r\nhello\r\r",
            "1000000000000000\r\n",
            "0\r\n\n",
            "0\r\n x: y\r\n",
            "0\r\nx: \0\r\n",
            "0\r\nx: 12345678901234567890123456789012\r\n",
        ] {
            assert!(decode(wrong.as_bytes(), 3).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn content_without_its_end_is_waited_for() {
        assert_eq!(decode(b"5\r\nhello\r\n", 4), Ok(None));
        assert_eq!(decode(b"0\r\n", 4), Ok(None));
    }
}
