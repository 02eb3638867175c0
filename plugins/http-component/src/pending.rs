//! What the host holds of an agent: the agent itself, requests under way, contents to receive.

use crate::agent::{Agent, SharedAgent};
use crate::bindings::exports::component::http::client::{
    self, AgentConfig, Error, GuestAgent, GuestPending, GuestResponseBody, OutputStream, Pollable,
};
use alloc::rc::Rc;
use core::cell::RefCell;
use guest_kit::timers::Owner;

/// Which exchange of which connection.
pub struct Ticket {
    pub agent: SharedAgent,
    pub owner: Owner,
    pub exchange: u64,
}

pub struct AgentHandle(pub SharedAgent);

impl GuestAgent for AgentHandle {
    fn open(config: AgentConfig) -> Result<client::Agent, Error> {
        let agent = Agent::open(config)?;
        Ok(client::Agent::new(Self(Rc::new(RefCell::new(agent)))))
    }

    fn subscribe(&self) -> Pollable {
        self.0.borrow().subscribe()
    }
}

impl Drop for AgentHandle {
    fn drop(&mut self) {
        self.0.borrow_mut().close();
    }
}

/// A request under way.
pub struct Pending {
    pub agent: SharedAgent,
    pub id: u64,
}

impl GuestPending for Pending {
    fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.agent.borrow_mut().call_off(self.id);
    }
}

/// Content that has not been received yet.
pub struct Content(Option<Ticket>);

impl Content {
    pub fn new(ticket: Ticket) -> Self {
        Self(Some(ticket))
    }

    pub fn receive(mut self, sink: OutputStream) -> Result<(), Error> {
        match self.0.take() {
            Some(ticket) => ticket.agent.borrow_mut().receive(&ticket, sink),
            None => Ok(()),
        }
    }
}

impl GuestResponseBody for Content {}

impl Drop for Content {
    fn drop(&mut self) {
        if let Some(ticket) = self.0.take() {
            ticket.agent.borrow_mut().unwanted(&ticket);
        }
    }
}
