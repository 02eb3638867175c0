//! A listening socket and its connections: who has work is found by what the host says is ready, and never by a search.

use crate::bindings::component::http::types::{Error, ErrorKind, Scheme};
use crate::bindings::exports::component::http::server::{
    Batch, Connection as Opened, Exchange, IpSocketAddress, ListenConfig, ListenerStatus, Request,
    RequestBody, RequestContent, Response,
};
use crate::bindings::runner::host::tls;
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream};
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::connection::Connection;
use crate::failures::{error, of_socket, of_tls_failure};
use crate::handles::{Body, Ticket};
use crate::interests::{Ready, Watch};
use crate::journal::Trouble;
use crate::shared::{Core, Event, Offer};
use crate::transport::Transport;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use guest_kit::timers::Owner;

/// How long accepting rests where the host has no sockets left, in nanoseconds.
const REST: u64 = 50_000_000;

/// A listener that its handles share.
pub type Shared = Rc<RefCell<Server>>;

pub struct Server {
    core: Core,
    connections: Vec<Option<Box<Connection>>>,
    free: Vec<u32>,
    open: u32,
    next: u64,
    /// None when it listens no more.
    socket: Option<TcpSocket>,
    watch: Watch,
    /// Whether there may be a connection to accept.
    acceptable: bool,
    scheme: Scheme,
    address: IpSocketAddress,
    /// Whether accepting, and TLS, are in trouble.
    accepting: Trouble,
    securing: Trouble,
}

impl Server {
    pub fn listen(config: ListenConfig) -> Result<Self, Error> {
        check(&config)?;
        let socket = bound(&config)?;
        let address = socket.local_address().map_err(of_socket)?;
        Ok(Self {
            core: Core::new(config.limits, config.timeouts),
            connections: Vec::new(),
            free: Vec::new(),
            open: 0,
            next: 1,
            socket: Some(socket),
            watch: Watch::Absent,
            acceptable: true,
            scheme: config.scheme,
            address,
            accepting: Trouble::default(),
            securing: Trouble::default(),
        })
    }

    /// Begins to wait for connections.
    pub fn begin(&mut self) {
        self.acceptable = false;
        self.await_connections();
    }

    pub fn local_address(&self) -> IpSocketAddress {
        self.address
    }

    pub fn subscribe(&self) -> Pollable {
        self.core.interests.subscribe()
    }

    pub fn status(&self) -> ListenerStatus {
        ListenerStatus {
            connections: self.open,
            exchanges: self.core.exchanges,
            stopping: self.core.stopping,
        }
    }

    // Work

    /// Does what is due, and gives what has happened. `shared` is this listener, for the handles of requests.
    pub fn accept(&mut self, shared: &Shared, max: u32) -> Result<Batch, Error> {
        if max == 0 {
            return Err(error(ErrorKind::InvalidArgument, "a batch of 0"));
        }
        self.core.read_clock();
        let mut failure = None;
        // Who does not take what has happened gets no more of it.
        if self.core.untold() < max as usize {
            failure = self.work(max).err();
        }
        if let Some(failure) = failure {
            self.core.settle();
            return Err(failure);
        }
        let batch = self.deliver(shared, max);
        self.core.settle();
        Ok(batch)
    }

    fn work(&mut self, max: u32) -> Result<(), Error> {
        for owner in core::mem::take(&mut self.core.again) {
            self.with(owner, Connection::drive);
        }
        for key in self.core.interests.take(max) {
            match self.core.interests.read(key) {
                Ready::Part(slot, part) => {
                    self.at(slot, |connection, core| {
                        connection.woken(part);
                        connection.drive(core);
                    });
                }
                Ready::Itself => {
                    self.watch.spend();
                    self.acceptable = true;
                }
                Ready::Alarm => {}
            }
        }
        let connections = &self.connections;
        self.core.timers.prune(self.open as usize, |owner| {
            let found = connections.get(owner.slot as usize);
            found.is_some_and(|place| place.as_ref().is_some_and(|found| found.owner == owner))
        });
        while let Some((entry, owner)) = self.core.timers.due(self.core.now) {
            self.with(owner, |connection, core| connection.review(core, entry));
        }
        while !self.core.is_full() {
            let Some(owner) = self.core.stalled.pop_front() else {
                break;
            };
            self.with(owner, Connection::drive);
        }
        if self.core.cut_at <= self.core.now {
            self.core.cut_at = guest_kit::timers::NEVER;
            self.close_all();
        }
        self.welcome(max)
    }

