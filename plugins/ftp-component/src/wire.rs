//! The bytes of one control connection: what has come in and is not used yet, and what is to go out.

use crate::bindings::component::ftp::types::Error;
use crate::interests::Interests;
use crate::lines::{Line, Lines};
use crate::transport::{Received, Transport};
use guest_kit::buffer::Buffer;

/// How much is read at once.
const READ: usize = 4096;
/// Bytes that are read ahead of the commands under way; after that, the client has to wait.
const AHEAD: usize = 4096;

pub struct Wire {
    pub transport: Transport,
    inbox: Buffer,
    lines: Lines,
    pub outbox: Buffer,
    /// Whether there may be something to read: from the moment when the host says so until it gives less than asked for.
    pub readable: bool,
    /// Whether the client has ended its side.
    pub ended: bool,
    /// When some bytes went out last, or what is to go out came to wait for room.
    pub last_out: u64,
    /// Whether what is to go out waits for room.
    pub blocked: bool,
}

impl Wire {
    pub fn new(transport: Transport, now: u64) -> Self {
        Self {
            transport,
            inbox: Buffer::default(),
            lines: Lines::default(),
            outbox: Buffer::default(),
            readable: false,
            ended: false,
            last_out: now,
            blocked: false,
        }
    }

    /// The next line, if it has come.
    pub fn line(&mut self, limit: usize) -> Result<Option<Line>, Error> {
        loop {
            let (used, line) = self.lines.read(self.inbox.bytes(), limit);
            self.inbox.consume(used);
            if line.is_some() || !self.fill()? {
                return Ok(line);
            }
        }
    }

    /// Reads ahead, to see whether the client is still there.
    pub fn look(&mut self) -> Result<(), Error> {
        while self.has_room() && self.fill()? {}
        Ok(())
    }

    /// Whether more is read ahead.
    pub fn has_room(&self) -> bool {
        self.inbox.len() < AHEAD
    }

    /// Reads some bytes, if there may be some. Says whether there were.
    fn fill(&mut self) -> Result<bool, Error> {
        if !self.readable || self.ended {
            return Ok(false);
        }
        match self.transport.receive(READ)? {
            Received::Bytes(bytes) => {
                // A part of what was asked for is all that there was.
                self.readable = bytes.len() >= READ;
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

    /// Sends what is to go out, as far as there is room. Says whether anything went.
    pub fn flush(&mut self, now: u64) -> Result<bool, Error> {
        if self.outbox.is_empty() {
            return Ok(false);
        }
        let count = self.transport.send(&mut self.outbox)?;
        self.wait_for_room(!self.outbox.is_empty(), count > 0, now);
        Ok(count > 0)
    }

    /// Whether all that went out has gone to the system.
    pub fn is_drained(&mut self, now: u64) -> Result<bool, Error> {
        let drained = self.outbox.is_empty() && self.transport.is_drained()?;
        self.wait_for_room(!drained, drained, now);
        Ok(drained)
    }

    fn wait_for_room(&mut self, blocked: bool, moved: bool, now: u64) {
        if moved || !self.blocked {
            self.last_out = now;
        }
        self.blocked = blocked;
    }

    /// Begins TLS. What has come in and was not used yet, nobody has vouched for: it is thrown away (RFC 4217, 15.2).
    pub fn secure(&mut self, interests: &mut Interests, slot: u32) -> Result<(), Error> {
        self.forget_input();
        self.readable = true;
        self.transport.secure(interests, slot)
    }

    pub fn forget_input(&mut self) {
        self.inbox.clear();
        self.lines = Lines::default();
    }
}
