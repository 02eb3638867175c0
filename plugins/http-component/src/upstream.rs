//! One connection of a client: from the name of a server over its addresses to a connection that carries one request
//! after the other.
//!
//! Whom it serves next is for `agent`; here is what it does with the request that it has.

mod calling;
mod connecting;
mod waiting;

use crate::ask::{Job, Origin};
use crate::bindings::component::http::types::{Error, ErrorKind, Field, Version};
use crate::bindings::exports::component::http::client::{Limits, Timeouts};
use crate::bindings::runner::host::tls;
use crate::bindings::wasi::io::streams::OutputStream;
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::{resolve_addresses, ResolveAddressStream};
use crate::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::bindings::wasi::sockets::tcp::TcpSocket;
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::chunked::Step;
use crate::failures::{error, of_socket, of_tls_failure};
use crate::framing::Framing;
use crate::incoming::Incoming;
use crate::interests::{Interests, Part, Watch};
use crate::pump::{Break, Flow, Sink, Source};
use crate::refusal::Refusal;
use crate::reply::parse_reply;
use crate::scan::{HeadLimits, Progress, Scan};
use crate::transport::Transport;
use crate::wire::{Wire, CONTENT_READ, HEAD_READ};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use guest_kit::timers::{Deadline, Owner, Timers, NEVER};

/// Bytes that one connection may move before others have their turn.
const BUDGET: u64 = 512 << 10;
/// Bytes of content that nobody wants which are read rather than the connection closed.
const DISCARD: u64 = 64 << 10;
/// Responses before the final one (1xx) that a server may send.
const INTERIM: u32 = 32;

/// What the connections of an agent share.
pub struct Shared {
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub head: HeadLimits,
    pub interests: Interests,
    pub timers: Timers,
    pub now: u64,
    pub events: VecDeque<Event>,
    /// Connections that have more work than could be done at once.
    pub again: Vec<Owner>,
}

/// A response before it has handles.
pub struct Arrived {
    pub status: u16,
    pub version: Version,
    pub fields: Vec<Field>,
    /// None: it is a stream.
    pub content: Option<Vec<u8>>,
}

pub enum Event {
    Arrival(u64, Owner, Result<Box<Arrived>, Error>),
    Body(u64, Result<u64, Error>),
}

enum Phase {
    Lookup(ResolveAddressStream, Watch),
    Connecting(TcpSocket, Watch),
    /// Connected; TLS may not have begun yet.
    Greeting,
    Open,
    Closed,
}

enum Reply {
    Head,
    /// The content is small: the response waits until it is all here.
    Collecting(Box<Arrived>, usize),
    /// The host has not said where the content is to go.
    Offered,
    Flowing(Sink),
    /// Nobody wants the content; how much of it is still read.
    Discarding(u64),
    Done,
}

/// The request that a connection has.
struct Call {
    id: u64,
    head: bool,
    persistent: bool,
    deadline: u64,
    source: Option<Source>,
    reply: Reply,
    incoming: Incoming,
    interim: u32,
    /// Whether the host has been told how it came out.
    told: bool,
    /// When the request was sent; none until it is.
    sent_at: Option<u64>,
}

pub struct Upstream {
    pub owner: Owner,
    pub origin: Origin,
    phase: Phase,
    addresses: VecDeque<IpAddress>,
    /// Why the last address did not do.
    trouble: Option<Error>,
    /// When the next address has its turn, if there is one.
    turn_until: u64,
    /// Fields are in the order in which they have to be dropped: streams of the host are not children of the wire.
    wire: Option<Wire>,
    /// A request that waits for the connection to be there.
    job: Option<Box<Job>>,
    call: Option<Box<Call>>,
    scan: Scan,
    /// When the phase, or being idle, began.
    began: u64,
    deadline: Deadline,
    waits_source: bool,
    waits_sink: bool,
}

