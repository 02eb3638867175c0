//! Content on its way between a connection and a stream of the host, never more of it here than there is room for.
//!
//! Where bytes need not be looked at they are spliced: the host moves them by itself.

use crate::bindings::component::http::types::{self, Error, ErrorKind};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::chunked::{self, Step};
use crate::failures::{detail, error, error_with, lost};
use crate::incoming::Incoming;
use crate::interests::{Interests, Part, Watch};
use crate::refusal::Refusal;
use crate::wire::{Wire, CONTENT_READ};
use alloc::vec::Vec;

/// Content of fewer bytes is not worth a call of the host.
const SMALL: usize = 4096;

/// How a pump comes to rest.
pub enum Flow {
    /// It waits for this.
    Blocked(Part),
    /// It has moved as much as it may at once.
    Paused,
    End,
}

/// Why a pump stops for good.
pub enum Break {
    /// The peer does what the protocol does not allow.
    Refused(Refusal),
    /// The connection is lost.
    Lost(Error),
    /// The host's stream failed.
    Host(Error),
}

/// Where incoming content goes.
pub struct Sink {
    stream: OutputStream,
    watch: Watch,
    permit: u64,
    /// Bytes that went in.
    pub passed: u64,
    /// Whether the content is complete and being flushed.
    flushing: bool,
}

impl Sink {
    pub fn new(stream: OutputStream) -> Self {
        Self {
            stream,
            watch: Watch::Absent,
            permit: 0,
            passed: 0,
            flushing: false,
        }
    }

    /// Moves content until it is at its end and flushed. `budget`: how many bytes may be moved.
    pub fn pump(
        &mut self,
        wire: &mut Wire,
        incoming: &mut Incoming,
        budget: &mut u64,
        now: u64,
    ) -> Result<Flow, Break> {
        while !self.flushing {
            let (framing, step) = incoming.step(wire.inbox.bytes()).map_err(Break::Refused)?;
            wire.consume(framing);
            *budget = budget.saturating_sub(framing as u64);
            match step {
                Step::End => self.begin_flush()?,
                Step::Data(_) if *budget == 0 => return Ok(Flow::Paused),
                Step::Data(count) => {
                    let count = self.room()?.min(count as u64) as usize;
                    if count == 0 {
                        return Ok(Flow::Blocked(Part::Sink));
                    }
                    wire.last_in = now;
                    if count < SMALL && wire.inbox.len() > count {
                        self.gather(wire, incoming, budget)?;
                    } else {
                        let written = self.stream.write(&wire.inbox.bytes()[..count]);
                        written.map_err(|failure| failed(&failure))?;
                        wire.consume(count);
                        self.moved(incoming, count as u64, budget);
                        self.permit -= count as u64;
                    }
                }
                Step::More => {
                    if wire.ended && incoming.ends_with_connection() {
                        self.begin_flush()?;
                    } else if wire.ended {
                        return Err(Break::Lost(error(
                            ErrorKind::Closed,
                            "the connection ended in the middle of the content",
                        )));
                    } else if *budget == 0 {
                        return Ok(Flow::Paused);
                    } else if let Some(part) = self.more(wire, incoming, budget, now)? {
                        return Ok(Flow::Blocked(part));
                    }
                }
            }
        }
        match self.stream.check_write() {
            Ok(0) => Ok(Flow::Blocked(Part::Sink)),
            Ok(_) => Ok(Flow::End),
            Err(failure) => Err(failed(&failure)),
        }
    }

    /// Passes small chunks on as one: what they cost must not grow with their number.
    fn gather(
        &mut self,
        wire: &mut Wire,
        incoming: &mut Incoming,
        budget: &mut u64,
    ) -> Result<(), Break> {
        let room = self.permit.min(CONTENT_READ as u64) as usize;
        let mut gathered = Vec::with_capacity(room.min(wire.inbox.len()));
        while gathered.len() < room {
            let step = incoming.step(wire.inbox.bytes());
            let (framing, step) = step.map_err(Break::Refused)?;
            wire.consume(framing);
            *budget = budget.saturating_sub(framing as u64);
            let Step::Data(count) = step else {
                break;
            };
            let count = count.min(room - gathered.len());
            gathered.extend_from_slice(&wire.inbox.bytes()[..count]);
            wire.consume(count);
            self.moved(incoming, count as u64, budget);
        }
        let written = self.stream.write(&gathered);
        self.permit -= gathered.len() as u64;
        written.map_err(|failure| failed(&failure))
    }

    /// Gets more content, the buffer being empty. Gives what is to be waited for.
    fn more(
        &mut self,
        wire: &mut Wire,
        incoming: &mut Incoming,
        budget: &mut u64,
        now: u64,
    ) -> Result<Option<Part>, Break> {
        // Asked for first: what has no room in the sink stays with the peer.
        if self.room()? == 0 {
            return Ok(Some(Part::Sink));
        }
        if !wire.readable {
            return Ok(Some(Part::Input));
        }
        let run = incoming.run();
        if run == 0 || incoming.ends_with_connection() {
            wire.fill(CONTENT_READ, now).map_err(Break::Lost)?;
            return Ok(None);
        }
        self.permit = 0;
        match wire.transport.splice_to(&self.stream, run.min(*budget)) {
            Ok(0) => {
                let blocked = self.room()? == 0;
                wire.readable = blocked;
                Ok(Some(if blocked { Part::Sink } else { Part::Input }))
            }
            Ok(count) => {
                wire.received += count;
                wire.last_in = now;
                self.moved(incoming, count, budget);
                Ok(None)
            }
            Err(failure) => {
                // Either side may have failed; the sink can be asked.
                self.room()?;
                match failure {
                    StreamError::Closed => wire.ended = true,
                    failure => return Err(Break::Lost(lost(failure))),
                }
                Ok(None)
            }
        }
    }

