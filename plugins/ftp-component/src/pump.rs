//! Data on their way between a data connection and the host, never more of them here than there is room for.
//!
//! Where bytes need not be looked at they are spliced: the host moves them by itself.

use crate::ascii::{FromWire, ToWire};
use crate::bindings::component::ftp::types::{Entry, Error, ErrorKind, OutgoingData};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::failures::{detail, error, error_with, lost};
use crate::interests::{Interests, Part, Watch};
use crate::listing::Format;
use crate::transport::{Received, Transport};
use alloc::string::String;
use alloc::vec::{self, Vec};
use guest_kit::buffer::Buffer;

/// How much is read at once, at most.
const READ: usize = 64 << 10;

/// How a pump comes to rest.
pub enum Flow {
    /// It waits for this.
    Blocked(Part),
    /// It has moved as much as it may at once.
    Paused,
    End,
}

/// Why a pump stops for good.
pub enum Fault {
    /// The data connection is lost.
    Peer(Error),
    /// The host's stream failed.
    Host(Error),
}

/// What has moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Bytes of source or sink.
    pub passed: u64,
    /// Bytes of the data connection.
    pub moved: u64,
}

enum Content {
    Inline(Vec<u8>),
    Entries(vec::IntoIter<Entry>, Format),
    Stream(Source),
}

struct Source {
    stream: InputStream,
    watch: Watch,
    /// How many bytes are to come, where that is known.
    left: Option<u64>,
    /// Whether there may be something to read.
    readable: bool,
}

/// Data for the client.
pub struct Sending {
    content: Content,
    /// Whether all of it is in the buffer, or gone.
    done: bool,
    outbox: Buffer,
    ascii: Option<ToWire>,
    hold: usize,
    pub count: Count,
}

impl Sending {
    /// `ascii`: whether ends of lines are converted; `hold`: the most bytes to hold.
    pub fn new(data: OutgoingData, format: Format, ascii: bool, hold: u32) -> Self {
        let content = match data {
            OutgoingData::Inline(bytes) => Content::Inline(bytes),
            OutgoingData::Entries(entries) => Content::Entries(entries.into_iter(), format),
            OutgoingData::Streamed(source) => Content::Stream(Source {
                stream: source.bytes,
                watch: Watch::Absent,
                left: source.length,
                readable: true,
            }),
        };
        Self {
            content,
            done: false,
            outbox: Buffer::default(),
            ascii: ascii.then(ToWire::default),
            hold: (hold as usize).min(READ),
            count: Count::default(),
        }
    }

