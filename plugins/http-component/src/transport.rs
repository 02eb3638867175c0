//! One TCP connection with its two streams, as the host gives them: the only place where bytes of a peer come and go.

use crate::bindings::component::http::types::{Error, ErrorKind};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::failures::{error, lost};
use crate::interests::{Interests, Part, Watch};
use alloc::vec::Vec;
use guest_kit::buffer::Buffer;

/// What came in.
pub enum Received {
    Bytes(Vec<u8>),
    Nothing,
    End,
}

/// Fields are in the order in which they have to be dropped.
pub struct Transport {
    input: InputStream,
    /// None when this side has ended.
    output: Option<OutputStream>,
    _socket: TcpSocket,
    /// How much may be written without asking.
    permit: u64,
    watches: [Watch; 2],
}

impl Transport {
    pub fn new(socket: TcpSocket, input: InputStream, output: OutputStream) -> Self {
        Self {
            input,
            output: Some(output),
            _socket: socket,
            permit: 0,
            watches: [Watch::Absent; 2],
        }
    }

    /// Up to `max` bytes that are there.
    pub fn receive(&mut self, max: usize) -> Result<Received, Error> {
        match self.input.read(max as u64) {
            Ok(bytes) if bytes.is_empty() => Ok(Received::Nothing),
            Ok(bytes) => Ok(Received::Bytes(bytes)),
            Err(StreamError::Closed) => Ok(Received::End),
            Err(failure) => Err(lost(failure)),
        }
    }

    /// Throws away up to `max` bytes; says whether there may be more.
    pub fn skip(&mut self, max: u64) -> Result<u64, StreamError> {
        self.input.skip(max)
    }

    /// Moves up to `max` bytes into a sink of the host.
    pub fn splice_to(&mut self, sink: &OutputStream, max: u64) -> Result<u64, StreamError> {
        sink.splice(&self.input, max)
    }

    /// Moves up to `max` bytes from a source of the host.
    pub fn splice_from(&mut self, source: &InputStream, max: u64) -> Result<u64, StreamError> {
        // The host asks for room itself, so what it has said before is void.
        self.permit = 0;
        match &self.output {
            Some(output) => output.splice(source, max),
            None => Err(StreamError::Closed),
        }
    }

    /// How many bytes can be written now.
    pub fn room(&mut self) -> Result<u64, Error> {
        if self.permit == 0 {
            self.permit = self.ask()?;
        }
        Ok(self.permit)
    }

    /// Whether all that was written has gone to the system.
    pub fn is_drained(&mut self) -> Result<bool, Error> {
        self.permit = self.ask()?;
        Ok(self.permit > 0)
    }

    fn ask(&self) -> Result<u64, Error> {
        match &self.output {
            Some(output) => output.check_write().map_err(lost),
            None => Err(error(ErrorKind::Closed, "this side has ended")),
        }
    }

    /// Writes bytes as far as there is room; gives how many.
    pub fn send(&mut self, buffer: &mut Buffer) -> Result<u64, Error> {
        let mut sent = 0;
        while !buffer.is_empty() {
            // As a whole where that can be: a head and a small content go in one packet.
            if self.permit < buffer.len() as u64 {
                self.permit = self.ask()?;
            }
            let count = self.permit.min(buffer.len() as u64);
            if count == 0 {
                break;
            }
            let output = self.output.as_ref();
            let output = output.ok_or_else(|| error(ErrorKind::Closed, "this side has ended"))?;
            let written = output.write(&buffer.bytes()[..count as usize]);
            written.map_err(lost)?;
            self.permit -= count;
            buffer.consume(count as usize);
            sent += count;
        }
        Ok(sent)
    }

    /// Ends this side; the peer may go on. What is not drained yet is lost.
    pub fn end(&mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, Part::Output, &mut self.watches[1]);
        self.output = None;
    }

    pub fn want_input(&mut self, interests: &mut Interests, slot: u32) {
        interests.want(slot, Part::Input, &mut self.watches[0], || {
            self.input.subscribe()
        });
    }

    pub fn want_output(&mut self, interests: &mut Interests, slot: u32) {
        if let Some(output) = &self.output {
            interests.want(slot, Part::Output, &mut self.watches[1], || {
                output.subscribe()
            });
        }
    }

    /// The host has said that a direction is ready, and is silent about it now.
    pub fn woken(&mut self, part: Part) {
        self.watches[usize::from(part != Part::Input)].spend();
    }

    /// Closes the connection.
    pub fn close(mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, Part::Input, &mut self.watches[0]);
        self.end(interests, slot);
    }
}
