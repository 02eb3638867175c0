//! The bytes of one connection: what has come in and is not used yet, what is to go out, and how much it was.

use crate::bindings::component::http::types::Error;
use crate::transport::{Received, Transport};
use guest_kit::buffer::Buffer;

/// How much is read at once where a head is expected.
pub const HEAD_READ: usize = 16 << 10;
/// How much is read at once of content.
pub const CONTENT_READ: usize = 64 << 10;

pub struct Wire {
    pub transport: Transport,
    pub inbox: Buffer,
    pub outbox: Buffer,
    /// Whether there may be something to read: from the moment when the host says so until it gives less than asked for.
    pub readable: bool,
    /// Whether the peer has ended its side.
    pub ended: bool,
    /// Bytes of the present exchange, with framing.
    pub received: u64,
    pub sent: u64,
    /// When bytes came in last, and when some went out last.
    pub last_in: u64,
    pub last_out: u64,
    /// Whether what is to go out waits for room.
    pub blocked: bool,
}

impl Wire {
    pub fn new(transport: Transport, now: u64) -> Self {
        Self {
            transport,
            inbox: Buffer::default(),
            outbox: Buffer::default(),
            readable: false,
            ended: false,
            received: 0,
            sent: 0,
            last_in: now,
            last_out: now,
            blocked: false,
        }
    }

    /// Reads up to `max` bytes, if there may be some. Says whether there were.
    pub fn fill(&mut self, max: usize, now: u64) -> Result<bool, Error> {
        if !self.readable || self.ended {
            return Ok(false);
        }
        match self.transport.receive(max)? {
            Received::Bytes(bytes) => {
                // A part of what was asked for is all that there was.
                self.readable = bytes.len() >= max;
                self.last_in = now;
                self.inbox.append(bytes);
                Ok(true)
            }
            Received::Nothing => {
                self.readable = false;
                Ok(false)
            }
            Received::End => {
                self.readable = false;
                self.ended = true;
                Ok(false)
            }
        }
    }

    /// Uses up the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.received += count as u64;
        self.inbox.consume(count);
    }

    /// Sends what is to go out, as far as there is room. Says whether anything went.
    pub fn flush(&mut self, now: u64) -> Result<bool, Error> {
        if self.outbox.is_empty() {
            return Ok(false);
        }
        let count = self.transport.send(&mut self.outbox)?;
        self.sent += count;
        self.wait_for_room(!self.outbox.is_empty(), count > 0, now);
        Ok(count > 0)
    }

    /// Notes whether what is to go out waits for room, and whether some went.
    pub fn wait_for_room(&mut self, blocked: bool, moved: bool, now: u64) {
        if moved || !self.blocked {
            self.last_out = now;
        }
        self.blocked = blocked;
    }
}
