//! World `ftp-component`: FTP as a server, on sockets, files and accounts of the host.
//!
//! This file is where the generated bindings meet the rest. A component instance is entered by one call at a time, and
//! nothing here is kept outside of the resources that the host holds.

#![cfg_attr(target_arch = "wasm32", no_std)]
// On the machine that runs the tests nothing calls the parts that need a host.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

extern crate alloc;

use alloc::rc::Rc;
use core::cell::RefCell;

mod addresses;
mod answers;
mod ascii;
mod bindings;
mod channel;
mod connection;
mod exchange;
mod facts;
mod failures;
#[cfg(feature = "faults")]
mod faults;
mod handles;
mod interests;
mod journal;
mod lines;
mod listing;
mod pump;
mod reply;
mod server;
mod shared;
mod transport;
mod verbs;
mod wire;

use bindings::exports::component::ftp::{control, data_plane};
use handles::{Answerable, SessionHandle, TransferRight};
use server::Server;

struct Component;

bindings::export!(Component with_types_in bindings);

impl control::Guest for Component {
    type Session = SessionHandle;
    type Exchange = Answerable;

    fn start_server(config: control::ServerConfig) -> Result<control::Session, control::Error> {
        let server = Rc::new(RefCell::new(Server::listen(config)?));
        server.borrow_mut().begin();
        Ok(control::Session::new(SessionHandle(server)))
    }

    fn stop_server(session: control::SessionBorrow<'_>, grace: u64) {
        session.get::<SessionHandle>().0.borrow_mut().stop(grace);
    }

    fn poll_command(
        session: control::SessionBorrow<'_>,
        max: u32,
    ) -> Result<control::Batch, control::Error> {
        let shared = &session.get::<SessionHandle>().0;
        shared.borrow_mut().poll(shared, max)
    }

    fn send_response(
        exchange: control::Exchange,
        response: control::Response,
    ) -> Result<(), control::Error> {
        #[cfg(feature = "faults")]
        let response = faults::spoilt(response);
        exchange.into_inner::<Answerable>().respond(response)
    }
}

impl data_plane::Guest for Component {
    type Transfer = TransferRight;

    fn send_data(
        transfer: data_plane::Transfer,
        data: data_plane::OutgoingData,
    ) -> Result<(), data_plane::Error> {
        transfer.into_inner::<TransferRight>().send(data)
    }

    fn recv_data(
        transfer: data_plane::Transfer,
        sink: data_plane::OutputStream,
        name: Option<alloc::string::String>,
    ) -> Result<(), data_plane::Error> {
        transfer.into_inner::<TransferRight>().receive(sink, name)
    }
}