    fn at(&mut self, slot: u32, work: impl FnOnce(&mut Connection, &mut Core)) {
        let Some(place) = self.connections.get_mut(slot as usize) else {
            return;
        };
        let Some(connection) = place else {
            return;
        };
        work(connection, &mut self.core);
        if connection.is_closed() {
            if let Some(connection) = place.take() {
                connection.close(&mut self.core);
                self.free.push(slot);
                self.open -= 1;
            }
        }
    }

    fn with(&mut self, owner: Owner, work: impl FnOnce(&mut Connection, &mut Core)) {
        self.at(owner.slot, |connection, core| {
            if connection.owner == owner {
                work(connection, core);
            }
        });
    }

    /// Accepts connections, at most `max`.
    fn welcome(&mut self, max: u32) -> Result<(), Error> {
        if self
            .core
            .rests_until
            .is_some_and(|until| until <= self.core.now)
        {
            self.core.rests_until = None;
        }
        let mut left = max;
        while self.acceptable
            && self.open < self.core.limits.connections
            && self.core.rests_until.is_none()
        {
            let Some(socket) = &self.socket else {
                return Ok(());
            };
            if left == 0 {
                // The rest with the next call, which the host is told to make.
                self.acceptable = false;
                break;
            }
            left -= 1;
            match socket.accept() {
                Ok((socket, input, output)) => self.open(socket, input, output),
                Err(ErrorCode::WouldBlock) => {
                    self.acceptable = false;
                    self.accepting.ends();
                }
                Err(ErrorCode::ConnectionAborted | ErrorCode::ConnectionReset) => {}
                Err(code) => {
                    self.core.rests_until = Some(self.core.now + REST);
                    let failure = of_socket(code);
                    self.accepting.begins("connections have to wait", &failure);
                    if !matches!(code, ErrorCode::NewSocketLimit | ErrorCode::OutOfMemory) {
                        return Err(failure);
                    }
                }
            }
        }
        self.await_connections();
        Ok(())
    }

    /// Waits for connections, unless it is known that there are some for which there is no room yet.
    fn await_connections(&mut self) {
        if let (false, Some(socket)) = (self.acceptable, &self.socket) {
            let interests = &mut self.core.interests;
            interests.want_itself(&mut self.watch, || socket.subscribe());
        }
    }

    fn open(&mut self, socket: TcpSocket, input: InputStream, output: OutputStream) {
        let (Ok(peer), Ok(local)) = (socket.remote_address(), socket.local_address()) else {
            // It is gone already. Streams go before their socket.
            drop((input, output));
            return;
        };
        let streams = match self.scheme {
            Scheme::Http => Ok((input, output)),
            Scheme::Https => tls::server(input, output),
        };
        let (input, output) = match streams {
            Ok(streams) => streams,
            Err(failure) => {
                let failure = of_tls_failure(failure);
                self.securing
                    .begins("connections are closed for want of TLS", &failure);
                return;
            }
        };
        self.securing.ends();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() as u32 - 1
        });
        let owner = Owner {
            slot,
            id: self.next,
        };
        self.next += 1;
        self.open += 1;
        let opened = Opened {
            id: owner.id,
            peer,
            local,
        };
        self.core.tell(Event::Opened(Box::new(opened)));
        let transport = Transport::new(socket, input, output);
        let connection = Connection::new(owner, transport, self.core.now);
        self.connections[slot as usize] = Some(Box::new(connection));
        self.at(slot, |connection, core| connection.drive(core));
    }

    /// What has happened, in its order, at most `max` of each sort.
    fn deliver(&mut self, shared: &Shared, max: u32) -> Batch {
        let mut batch = Batch {
            opened: Vec::new(),
            requests: Vec::new(),
            bodies: Vec::new(),
            reports: Vec::new(),
            closed: Vec::new(),
            more: false,
        };
        let max = max as usize;
        while let Some(event) = self.core.next_event(|event| fits(&batch, event, max)) {
            match event {
                Event::Opened(opened) => batch.opened.push(*opened),
                Event::Request(offer) => batch.requests.push(request(shared, *offer)),
                Event::Body(end) => batch.bodies.push(end),
                Event::Report(report) => batch.reports.push(*report),
                Event::Closed(id) => batch.closed.push(id),
            }
        }
        batch.more = self.core.untold() > 0 || self.core.has_more();
        batch
    }

    // The host

    pub fn respond(&mut self, ticket: &Ticket, response: Response) -> Result<(), Error> {
        self.serve(ticket, |connection, core| {
            connection.respond(core, ticket.exchange, response)
        })
    }

    pub fn receive(&mut self, ticket: &Ticket, sink: OutputStream) -> Result<(), Error> {
        self.serve(ticket, |connection, core| {
            connection.receive(core, ticket.exchange, sink)
        })
    }

    pub fn give_up(&mut self, ticket: &Ticket) {
        let _ = self.serve(ticket, |connection, core| {
            connection.give_up(core, ticket.exchange);
            Ok(())
        });
    }

    pub fn unwanted(&mut self, ticket: &Ticket) {
        let _ = self.serve(ticket, |connection, core| {
            connection.unwanted(core, ticket.exchange);
            Ok(())
        });
    }

    fn serve(
        &mut self,
        ticket: &Ticket,
        work: impl FnOnce(&mut Connection, &mut Core) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.core.read_clock();
        let mut outcome = Err(error(ErrorKind::Closed, "the client has gone"));
        self.with(ticket.owner, |connection, core| {
            outcome = work(connection, core)
        });
        self.core.settle();
        outcome
    }

    /// Accepts no more, closes what is idle, and everything when `grace` nanoseconds have passed.
    pub fn stop(&mut self, grace: u64) {
        self.core.read_clock();
        let cut_at = self.core.now.saturating_add(grace);
        self.core.cut_at = self.core.cut_at.min(cut_at);
        if !self.core.stopping {
            self.core.stopping = true;
            self.core.interests.forget_itself(&mut self.watch);
            self.socket = None;
            for slot in 0..self.connections.len() as u32 {
                self.at(slot, |connection, core| connection.stop_soon(core));
            }
        }
        self.core.settle();
    }

    /// Closes all connections at once.
    pub fn close_all(&mut self) {
        for slot in 0..self.connections.len() as u32 {
            self.at(slot, |connection, core| {
                let reason = error(ErrorKind::Cancelled, "the listener was stopped");
                connection.cut(core, reason);
            });
        }
    }

    /// Ends it all, what has happened included.
    pub fn close(&mut self) {
        self.core.stopping = true;
        self.core.interests.forget_itself(&mut self.watch);
        self.socket = None;
        self.close_all();
    }
}

