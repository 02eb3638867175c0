//! What the host holds of a session: the session itself, commands to answer, transfers to begin.

use crate::bindings::component::ftp::types::{Error, OutgoingData};
use crate::bindings::exports::component::ftp::control::{
    GuestExchange, GuestSession, IpSocketAddress, Pollable, Response, SessionStatus,
};
use crate::bindings::exports::component::ftp::data_plane::{GuestTransfer, OutputStream};
use crate::server::Shared;
use alloc::string::String;
use guest_kit::timers::Owner;

/// Which exchange of which connection.
#[derive(Clone)]
pub struct Ticket {
    pub server: Shared,
    pub owner: Owner,
    pub exchange: u64,
}

pub struct SessionHandle(pub Shared);

impl GuestSession for SessionHandle {
    fn local_address(&self) -> IpSocketAddress {
        self.0.borrow().local_address()
    }

    fn subscribe(&self) -> Pollable {
        self.0.borrow().subscribe()
    }

    fn status(&self) -> SessionStatus {
        self.0.borrow().status()
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.0.borrow_mut().close();
    }
}

/// The right to answer; gone with the answer.
pub struct Answerable(Option<Ticket>);

impl Answerable {
    pub fn new(ticket: Ticket) -> Self {
        Self(Some(ticket))
    }

    pub fn respond(mut self, response: Response) -> Result<(), Error> {
        match self.0.take() {
            Some(ticket) => ticket.server.borrow_mut().respond(&ticket, response),
            None => Ok(()),
        }
    }
}

impl GuestExchange for Answerable {}

impl Drop for Answerable {
    fn drop(&mut self) {
        if let Some(ticket) = self.0.take() {
            ticket.server.borrow_mut().give_up(&ticket);
        }
    }
}

/// A transfer that has not begun yet.
pub struct TransferRight(Option<Ticket>);

impl TransferRight {
    pub fn new(ticket: Ticket) -> Self {
        Self(Some(ticket))
    }

    pub fn send(mut self, data: OutgoingData) -> Result<(), Error> {
        match self.0.take() {
            Some(ticket) => ticket.server.borrow_mut().send_data(&ticket, data),
            None => Ok(()),
        }
    }

    pub fn receive(mut self, sink: OutputStream, name: Option<String>) -> Result<(), Error> {
        match self.0.take() {
            Some(ticket) => ticket.server.borrow_mut().recv_data(&ticket, sink, name),
            None => Ok(()),
        }
    }
}

impl GuestTransfer for TransferRight {}

impl Drop for TransferRight {
    fn drop(&mut self) {
        if let Some(ticket) = self.0.take() {
            ticket.server.borrow_mut().unwanted(&ticket);
        }
    }
}
