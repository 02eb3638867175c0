//! A session: the listening socket and its control connections. Who has work is found by what the host says is ready,
//! and never by a search.

use crate::addresses::Host;
use crate::bindings::component::ftp::types::{Error, ErrorKind, OutgoingData};
use crate::bindings::exports::component::ftp::control::{
    Action, Batch, Command, Connection as Opened, Exchange, IpSocketAddress, Listing, Response,
    Retrieval, ServerConfig, SessionStatus, Storing,
};
use crate::bindings::exports::component::ftp::data_plane::{OutputStream, Transfer};
use crate::bindings::wasi::io::poll::Pollable;
use crate::bindings::wasi::io::streams::InputStream;
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::network::ErrorCode;
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::channel::listener;
use crate::connection::Connection;
use crate::failures::{error, of_socket};
use crate::handles::{Answerable, Ticket, TransferRight};
use crate::interests::{Ready, Watch};
use crate::journal::Trouble;
use crate::shared::{Core, Event, Offer, Question};
use crate::transport::{Transport, CONTROL};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use guest_kit::timers::{Owner, NEVER};

/// How long accepting rests where the host has no sockets left, in nanoseconds.
const REST: u64 = 50_000_000;
const FULL: &[u8] = b"421 There are too many connections.\r\n";

/// A session that its handles share.
pub type Shared = Rc<RefCell<Server>>;

pub struct Server {
    core: Core,
    connections: Vec<Option<Box<Connection>>>,
    free: Vec<u32>,
    open: u32,
    /// How many of them each client has.
    peers: BTreeMap<Host, u32>,
    next: u64,
    /// None when it listens no more.
    socket: Option<TcpSocket>,
    watch: Watch,
    /// Whether there may be a connection to accept.
    acceptable: bool,
    address: IpSocketAddress,
    /// Whether accepting is in trouble.
    accepting: Trouble,
}

impl Server {
    pub fn listen(config: ServerConfig) -> Result<Self, Error> {
        check(&config)?;
        let network = instance_network();
        let backlog = Some(u64::from(config.backlog));
        let socket = listener(&network, &config.address, backlog).map_err(of_socket)?;
        let address = socket.local_address().map_err(of_socket)?;
        Ok(Self {
            core: Core::new(config, network),
            connections: Vec::new(),
            free: Vec::new(),
            open: 0,
            peers: BTreeMap::new(),
            next: 1,
            socket: Some(socket),
            watch: Watch::Absent,
            acceptable: false,
            address,
            accepting: Trouble::default(),
        })
    }

    /// Begins to wait for connections.
    pub fn begin(&mut self) {
        self.await_connections();
    }

    pub fn local_address(&self) -> IpSocketAddress {
        self.address
    }

    pub fn subscribe(&self) -> Pollable {
        self.core.interests.subscribe()
    }

    pub fn status(&self) -> SessionStatus {
        SessionStatus {
            connections: self.open,
            transfers: self.core.transfers,
            stopping: self.core.stopping,
        }
    }

    // Work