/// Whether a batch has room for one more of a sort.
fn fits(batch: &Batch, event: &Event, max: usize) -> bool {
    let length = match event {
        Event::Opened(_) => batch.opened.len(),
        Event::Request(_) => batch.requests.len(),
        Event::Body(_) => batch.bodies.len(),
        Event::Report(_) => batch.reports.len(),
        Event::Closed(_) => batch.closed.len(),
    };
    length < max
}

/// The request with its handles.
fn request(shared: &Shared, offer: Offer) -> Request {
    let ticket = Ticket {
        server: shared.clone(),
        owner: offer.owner,
        exchange: offer.exchange,
    };
    let content = match offer.content {
        Some(content) => RequestContent::Inline(content),
        None => RequestContent::Streamed(RequestBody::new(Body::new(ticket.clone()))),
    };
    Request {
        exchange: Exchange::new(crate::handles::Answerable::new(ticket)),
        id: offer.exchange,
        connection: offer.owner.id,
        method: offer.method,
        authority: offer.authority,
        path: offer.path,
        query: offer.query,
        version: offer.version,
        fields: offer.fields,
        content,
    }
}

fn check(config: &ListenConfig) -> Result<(), Error> {
    let limits = &config.limits;
    let least = [
        limits.connections,
        limits.exchanges,
        limits.request_line,
        limits.header_bytes,
        limits.header_fields,
        limits.inline_content,
        limits.stream_buffer,
        limits.requests,
    ];
    if least.contains(&0) || limits.content == 0 {
        return Err(error(ErrorKind::InvalidArgument, "a limit of 0"));
    }
    let times = &config.timeouts;
    if [times.header, times.content, times.send, times.idle].contains(&0) {
        return Err(error(ErrorKind::InvalidArgument, "a time-out of 0"));
    }
    Ok(())
}

fn bound(config: &ListenConfig) -> Result<TcpSocket, Error> {
    let family = match config.address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    };
    let socket = create_tcp_socket(family).map_err(of_socket)?;
    socket
        .start_bind(&instance_network(), config.address)
        .map_err(of_socket)?;
    socket.finish_bind().map_err(of_socket)?;
    // A hint: a host that has no such thing is none the worse.
    let _ = socket.set_listen_backlog_size(u64::from(config.backlog.max(1)));
    socket.start_listen().map_err(of_socket)?;
    socket.finish_listen().map_err(of_socket)?;
    Ok(socket)
}
