//! Ends of lines in type ASCII (RFC 959, 3.1.1.1): CR LF on the way, LF here, however the bytes are cut into pieces.

use alloc::vec::Vec;

/// To the client: LF becomes CR LF. One that has its CR already stays as it is.
#[derive(Debug, Default)]
pub struct ToWire {
    after_return: bool,
}

impl ToWire {
    pub fn convert(&mut self, bytes: &[u8]) -> Vec<u8> {
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        let mut out = Vec::with_capacity(bytes.len() + ends);
        for byte in bytes {
            if *byte == b'\n' && !self.after_return {
                out.push(b'\r');
            }
            out.push(*byte);
            self.after_return = *byte == b'\r';
        }
        out
    }
}

/// From the client: CR LF becomes LF. Any other CR stays.
#[derive(Debug, Default)]
pub struct FromWire {
    /// A CR whose fate the next byte decides.
    held: bool,
}

impl FromWire {
    pub fn convert(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for byte in bytes {
            if core::mem::replace(&mut self.held, *byte == b'\r') && *byte != b'\n' {
                out.push(b'\r');
            }
            if *byte != b'\r' {
                out.push(*byte);
            }
        }
        out
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        match core::mem::take(&mut self.held) {
            true => Vec::from(*b"\r"),
            false => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pieces: [&[u8]; 2]) -> Vec<u8> {
        let mut way = ToWire::default();
        pieces.iter().flat_map(|piece| way.convert(piece)).collect()
    }

    fn received(pieces: [&[u8]; 2]) -> Vec<u8> {
        let mut way = FromWire::default();
        let mut out: Vec<_> = pieces.iter().flat_map(|piece| way.convert(piece)).collect();
        out.extend(way.finish());
        out
    }

    #[test]
    fn lines_end_in_cr_lf_on_the_way() {
        assert_eq!(
            sent([b"a\nb\r\n\n\r", b"\nc\rd"]),
            b"a\r\nb\r\n\r\n\r\nc\rd"
        );
    }

    #[test]
    fn lines_end_in_lf_here() {
        assert_eq!(
            received([b"a\r\nb\nc\r\r", b"\n\rd\r"]),
            b"a\nb\nc\r\n\rd\r"
        );
    }

    #[test]
    fn it_makes_no_difference_where_bytes_are_split() {
        let data = b"\n\r\n\r\r\n\n\ra\r";
        for at in 0..=data.len() {
            let pieces = [&data[..at], &data[at..]];
            assert_eq!(sent(pieces), sent([data, b""]), "sent, {at}");
            assert_eq!(received(pieces), received([data, b""]), "received, {at}");
        }
    }
}
