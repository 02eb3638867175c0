//! Content that comes in: how much of what was read belongs to it, whichever way it is delimited.

use crate::chunked::{Decoder, Step};
use crate::framing::Framing;
use crate::refusal::Refusal;

#[derive(Debug)]
enum Kind {
    Length(u64),
    Chunked(Decoder),
    UntilClose,
}

#[derive(Debug)]
pub struct Incoming {
    kind: Kind,
    /// Bytes of content that may still come.
    allowed: u64,
}

/// What to say of content that is too large.
const TOO_LARGE: Refusal = Refusal::new(413, "the content is too large");

impl Incoming {
    /// At most `limit` bytes, and at most `trailer` bytes of trailer fields.
    pub fn new(framing: Framing, limit: u64, trailer: u64) -> Result<Self, Refusal> {
        let kind = match framing {
            Framing::Length(length) if length > limit => return Err(TOO_LARGE),
            Framing::Length(length) => Kind::Length(length),
            Framing::Chunked => Kind::Chunked(Decoder::new(trailer)),
            Framing::UntilClose => Kind::UntilClose,
        };
        Ok(Self {
            kind,
            allowed: limit,
        })
    }

    /// No content.
    pub fn nothing() -> Self {
        Self {
            kind: Kind::Length(0),
            allowed: 0,
        }
    }

    /// How many bytes of framing come first in `input`, and what comes after them. Content that is used is to be told
    /// of with `took`.
    pub fn step(&mut self, input: &[u8]) -> Result<(usize, Step), Refusal> {
        let (framing, step) = match &mut self.kind {
            Kind::Length(0) => (0, Step::End),
            Kind::Length(left) => (0, some((*left).min(input.len() as u64) as usize)),
            Kind::UntilClose => (0, some(input.len())),
            Kind::Chunked(decoder) => decoder.step(input).map_err(Refusal::bad)?,
        };
        match step {
            Step::Data(count) if count as u64 > self.allowed => Err(TOO_LARGE),
            step => Ok((framing, step)),
        }
    }

    pub fn took(&mut self, count: u64) {
        self.allowed -= count;
        match &mut self.kind {
            Kind::Length(left) => *left -= count,
            Kind::Chunked(decoder) => decoder.took(count),
            Kind::UntilClose => {}
        }
    }

    /// How many bytes come next that are all content, and can be moved without being looked at.
    pub fn run(&self) -> u64 {
        match &self.kind {
            Kind::Length(left) => *left,
            Kind::Chunked(decoder) => decoder.run().min(self.allowed),
            Kind::UntilClose => self.allowed,
        }
    }

    /// How many bytes are still to come, where that is known.
    pub fn left(&self) -> Option<u64> {
        match &self.kind {
            Kind::Length(left) => Some(*left),
            _ => None,
        }
    }

    /// Whether the end of the connection is the end of the content.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.kind, Kind::UntilClose)
    }
}

fn some(count: usize) -> Step {
    match count {
        0 => Step::More,
        _ => Step::Data(count),
    }
}
