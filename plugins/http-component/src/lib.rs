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

mod agent;
mod answer;
mod ask;
mod bindings;
mod chunked;
mod connection;

mod date;
mod failures;
#[cfg(feature = "faults")]
mod faults;
mod fields;
mod framing;
mod handles;
mod head;
mod incoming;
mod interests;
mod journal;
mod listener;
mod pending;
mod pump;
mod refusal;
mod reply;
mod scan;
mod shared;
mod target;
mod transport;
mod upstream;
mod wire;

use bindings::exports::component::http::{client, server};
use handles::{Answerable, Body, Listener};
use listener::Server;
use pending::{AgentHandle, Content, Pending};

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

impl client::Guest for Component {
    type Agent = AgentHandle;
    type Pending = Pending;
    type ResponseBody = Content;

    fn send(
        agent: client::AgentBorrow<'_>,
        request: client::Request,
    ) -> Result<client::Pending, client::Error> {
        let agent = agent.get::<AgentHandle>().0.clone();
        let id = agent.borrow_mut().send(request)?;
        Ok(client::Pending::new(Pending { agent, id }))
    }

    fn poll_response(
        agent: client::AgentBorrow<'_>,
        max: u32,
    ) -> Result<client::Batch, client::Error> {
        let shared = &agent.get::<AgentHandle>().0;
        shared.borrow_mut().poll(shared, max)
    }

    fn receive(
        body: client::ResponseBody,
        sink: client::OutputStream,
    ) -> Result<(), client::Error> {
        body.into_inner::<Content>().receive(sink)
    }
}