    /// Moves data until they are at their end and gone. `budget`: how many bytes may be moved.
    pub fn pump(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<Flow, Fault> {
        loop {
            let sent = transport.send(&mut self.outbox).map_err(Fault::Peer)?;
            self.moved(0, sent, budget);
            if !self.outbox.is_empty() {
                return Ok(Flow::Blocked(Part::DataOutput));
            }
            if self.done {
                return match transport.is_drained().map_err(Fault::Peer)? {
                    true => Ok(Flow::End),
                    false => Ok(Flow::Blocked(Part::DataOutput)),
                };
            }
            if *budget == 0 {
                return Ok(Flow::Paused);
            }
            // Asked for first: what the client does not take stays with the host.
            if transport.room().map_err(Fault::Peer)? == 0 {
                return Ok(Flow::Blocked(Part::DataOutput));
            }
            match &self.content {
                Content::Stream(source) if !source.readable => {
                    return Ok(Flow::Blocked(Part::Source));
                }
                Content::Stream(_) if self.ascii.is_none() => self.splice(transport, budget)?,
                Content::Stream(_) => self.read()?,
                _ => self.render(),
            }
        }
    }

    fn moved(&mut self, passed: u64, moved: u64, budget: &mut u64) {
        self.count.passed += passed;
        self.count.moved += moved;
        *budget = budget.saturating_sub(moved);
    }

    /// Puts more of what is here already into the buffer.
    fn render(&mut self) {
        match &mut self.content {
            Content::Inline(bytes) => {
                let bytes = core::mem::take(bytes);
                self.done = true;
                self.put(bytes);
            }
            Content::Entries(entries, format) => {
                let mut text = String::new();
                while text.len() < self.hold {
                    let Some(entry) = entries.next() else {
                        self.done = true;
                        break;
                    };
                    format.write(&mut text, &entry);
                }
                // Its lines end as they should in any type.
                self.count.passed += text.len() as u64;
                self.outbox.append(text.into_bytes());
            }
            Content::Stream(_) => {}
        }
    }

    fn put(&mut self, bytes: Vec<u8>) {
        self.count.passed += bytes.len() as u64;
        let bytes = match &mut self.ascii {
            Some(way) => way.convert(&bytes),
            None => bytes,
        };
        self.outbox.append(bytes);
    }

    fn splice(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<(), Fault> {
        let Content::Stream(source) = &mut self.content else {
            return Ok(());
        };
        if source.left == Some(0) {
            return self.end();
        }
        let most = source.left.unwrap_or(u64::MAX).min(*budget);
        match transport.splice_from(&source.stream, most) {
            Ok(0) => {
                // Either side may have none; the connection can be asked.
                source.readable = transport.room().map_err(Fault::Peer)? == 0;
                Ok(())
            }
            Ok(count) => {
                source.left = source.left.map(|left| left.saturating_sub(count));
                self.moved(count, count, budget);
                Ok(())
            }
            Err(failure) => {
                transport.room().map_err(Fault::Peer)?;
                match failure {
                    StreamError::Closed => self.end(),
                    failure => Err(unsourced(&failure)),
                }
            }
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        let Content::Stream(source) = &mut self.content else {
            return Ok(());
        };
        if source.left == Some(0) {
            return self.end();
        }
        let most = source.left.unwrap_or(u64::MAX).min(self.hold as u64);
        match source.stream.read(most) {
            Ok(bytes) if bytes.is_empty() => source.readable = false,
            Ok(bytes) => {
                let count = bytes.len() as u64;
                source.left = source.left.map(|left| left.saturating_sub(count));
                self.put(bytes);
            }
            Err(StreamError::Closed) => self.end()?,
            Err(failure) => return Err(unsourced(&failure)),
        }
        Ok(())
    }

    /// The source is at its end, or has given what it promised.
    fn end(&mut self) -> Result<(), Fault> {
        let Content::Stream(source) = &self.content else {
            return Ok(());
        };
        match source.left {
            Some(0) if matches!(source.stream.read(1), Ok(bytes) if !bytes.is_empty()) => {
                Err(wrong_length("the source is longer than its length"))
            }
            None | Some(0) => {
                self.done = true;
                Ok(())
            }
            Some(_) => Err(wrong_length("the source is shorter than its length")),
        }
    }

    pub fn want(&mut self, interests: &mut Interests, slot: u32) {
        if let Content::Stream(Source { stream, watch, .. }) = &mut self.content {
            interests.want(slot, Part::Source, watch, || stream.subscribe());
        }
    }

    pub fn woken(&mut self) {
        if let Content::Stream(source) = &mut self.content {
            source.watch.spend();
            source.readable = true;
        }
    }

    /// Closes the stream.
    pub fn close(self, interests: &mut Interests, slot: u32) {
        if let Content::Stream(mut source) = self.content {
            interests.forget(slot, Part::Source, &mut source.watch);
        }
    }
}

/// Data from the client.
pub struct Receiving {
    sink: OutputStream,
    watch: Watch,
    permit: u64,
    ascii: Option<FromWire>,
    /// Converted bytes on their way into the sink.
    outbox: Buffer,
    hold: usize,
    /// Whether there may be something to read.
    readable: bool,
    /// Whether the client has ended, and whether the sink is being flushed then.
    ended: bool,
    flushing: bool,
    pub count: Count,
}

impl Receiving {
    /// `ascii`: whether ends of lines are converted; `hold`: the most bytes to hold.
    pub fn new(sink: OutputStream, ascii: bool, hold: u32) -> Self {
        Self {
            sink,
            watch: Watch::Absent,
            permit: 0,
            ascii: ascii.then(FromWire::default),
            outbox: Buffer::default(),
            hold: (hold as usize).min(READ),
            readable: true,
            ended: false,
            flushing: false,
            count: Count::default(),
        }
    }

    /// Moves data until they are at their end and flushed. `budget`: how many bytes may be moved.
    pub fn pump(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<Flow, Fault> {
        loop {
            if !self.pass_on()? {
                return Ok(Flow::Blocked(Part::Sink));
            }
            if self.flushing {
                self.permit = 0;
                return match self.room()? {
                    0 => Ok(Flow::Blocked(Part::Sink)),
                    _ => Ok(Flow::End),
                };
            }
            if self.ended {
                self.finish()?;
                continue;
            }
            if *budget == 0 {
                return Ok(Flow::Paused);
            }
            // Asked for first: what has no room in the sink stays with the client.
            if self.room()? == 0 {
                return Ok(Flow::Blocked(Part::Sink));
            }
            if !self.readable {
                return Ok(Flow::Blocked(Part::DataInput));
            }
            match self.ascii.is_some() {
                true => self.read(transport, budget)?,
                false => self.splice(transport, budget)?,
            }
        }
    }

    /// Writes what was converted; says whether that was all.
    fn pass_on(&mut self) -> Result<bool, Fault> {
        while !self.outbox.is_empty() {
            let count = self.room()?.min(self.outbox.len() as u64);
            if count == 0 {
                return Ok(false);
            }
            let written = self.sink.write(&self.outbox.bytes()[..count as usize]);
            written.map_err(|failure| unsunk(&failure))?;
            self.permit -= count;
            self.outbox.consume(count as usize);
            self.count.passed += count;
        }
        Ok(true)
    }

    /// The client has ended.
    fn finish(&mut self) -> Result<(), Fault> {
        let rest = self
            .ascii
            .as_mut()
            .map(FromWire::finish)
            .unwrap_or_default();
        if !rest.is_empty() {
            self.outbox.append(rest);
            return Ok(());
        }
        self.flushing = true;
        self.sink.flush().map_err(|failure| unsunk(&failure))
    }

    fn read(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<(), Fault> {
        match transport.receive(self.hold).map_err(Fault::Peer)? {
            Received::Bytes(bytes) => {
                self.count.moved += bytes.len() as u64;
                *budget = budget.saturating_sub(bytes.len() as u64);
                if let Some(way) = &mut self.ascii {
                    self.outbox.append(way.convert(&bytes));
                }
            }
            Received::Nothing => self.readable = false,
            Received::End => self.ended = true,
        }
        Ok(())
    }

    fn splice(&mut self, transport: &mut Transport, budget: &mut u64) -> Result<(), Fault> {
        // The host asks for room itself, so what it has said before is void.
        self.permit = 0;
        match transport.splice_to(&self.sink, *budget) {
            Ok(0) => {
                // Either side may have none; the sink can be asked.
                self.readable = self.room()? == 0;
            }
            Ok(count) => {
                self.count.passed += count;
                self.count.moved += count;
                *budget = budget.saturating_sub(count);
            }
            Err(failure) => {
                self.room()?;
                match failure {
                    StreamError::Closed => self.ended = true,
                    failure => return Err(Fault::Peer(lost(failure))),
                }
            }
        }
        Ok(())
    }

    fn room(&mut self) -> Result<u64, Fault> {
        if self.permit == 0 {
            let room = self.sink.check_write();
            self.permit = room.map_err(|failure| unsunk(&failure))?;
        }
        Ok(self.permit)
    }

    pub fn want(&mut self, interests: &mut Interests, slot: u32) {
        let sink = &self.sink;
        interests.want(slot, Part::Sink, &mut self.watch, || sink.subscribe());
    }

    /// Part of what it waits for has become ready.
    pub fn woken(&mut self, part: Part) {
        match part {
            Part::Sink => self.watch.spend(),
            _ => self.readable = true,
        }
    }

    /// Closes the stream.
    pub fn close(mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, Part::Sink, &mut self.watch);
    }
}

fn unsourced(failure: &StreamError) -> Fault {
    let kind = ErrorKind::Transient;
    Fault::Host(error_with(kind, "the source failed", &detail(failure)))
}

fn unsunk(failure: &StreamError) -> Fault {
    let kind = ErrorKind::Transient;
    Fault::Host(error_with(
        kind,
        "the sink does not go on",
        &detail(failure),
    ))
}

fn wrong_length(message: &str) -> Fault {
    Fault::Host(error(ErrorKind::Permanent, message))
}
