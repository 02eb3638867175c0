//! One TCP connection with its two streams, as the host gives them: the only place where bytes of a peer come and go.
//!
//! Whether it is a control connection or a data connection is seen from its parts alone.

use crate::bindings::component::ftp::types::{Error, ErrorKind};
use crate::bindings::runner::host::tls;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::failures::{error, lost, of_tls_failure};
use crate::interests::{Interests, Part, Watch};
use alloc::vec::Vec;
use guest_kit::buffer::Buffer;

/// The parts of a control connection, and those of a data connection.
pub const CONTROL: [Part; 2] = [Part::Input, Part::Output];
pub const DATA: [Part; 2] = [Part::DataInput, Part::DataOutput];

/// What came in.
pub enum Received {
    Bytes(Vec<u8>),
    Nothing,
    End,
}

/// Fields are in the order in which they have to be dropped.
pub struct Transport {
    /// Both gone where TLS could not be begun; this side may have ended before.
    input: Option<InputStream>,
    output: Option<OutputStream>,
    _socket: TcpSocket,
    /// How much may be written without asking.
    permit: u64,
    parts: [Part; 2],
    watches: [Watch; 2],
}

impl Transport {
    pub fn new(
        socket: TcpSocket,
        input: InputStream,
        output: OutputStream,
        parts: [Part; 2],
    ) -> Self {
        Self {
            input: Some(input),
            output: Some(output),
            _socket: socket,
            permit: 0,
            parts,
            watches: [Watch::Absent; 2],
        }
    }

    /// Begins TLS as the server. What has come in and was not read yet belongs to it.
    pub fn secure(&mut self, interests: &mut Interests, slot: u32) -> Result<(), Error> {
        self.forget(interests, slot);
        self.permit = 0;
        let (Some(input), Some(output)) = (self.input.take(), self.output.take()) else {
            return Err(ended());
        };
        let (input, output) = tls::server(input, output).map_err(of_tls_failure)?;
        self.input = Some(input);
        self.output = Some(output);
        Ok(())
    }

    /// Up to `max` bytes that are there.
    pub fn receive(&mut self, max: usize) -> Result<Received, Error> {
        match self.input()?.read(max as u64) {
            Ok(bytes) if bytes.is_empty() => Ok(Received::Nothing),
            Ok(bytes) => Ok(Received::Bytes(bytes)),
            Err(StreamError::Closed) => Ok(Received::End),
            Err(failure) => Err(lost(failure)),
        }
    }

    /// Throws away up to `max` bytes; gives how many there were.
    pub fn skip(&mut self, max: u64) -> Result<u64, StreamError> {
        match &self.input {
            Some(input) => input.skip(max),
            None => Err(StreamError::Closed),
        }
    }

    /// Moves up to `max` bytes into a sink of the host.
    pub fn splice_to(&mut self, sink: &OutputStream, max: u64) -> Result<u64, StreamError> {
        match &self.input {
            Some(input) => sink.splice(input, max),
            None => Err(StreamError::Closed),
        }
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
        self.output()?.check_write().map_err(lost)
    }

    /// Writes bytes as far as there is room; gives how many.
    pub fn send(&mut self, buffer: &mut Buffer) -> Result<u64, Error> {
        let mut sent = 0;
        while !buffer.is_empty() {
            // As a whole where that can be: the lines of a reply go in one packet.
            if self.permit < buffer.len() as u64 {
                self.permit = self.ask()?;
            }
            let count = self.permit.min(buffer.len() as u64);
            if count == 0 {
                break;
            }
            let written = self.output()?.write(&buffer.bytes()[..count as usize]);
            written.map_err(lost)?;
            self.permit -= count;
            buffer.consume(count as usize);
            sent += count;
        }
        Ok(sent)
    }

    fn input(&self) -> Result<&InputStream, Error> {
        self.input.as_ref().ok_or_else(ended)
    }

    fn output(&self) -> Result<&OutputStream, Error> {
        self.output.as_ref().ok_or_else(ended)
    }

    /// Ends this side; the peer may go on. What is not drained yet is lost.
    pub fn end(&mut self, interests: &mut Interests, slot: u32) {
        interests.forget(slot, self.parts[1], &mut self.watches[1]);
        self.output = None;
    }

    pub fn want_input(&mut self, interests: &mut Interests, slot: u32) {
        if let Some(input) = &self.input {
            let watch = &mut self.watches[0];
            interests.want(slot, self.parts[0], watch, || input.subscribe());
        }
    }

    pub fn want_output(&mut self, interests: &mut Interests, slot: u32) {
        if let Some(output) = &self.output {
            let watch = &mut self.watches[1];
            interests.want(slot, self.parts[1], watch, || output.subscribe());
        }
    }

    /// The host has said that a direction is ready, and is silent about it now.
    pub fn woken(&mut self, part: Part) {
        self.watches[usize::from(part != self.parts[0])].spend();
    }

    fn forget(&mut self, interests: &mut Interests, slot: u32) {
        for (part, watch) in self.parts.iter().zip(&mut self.watches) {
            interests.forget(slot, *part, watch);
        }
    }

    /// Closes the connection.
    pub fn close(mut self, interests: &mut Interests, slot: u32) {
        self.forget(interests, slot);
    }
}

fn ended() -> Error {
    error(ErrorKind::Closed, "this side has ended")
}
