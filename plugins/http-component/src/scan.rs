//! Where the head of a message ends, found while its bytes come in, each looked at once.
//!
//! What makes a head too large, and line ends that are not CRLF, are found here, before anything is parsed: nobody can
//! make the component keep or read again more than the limits say.

use crate::refusal::Refusal;

/// What a head may have. `line` is the request line or status line, `bytes` all header fields, `fields` how many.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    pub line: usize,
    pub bytes: usize,
    pub fields: usize,
}

/// How far the search has come in a buffer; to be kept as long as only bytes behind it are added.
#[derive(Debug, Default)]
pub struct Scan {
    /// What has been looked at.
    seen: usize,
    /// Where the line begins that has no end yet.
    line: usize,
    /// Where the header fields begin, once the first line has ended.
    fields: usize,
    /// Lines that have ended.
    lines: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The end is not here yet.
    Incomplete,
    /// An empty line before the first one (RFC 9112, 2.2): to be thrown away, and the search to begin anew.
    Blank,
    /// The head is this many bytes, with the empty line; it has this many fields.
    Complete(usize, usize),
}

impl Scan {
    /// Goes on in `data`, which begins with the head.
    pub fn advance(&mut self, data: &[u8], limits: &HeadLimits) -> Result<Progress, Refusal> {
        while let Some(offset) = data[self.seen..].iter().position(|&byte| byte == b'\n') {
            let end = self.seen + offset;
            if end == self.line || data[end - 1] != b'\r' {
                return Err(Refusal::bad("a line that ends without CR"));
            }
            let length = end - 1 - self.line;
            self.seen = end + 1;
            self.line = end + 1;
            match (self.lines, length) {
                (0, 0) => return Ok(Progress::Blank),
                (0, _) if length > limits.line => return Err(LINE),
                (0, _) => self.fields = end + 1,
                (lines, 0) => return Ok(Progress::Complete(end + 1, lines - 1)),
                (lines, _) if lines > limits.fields => return Err(FIELDS),
                _ if end + 1 - self.fields > limits.bytes => return Err(BYTES),
                _ => {}
            }
            self.lines += 1;
        }
        self.seen = data.len();
        match self.lines {
            // One more: CR may be the last of it.
            0 if data.len() > limits.line + 1 => Err(LINE),
            0 => Ok(Progress::Incomplete),
            _ if data.len() - self.fields > limits.bytes + 1 => Err(BYTES),
            _ => Ok(Progress::Incomplete),
        }
    }
}

const LINE: Refusal = Refusal::new(414, "the request line is too long");
const BYTES: Refusal = Refusal::new(431, "the header fields are too large");
const FIELDS: Refusal = Refusal::new(431, "there are too many header fields");

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits {
        line: 16,
        bytes: 32,
        fields: 2,
    };

    fn whole(data: &[u8]) -> Result<Progress, Refusal> {
        Scan::default().advance(data, &LIMITS)
    }

    #[test]
    fn the_end_is_the_same_wherever_the_bytes_are_split() {
        let data = b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\nmore";
        for first in 0..data.len() {
            let mut scan = Scan::default();
            let found = scan.advance(&data[..first], &LIMITS).unwrap();
            if found == Progress::Incomplete {
                let found = scan.advance(data, &LIMITS);
                assert_eq!(found, Ok(Progress::Complete(33, 2)), "{first}");
            } else {
                assert_eq!(found, Progress::Complete(33, 2));
            }
        }
    }

    #[test]
    fn what_is_larger_than_its_limit_is_refused_before_it_has_come_to_its_end() {
        assert_eq!(whole(b"GET /aaaaaaaaaaaaaaaa"), Err(LINE));
        assert_eq!(
            whole(b"GET / HTTP/1.1\r\na: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
            Err(BYTES)
        );
        assert_eq!(whole(b"G / HTTP/1.1\r\na:b\r\nc:d\r\ne:f\r\n"), Err(FIELDS));
    }

    #[test]
    fn a_line_end_is_cr_and_lf() {
        assert!(whole(b"GET / HTTP/1.1\n").is_err());
        assert!(whole(b"\n").is_err());
        assert_eq!(whole(b"\r\nGET"), Ok(Progress::Blank));
    }
}
