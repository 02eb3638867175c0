//! The data connection of a control connection: how it comes about (RFC 959, 3.2 and 3.3; RFC 2428).
//!
//! It is made only to or from the client's own address. What goes over it is not known here.

use crate::addresses::{port_of, with_port, Host};
use crate::bindings::component::ftp::types::{Error, ErrorKind};
use crate::bindings::exports::component::ftp::control::PassivePorts;
use crate::bindings::wasi::random::random::get_random_u64;
use crate::bindings::wasi::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Network,
};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::failures::{error, of_socket};
use crate::interests::{Interests, Part, Watch};
use crate::transport::{Transport, DATA};

/// Ports that are tried before there is none free.
const TRIES: u64 = 64;
/// Connections of others that are turned away at once.
const STRANGERS: u32 = 16;

/// Where the data connection stands.
#[derive(Default)]
pub enum Channel {
    /// Nothing was agreed on.
    #[default]
    Absent,
    /// The client is expected here.
    Listening(TcpSocket, Watch),
    /// The client expects it there.
    Named(IpSocketAddress),
    Connecting(TcpSocket, Watch),
    Made(Transport),
}

impl Channel {
    /// Listens on a free port of a range, at the address of the control connection. Gives the port.
    pub fn listen(
        &mut self,
        network: &Network,
        local: &IpSocketAddress,
        ports: &PassivePorts,
    ) -> Result<u16, Error> {
        let count = u64::from(ports.last.saturating_sub(ports.first)) + 1;
        let first = get_random_u64() % count;
        let mut failure = error(ErrorKind::Exhausted, "no port is free");
        for offset in 0..count.min(TRIES) {
            let port = ports.first + ((first + offset) % count) as u16;
            match listener(network, &with_port(local, port), None) {
                Ok(socket) => {
                    let found = match port {
                        // Any that is free.
                        0 => port_of(&socket.local_address().map_err(of_socket)?),
                        port => port,
                    };
                    *self = Self::Listening(socket, Watch::Absent);
                    return Ok(found);
                }
                Err(ErrorCode::AddressInUse) => {}
                Err(code) => {
                    failure = of_socket(code);
                    break;
                }
            }
        }
        Err(failure)
    }

    /// Begins to connect where the client is expected to do so. Without that, there is nothing to do.
    pub fn connect(&mut self, network: &Network, local: &IpSocketAddress) -> Result<(), Error> {
        let Self::Named(remote) = self else {
            return Ok(());
        };
        let family = family(remote);
        let socket = create_tcp_socket(family).map_err(of_socket)?;
        // From the address that the client knows, where that may be had; no client can rely on it.
        if socket.start_bind(network, with_port(local, 0)).is_ok() {
            let _ = socket.finish_bind();
        }
        let begun = socket.start_connect(network, *remote);
        begun.map_err(of_socket)?;
        *self = Self::Connecting(socket, Watch::Absent);
        Ok(())
    }

    /// Goes on making it, if something has become ready. Says whether it is made.
    pub fn advance(
        &mut self,
        peer: Host,
        interests: &mut Interests,
        slot: u32,
    ) -> Result<bool, Error> {
        match self {
            // The host has not said that there is anything to be done.
            Self::Listening(_, Watch::Armed) | Self::Connecting(_, Watch::Armed) => Ok(false),
            // Who has just been told where to connect is not there yet.
            Self::Listening(_, Watch::Absent) => Ok(false),
            Self::Listening(..) => self.accept(peer, interests, slot),
            Self::Connecting(..) => self.finish_connect(interests, slot),
            Self::Made(_) => Ok(true),
            Self::Absent | Self::Named(_) => Ok(false),
        }
    }

    /// Takes the connection of the client, and turns others away.
    fn accept(&mut self, peer: Host, interests: &mut Interests, slot: u32) -> Result<bool, Error> {
        let Self::Listening(listener, watch) = self else {
            return Ok(false);
        };
        for _ in 0..STRANGERS {
            match listener.accept() {
                Ok((socket, input, output)) => {
                    let remote = socket.remote_address();
                    if !remote.is_ok_and(|remote| Host::of(&remote) == peer) {
                        // Streams go before their socket.
                        drop((input, output));
                        drop(socket);
                        continue;
                    }
                    interests.forget(slot, Part::Progress, watch);
                    *self = Self::Made(Transport::new(socket, input, output, DATA));
                    return Ok(true);
                }
                Err(ErrorCode::ConnectionAborted | ErrorCode::ConnectionReset) => {}
                Err(ErrorCode::WouldBlock) => return Ok(false),
                Err(code) => return Err(of_socket(code)),
            }
        }
        Ok(false)
    }

    fn finish_connect(&mut self, interests: &mut Interests, slot: u32) -> Result<bool, Error> {
        let Self::Connecting(socket, watch) = self else {
            return Ok(false);
        };
        let streams = match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => return Ok(false),
            streams => streams,
        };
        interests.forget(slot, Part::Progress, watch);
        let before = core::mem::take(self);
        let (input, output) = streams.map_err(of_socket)?;
        if let Self::Connecting(socket, _) = before {
            *self = Self::Made(Transport::new(socket, input, output, DATA));
        }
        Ok(true)
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The connection, once it is made.
    pub fn transport(&mut self) -> Option<&mut Transport> {
        match self {
            Self::Made(transport) => Some(transport),
            _ => None,
        }
    }

    /// Has the host say when it can go on being made.
    pub fn want_progress(&mut self, interests: &mut Interests, slot: u32) {
        if let Self::Listening(socket, watch) | Self::Connecting(socket, watch) = self {
            interests.want(slot, Part::Progress, watch, || socket.subscribe());
        }
    }

    /// The host has said that a part is ready, and is silent about it now.
    pub fn woken(&mut self, part: Part) {
        match (part, self) {
            (Part::Progress, Self::Listening(_, watch) | Self::Connecting(_, watch)) => {
                watch.spend();
            }
            (Part::DataInput | Part::DataOutput, Self::Made(transport)) => transport.woken(part),
            _ => {}
        }
    }

    /// Closes whatever there is.
    pub fn close(&mut self, interests: &mut Interests, slot: u32) {
        match core::mem::take(self) {
            Self::Listening(_socket, mut watch) | Self::Connecting(_socket, mut watch) => {
                interests.forget(slot, Part::Progress, &mut watch);
            }
            Self::Made(transport) => transport.close(interests, slot),
            Self::Absent | Self::Named(_) => {}
        }
    }
}

fn family(address: &IpSocketAddress) -> IpAddressFamily {
    match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    }
}

/// A socket that listens at an address; `backlog` is a hint to the host, which else has its own idea.
pub fn listener(
    network: &Network,
    address: &IpSocketAddress,
    backlog: Option<u64>,
) -> Result<TcpSocket, ErrorCode> {
    let socket = create_tcp_socket(family(address))?;
    socket.start_bind(network, *address)?;
    socket.finish_bind()?;
    if let Some(backlog) = backlog {
        // A host that has no such thing is none the worse.
        let _ = socket.set_listen_backlog_size(backlog.max(1));
    }
    socket.start_listen()?;
    socket.finish_listen()?;
    Ok(socket)
}