    /// Does what is due, and gives what has happened. `shared` is this session, for the handles of commands.
    pub fn poll(&mut self, shared: &Shared, max: u32) -> Result<Batch, Error> {
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
        if self.core.cut_at <= self.core.now {
            self.core.cut_at = NEVER;
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
                let peer = connection.peer;
                connection.close(&mut self.core);
                self.free.push(slot);
                self.open -= 1;
                self.part_from(peer);
            }
        }
    }

    fn part_from(&mut self, peer: Host) {
        if let Some(count) = self.peers.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.peers.remove(&peer);
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
        let now = self.core.now;
        if self.core.rests_until.is_some_and(|until| until <= now) {
            self.core.rests_until = None;
        }
        let mut left = max;
        while self.acceptable && self.core.rests_until.is_none() {
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
                    self.core.rests_until = Some(now.saturating_add(REST));
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

    /// Waits for connections, unless it is known that there are some.
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
        let host = Host::of(&peer);
        let count = self.peers.get(&host).copied().unwrap_or(0);
        let limits = &self.core.settings.limits;
        if self.open >= limits.connections || count >= limits.connections_per_peer {
            if matches!(output.check_write(), Ok(room) if room >= FULL.len() as u64) {
                let _ = output.write(FULL);
            }
            drop((input, output));
            return;
        }
        self.peers.insert(host, count + 1);
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
        let transport = Transport::new(socket, input, output, CONTROL);
        let connection = Connection::new(owner, &opened, transport, &self.core);
        self.connections[slot as usize] = Some(Box::new(connection));
        self.at(slot, |connection, core| connection.drive(core));
    }

    /// What has happened, in its order, at most `max` of each sort.
    fn deliver(&mut self, shared: &Shared, max: u32) -> Batch {
        let mut batch = Batch {
            opened: Vec::new(),
            commands: Vec::new(),
            transfers: Vec::new(),
            reports: Vec::new(),
            closed: Vec::new(),
            more: false,
        };
        let max = max as usize;
        while let Some(event) = self.core.next_event(|event| fits(&batch, event, max)) {
            match event {
                Event::Opened(opened) => batch.opened.push(*opened),
                Event::Command(offer) => batch.commands.push(command(shared, *offer)),
                Event::Transfer(end) => batch.transfers.push(end),
                Event::Report(report) => batch.reports.push(*report),
                Event::Closed(end) => batch.closed.push(end),
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

    pub fn give_up(&mut self, ticket: &Ticket) {
        let _ = self.serve(ticket, |connection, core| {
            connection.give_up(core, ticket.exchange);
            Ok(())
        });
    }

    pub fn send_data(&mut self, ticket: &Ticket, data: OutgoingData) -> Result<(), Error> {
        self.serve(ticket, |connection, core| {
            connection.send_data(core, ticket.exchange, data)
        })
    }

    pub fn recv_data(
        &mut self,
        ticket: &Ticket,
        sink: OutputStream,
        name: Option<String>,
    ) -> Result<(), Error> {
        self.serve(ticket, |connection, core| {
            connection.recv_data(core, ticket.exchange, sink, name)
        })
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
                self.at(slot, |connection, core| connection.drive(core));
            }
        }
        self.core.settle();
    }

    /// Closes all connections at once.
    fn close_all(&mut self) {
        for slot in 0..self.connections.len() as u32 {
            self.at(slot, |connection, core| {
                let reason = error(ErrorKind::Cancelled, "the server was stopped");
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
        Event::Command(_) => batch.commands.len(),
        Event::Transfer(_) => batch.transfers.len(),
        Event::Report(_) => batch.reports.len(),
        Event::Closed(_) => batch.closed.len(),
    };
    length < max
}

/// The command with its handles.
fn command(shared: &Shared, offer: Offer) -> Command {
    let ticket = Ticket {
        server: shared.clone(),
        owner: offer.owner,
        exchange: offer.exchange,
    };
    let transfer = |ticket: &Ticket| Transfer::new(TransferRight::new(ticket.clone()));
    let action = match offer.question {
        Question::Plain(action) => action,
        Question::Retrieve(path, offset) => Action::Retrieve(Retrieval {
            path,
            offset,
            data: transfer(&ticket),
        }),
        Question::Store(path, mode, offset) => Action::Store(Storing {
            path,
            mode,
            offset,
            data: transfer(&ticket),
        }),
        Question::List(path, style) => Action::Enumerate(Listing {
            path,
            style,
            data: transfer(&ticket),
        }),
    };
    Command {
        exchange: Exchange::new(Answerable::new(ticket)),
        id: offer.exchange,
        connection: offer.owner.id,
        action,
    }
}

fn check(config: &ServerConfig) -> Result<(), Error> {
    let limits = &config.limits;
    let least = [
        limits.connections,
        limits.connections_per_peer,
        limits.command_line,
        limits.login_attempts,
        limits.inline_data,
        limits.stream_buffer,
    ];
    let times = &config.timeouts;
    let ports = config.passive.as_ref();
    let reason = if least.contains(&0) {
        "a limit of 0"
    } else if [
        times.login,
        times.idle,
        times.data_connection,
        times.transfer,
        times.reply,
    ]
    .contains(&0)
    {
        "a time-out of 0"
    } else if ports.is_some_and(|ports| ports.first == 0 || ports.last < ports.first) {
        "a range of ports that is none"
    } else {
        return Ok(());
    };
    Err(error(ErrorKind::InvalidArgument, reason))
}
