//! World `http-component`: HTTP/1.1 as a server and as a client, on sockets of the host.
//!
//! This file is where the generated bindings meet the rest. A component instance is entered by one call at a time, and
//! nothing here is kept outside of the resources that the host holds.

#![cfg_attr(target_arch = "wasm32", no_std)]
// On the machine that runs the tests nothing calls the parts that need a host.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

extern crate alloc;

use alloc::rc::Rc;
use core::cell::RefCell;

mod answer;
mod bindings;
mod buffer;
mod chunked;
mod connection;

mod date;
mod fields;
mod framing;
mod handles;
mod head;
mod incoming;
mod interests;
mod listener;
mod pump;
mod refusal;
#[cfg(target_arch = "wasm32")]
mod rt;
mod scan;
mod shared;
mod target;
mod timers;
mod transport;
mod wire;

use bindings::exports::component::http::server;
use handles::{Answerable, Body, Listener};
use listener::Server;

struct Component;

bindings::export!(Component with_types_in bindings);

impl server::Guest for Component {
    type Listener = Listener;
    type Exchange = Answerable;
    type RequestBody = Body;

    fn start_listen(config: server::ListenConfig) -> Result<server::Listener, server::Error> {
        let server = Rc::new(RefCell::new(Server::listen(config)?));
        server.borrow_mut().begin();
        Ok(server::Listener::new(Listener(server)))
    }

    fn stop_listen(listener: server::ListenerBorrow<'_>, grace: u64) {
        listener.get::<Listener>().0.borrow_mut().stop(grace);
    }

    fn accept(
        listener: server::ListenerBorrow<'_>,
        max: u32,
    ) -> Result<server::Batch, server::Error> {
        let shared = &listener.get::<Listener>().0;
        shared.borrow_mut().accept(shared, max)
    }

    fn receive(body: server::RequestBody, sink: server::OutputStream) -> Result<(), server::Error> {
        body.into_inner::<Body>().receive(sink)
    }

    fn respond(
        exchange: server::Exchange,
        response: server::Response,
    ) -> Result<(), server::Error> {
        exchange.into_inner::<Answerable>().respond(response)
    }
}

/// The client is not there yet: no agent can be opened.
mod client_absent {
    use crate::bindings::component::http::types::ErrorKind;
    use crate::bindings::exports::component::http::client::*;
    use crate::refusal::error;

    pub enum Never {}

    impl GuestAgent for Never {
        fn open(_: AgentConfig) -> Result<Agent, Error> {
            Err(error(ErrorKind::Permanent, "there is no client yet"))
        }

        fn subscribe(&self) -> Pollable {
            match *self {}
        }
    }

    impl GuestPending for Never {
        fn id(&self) -> u64 {
            match *self {}
        }
    }

    impl GuestResponseBody for Never {}

    impl Guest for super::Component {
        type Agent = Never;
        type Pending = Never;
        type ResponseBody = Never;

        fn send(agent: AgentBorrow<'_>, _: Request) -> Result<Pending, Error> {
            match *agent.get::<Never>() {}
        }

        fn poll_response(agent: AgentBorrow<'_>, _: u32) -> Result<Batch, Error> {
            match *agent.get::<Never>() {}
        }

        fn receive(body: ResponseBody, _: OutputStream) -> Result<(), Error> {
            match body.into_inner::<Never>() {}
        }
    }
}
