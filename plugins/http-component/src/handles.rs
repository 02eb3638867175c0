//! What the host holds of a listener: the listener itself, exchanges to answer, contents to receive.

use crate::bindings::component::http::types::Error;
use crate::bindings::exports::component::http::server::{
    GuestExchange, GuestListener, GuestRequestBody, IpSocketAddress, ListenerStatus, OutputStream,
    Pollable, Response,
};
use crate::listener::Shared;
use guest_kit::timers::Owner;

/// Which exchange of which connection.
#[derive(Clone)]
pub struct Ticket {
    pub server: Shared,
    pub owner: Owner,
    pub exchange: u64,
}

pub struct Listener(pub Shared);

impl GuestListener for Listener {
    fn local_address(&self) -> IpSocketAddress {
        self.0.borrow().local_address()
    }

    fn subscribe(&self) -> Pollable {
        self.0.borrow().subscribe()
    }

    fn status(&self) -> ListenerStatus {
        self.0.borrow().status()
    }
}

impl Drop for Listener {
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
        #[cfg(feature = "faults")]
        let response = crate::faults::spoilt(response);
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

/// Content that has not been received yet.
pub struct Body(Option<Ticket>);

impl Body {
    pub fn new(ticket: Ticket) -> Self {
        Self(Some(ticket))
    }

    pub fn receive(mut self, sink: OutputStream) -> Result<(), Error> {
        match self.0.take() {
            Some(ticket) => ticket.server.borrow_mut().receive(&ticket, sink),
            None => Ok(()),
        }
    }
}

impl GuestRequestBody for Body {}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(ticket) = self.0.take() {
            ticket.server.borrow_mut().unwanted(&ticket);
        }
    }
}