    fn moved(&mut self, incoming: &mut Incoming, count: u64, budget: &mut u64) {
        incoming.took(count);
        self.passed += count;
        *budget = budget.saturating_sub(count);
    }

    fn begin_flush(&mut self) -> Result<(), Break> {
        self.flushing = true;
        self.stream.flush().map_err(|failure| failed(&failure))
    }

    fn room(&mut self) -> Result<u64, Break> {
        if self.permit == 0 {
            let room = self.stream.check_write();
            self.permit = room.map_err(|failure| failed(&failure))?;
        }
        Ok(self.permit)
    }

    pub fn want(&mut self, interests: &mut Interests, slot: u32) {
        let stream = &self.stream;
        interests.want(slot, Part::Sink, &mut self.watch, || stream.subscribe());
    }

    pub fn woken(&mut self) {
        self.watch.spend();
    }

    /// Closes the stream.
    pub fn close(mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, Part::Sink, &mut self.watch);
    }
}

fn failed(failure: &StreamError) -> Break {
    Break::Host(error_with(
        ErrorKind::Cancelled,
        "the sink does not go on",
        &detail(failure),
    ))
}

/// Where outgoing content comes from.
pub struct Source {
    stream: InputStream,
    watch: Watch,
    /// How many bytes are to come; where that is not known, they go as chunks or till the end of the connection.
    left: Option<u64>,
    chunked: bool,
    /// Whether there may be something to read.
    readable: bool,
    /// The most bytes to hold.
    hold: usize,
}

impl Source {
    /// `length`: how many bytes there are to be, or none: in `chunked`, or as the rest of the connection.
    pub fn new(source: types::Source, length: Option<u64>, chunked: bool, hold: u32) -> Self {
        Self {
            stream: source.bytes,
            watch: Watch::Absent,
            left: length,
            chunked,
            readable: true,
            hold: (hold as usize).min(CONTENT_READ),
        }
    }

    /// Moves content until it is at its end. `budget`: how many bytes may be moved.
    pub fn pump(&mut self, wire: &mut Wire, budget: &mut u64, now: u64) -> Result<Flow, Break> {
        loop {
            wire.flush(now).map_err(Break::Lost)?;
            if !wire.outbox.is_empty() {
                return Ok(Flow::Blocked(Part::Output));
            }
            if self.left == Some(0) {
                return Ok(Flow::End);
            }
            if *budget == 0 {
                return Ok(Flow::Paused);
            }
            // Asked for first: what the peer does not take stays with the host.
            if wire.transport.room().map_err(Break::Lost)? == 0 {
                wire.wait_for_room(true, false, now);
                return Ok(Flow::Blocked(Part::Output));
            }
            wire.wait_for_room(false, false, now);
            if !self.readable {
                return Ok(Flow::Blocked(Part::Source));
            }
            match self.left {
                Some(left) => self.splice(wire, left, budget, now)?,
                None => {
                    if self.read(wire, budget)? {
                        return Ok(Flow::End);
                    }
                }
            }
        }
    }

    fn splice(
        &mut self,
        wire: &mut Wire,
        left: u64,
        budget: &mut u64,
        now: u64,
    ) -> Result<(), Break> {
        match wire.transport.splice_from(&self.stream, left.min(*budget)) {
            Ok(0) => {
                // Either side may have none; the connection can be asked.
                let room = wire.transport.room().map_err(Break::Lost)?;
                self.readable = room == 0;
            }
            Ok(count) => {
                self.left = Some(left - count);
                wire.sent += count;
                wire.wait_for_room(false, true, now);
                *budget = budget.saturating_sub(count);
            }
            Err(failure) => {
                wire.transport.room().map_err(Break::Lost)?;
                return Err(match failure {
                    StreamError::Closed => Break::Host(error(
                        ErrorKind::InvalidArgument,
                        "the source is shorter than its length",
                    )),
                    failure => unsourced(&failure),
                });
            }
        }
        Ok(())
    }

    /// Reads some; says whether that was the end.
    fn read(&mut self, wire: &mut Wire, budget: &mut u64) -> Result<bool, Break> {
        match self.stream.read(self.hold as u64) {
            Ok(bytes) if bytes.is_empty() => self.readable = false,
            Ok(bytes) => {
                *budget = budget.saturating_sub(bytes.len() as u64);
                if self.chunked {
                    let out = wire.outbox.open();
                    out.reserve(bytes.len() + chunked::OVERHEAD);
                    chunked::encode(out, &bytes);
                } else {
                    wire.outbox.append(bytes);
                }
            }
            Err(StreamError::Closed) => {
                if self.chunked {
                    wire.outbox.extend(chunked::LAST);
                }
                return Ok(true);
            }
            Err(failure) => return Err(unsourced(&failure)),
        }
        Ok(false)
    }

    /// Whether the host has more than it said, now that all of that is sent.
    pub fn surplus(&self) -> Option<Error> {
        let more =
            self.left == Some(0) && matches!(self.stream.read(1), Ok(bytes) if !bytes.is_empty());
        more.then(|| {
            error(
                ErrorKind::InvalidArgument,
                "the source is longer than its length",
            )
        })
    }

    pub fn want(&mut self, interests: &mut Interests, slot: u32) {
        let stream = &self.stream;
        interests.want(slot, Part::Source, &mut self.watch, || stream.subscribe());
    }

    pub fn woken(&mut self) {
        self.watch.spend();
        self.readable = true;
    }

    /// Closes the stream.
    pub fn close(mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, Part::Source, &mut self.watch);
    }
}

fn unsourced(failure: &StreamError) -> Break {
    Break::Host(error_with(
        ErrorKind::Cancelled,
        "the source failed",
        &detail(failure),
    ))
}