impl Upstream {
    /// Begins to connect, for a request.
    pub fn open(owner: Owner, job: Box<Job>, shared: &mut Shared) -> Self {
        let mut made = Self {
            owner,
            origin: job.origin.clone(),
            phase: Phase::Closed,
            addresses: VecDeque::new(),
            trouble: None,
            turn_until: NEVER,
            wire: None,
            job: Some(job),
            call: None,
            scan: Scan::default(),
            began: shared.now,
            deadline: Deadline::default(),
            waits_source: false,
            waits_sink: false,
        };
        match resolve_addresses(&instance_network(), &made.origin.name()) {
            Ok(stream) => made.phase = Phase::Lookup(stream, Watch::Absent),
            Err(code) => made.end(shared, connecting::of_lookup(code)),
        }
        made
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether it can take a request at once.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Open) && self.call.is_none() && self.job.is_none()
    }

    /// The request that it has.
    pub fn exchange(&self) -> Option<u64> {
        let waiting = self.job.as_ref().map(|job| job.id);
        waiting.or(self.call.as_ref().map(|call| call.id))
    }

    /// Takes the next request, if the server has not closed the connection meanwhile; gives it back if it has.
    pub fn take(&mut self, shared: &mut Shared, job: Box<Job>) -> Option<Box<Job>> {
        if let Some(wire) = &mut self.wire {
            // Asked even if the host has not said so: nothing is sent to a server that has gone.
            wire.readable = true;
            let filled = wire.fill(HEAD_READ, shared.now);
            if !matches!(filled, Ok(false)) || wire.ended {
                self.phase = Phase::Closed;
                return Some(job);
            }
        }
        self.begin(shared, *job);
        None
    }

    fn begin(&mut self, shared: &mut Shared, job: Job) {
        let Some(wire) = &mut self.wire else {
            return;
        };
        wire.outbox.append(job.bytes);
        wire.last_out = shared.now;
        (wire.sent, wire.received) = (0, 0);
        self.scan = Scan::default();
        self.call = Some(Box::new(Call {
            id: job.id,
            head: job.head,
            persistent: job.persistent,
            deadline: job.deadline,
            source: job.source.map(|(source, length)| {
                Source::new(
                    source,
                    length,
                    length.is_none(),
                    shared.limits.stream_buffer,
                )
            }),
            reply: Reply::Head,
            incoming: Incoming::nothing(),
            interim: 0,
            told: false,
            sent_at: None,
        }));
    }

    /// Something that was waited for is ready.
    pub fn woken(&mut self, part: Part) {
        match (part, &mut self.phase) {
            (Part::Progress, Phase::Lookup(_, watch) | Phase::Connecting(_, watch)) => {
                watch.spend()
            }
            (Part::Input | Part::Output, _) => {
                if let Some(wire) = &mut self.wire {
                    wire.readable |= part == Part::Input;
                    wire.transport.woken(part);
                }
            }
            (Part::Source, _) => {
                if let Some(source) = self.call.as_mut().and_then(|call| call.source.as_mut()) {
                    source.woken();
                }
            }
            (Part::Sink, _) => {
                if let Some(Reply::Flowing(sink)) = self.call.as_mut().map(|call| &mut call.reply) {
                    sink.woken();
                }
            }
            _ => {}
        }
    }

    /// Does all that can be done now, and says what is to be waited for.
    pub fn drive(&mut self, shared: &mut Shared) {
        let mut budget = BUDGET;
        loop {
            match self.step(shared, &mut budget) {
                Ok(true) if budget > 0 => {}
                Ok(true) => {
                    shared.again.push(self.owner);
                    break;
                }
                Ok(false) => break,
                Err(failure) => {
                    self.end(shared, failure);
                    break;
                }
            }
        }
        self.settle(shared);
    }

    fn step(&mut self, shared: &mut Shared, budget: &mut u64) -> Result<bool, Error> {
        match &mut self.phase {
            Phase::Lookup(..) => self.look_up(shared),
            Phase::Connecting(..) => self.connect(shared),
            Phase::Greeting => self.greet(shared),
            Phase::Open if self.call.is_some() => {
                let sent = match self.send(shared, budget) {
                    Err(failure) if self.may_be_answered(&failure) => self.stop_sending(shared),
                    sent => sent?,
                };
                let got = self.receive_more(shared, budget)?;
                Ok(sent | got)
            }
            Phase::Open => self.watch_idle(shared),
            Phase::Closed => Ok(false),
        }
    }

    /// A server that says something without a request, or goes away, is left.
    fn watch_idle(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        if let Some(wire) = &mut self.wire {
            if wire.readable
                && (!matches!(wire.fill(HEAD_READ, shared.now), Ok(false)) || wire.ended)
            {
                self.phase = Phase::Closed;
            }
        }
        Ok(false)
    }

    /// Gives the connection up; its request comes out with a failure.
    pub fn end(&mut self, shared: &mut Shared, mut failure: Error) {
        if failure.kind == ErrorKind::Closed && self.wire.as_ref().is_none_or(|wire| wire.sent == 0)
        {
            // The server can't have seen it.
            failure.kind = ErrorKind::Transient;
        }
        if let Phase::Lookup(_, watch) | Phase::Connecting(_, watch) = &mut self.phase {
            shared
                .interests
                .forget(self.owner.slot, Part::Progress, watch);
        }
        self.phase = Phase::Closed;
        if let Some(job) = self.job.take() {
            shared
                .events
                .push_back(Event::Arrival(job.id, self.owner, Err(failure.clone())));
        }
        self.end_flow(shared, Err(failure.clone()));
        if self.call.as_ref().is_some_and(|call| !call.told) {
            self.tell(shared, Err(failure));
        }
        if let Some(source) = self.call.take().and_then(|call| call.source) {
            source.close(&mut shared.interests, self.owner.slot);
        }
    }

    /// Closes what is open.
    pub fn close(mut self, shared: &mut Shared) {
        self.end(shared, error(ErrorKind::Cancelled, "the agent was closed"));
        if let Some(wire) = self.wire.take() {
            wire.transport.close(&mut shared.interests, self.owner.slot);
        }
    }
}
