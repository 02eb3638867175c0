//! What a peer is refused for: a status code, and the reason for people.
//!
//! The protocol modules end in these; who answers them, and whether there is anybody left to answer, is not known here.

use crate::bindings::component::http::types::{Error, ErrorKind};
use crate::failures::error;

/// Why a message can't be accepted, and the status code that says so to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub reason: &'static str,
}

impl Refusal {
    /// A message that breaks the rules of the protocol.
    pub const fn bad(reason: &'static str) -> Self {
        Self {
            status: 400,
            reason,
        }
    }

    pub const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }

    /// The same for the host.
    pub fn error(&self) -> Error {
        let kind = match self.status {
            408 => ErrorKind::Timeout,
            413 | 414 | 431 => ErrorKind::Exhausted,
            _ => ErrorKind::Protocol,
        };
        error(kind, self.reason)
    }
}
