//! One connection of a client: from the name of a server over its addresses to a connection that carries one request
//! after the other.
//!
//! Whom it serves next is for `agent`; here is what it does with the request that it has.

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
use crate::framing::Framing;
use crate::incoming::Incoming;
use crate::interests::{Interests, Part, Watch};
use crate::listener::{of_socket, of_tls_failure};
use crate::pump::{Break, Flow, Sink, Source};
use crate::refusal::{error, Refusal};
use crate::reply::parse_reply;
use crate::scan::{HeadLimits, Progress, Scan};
use crate::timers::{Deadline, Owner, Timers, NEVER};
use crate::transport::Transport;
use crate::wire::{Wire, CONTENT_READ, HEAD_READ};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

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
            Err(code) => made.end(shared, of_lookup(code)),
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

    // Connecting

    fn look_up(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Phase::Lookup(stream, watch) = &mut self.phase else {
            return Ok(false);
        };
        match stream.resolve_next_address() {
            Ok(Some(address)) => {
                self.addresses.push_back(address);
                Ok(true)
            }
            Ok(None) => {
                shared
                    .interests
                    .forget(self.owner.slot, Part::Progress, watch);
                self.phase = Phase::Closed;
                self.try_next()?;
                Ok(true)
            }
            Err(ErrorCode::WouldBlock) => Ok(false),
            Err(code) => Err(of_lookup(code)),
        }
    }

    /// Begins to connect to the next address.
    fn try_next(&mut self) -> Result<(), Error> {
        while let Some(address) = self.addresses.pop_front() {
            match begin_connect(address, self.origin.port) {
                Ok(socket) => {
                    self.phase = Phase::Connecting(socket, Watch::Absent);
                    return Ok(());
                }
                Err(code) => self.trouble = Some(of_socket(code)),
            }
        }
        Err(self
            .trouble
            .take()
            .unwrap_or_else(|| error(ErrorKind::Permanent, "the name has no address")))
    }

    fn connect(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let slot = self.owner.slot;
        let Phase::Connecting(socket, watch) = &mut self.phase else {
            return Ok(false);
        };
        let streams = match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => return Ok(false),
            streams => streams,
        };
        shared.interests.forget(slot, Part::Progress, watch);
        let Phase::Connecting(socket, _) = core::mem::replace(&mut self.phase, Phase::Closed)
        else {
            return Ok(false);
        };
        let (input, output) = match streams {
            Ok(streams) => streams,
            Err(code) => {
                self.trouble = Some(of_socket(code));
                drop(socket);
                self.try_next()?;
                return Ok(true);
            }
        };
        let (input, output) = match self.origin.secure {
            true => tls::client(input, output, &self.origin.name()).map_err(of_tls_failure)?,
            false => (input, output),
        };
        self.wire = Some(Wire::new(Transport::new(socket, input, output), shared.now));
        self.phase = Phase::Greeting;
        Ok(true)
    }

    /// Waits until there is room, which there is not before TLS has begun.
    fn greet(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Some(wire) = &mut self.wire else {
            return Ok(false);
        };
        match wire.transport.room() {
            Ok(0) => {
                wire.blocked = true;
                return Ok(false);
            }
            Ok(_) => {}
            Err(failure) => return Err(failure),
        }
        wire.blocked = false;
        self.phase = Phase::Open;
        if let Some(job) = self.job.take() {
            self.begin(shared, *job);
        }
        Ok(true)
    }

    // A request

    fn send(&mut self, shared: &mut Shared, budget: &mut u64) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        if call.sent_at.is_some() {
            return Ok(false);
        }
        let mut moved = wire.flush(shared.now)?;
        if let Some(source) = &mut call.source {
            let before = *budget;
            self.waits_source = false;
            match source.pump(wire, budget, shared.now) {
                Ok(Flow::Blocked(part)) => self.waits_source = part == Part::Source,
                Ok(Flow::Paused) => return Ok(true),
                Ok(Flow::End) => {
                    if let Some(source) = call.source.take() {
                        source.close(&mut shared.interests, self.owner.slot);
                    }
                    moved = true;
                }
                Err(stop) => return Err(of_break(stop)),
            }
            moved |= *budget < before;
        }
        if call.source.is_none() && wire.outbox.is_empty() {
            call.sent_at = Some(shared.now);
            moved = true;
        }
        Ok(moved)
    }

    /// Whether a server that takes no more may have answered before it went (RFC 9112, 9.5).
    fn may_be_answered(&self, failure: &Error) -> bool {
        failure.kind == ErrorKind::Closed && self.wire.as_ref().is_some_and(|wire| wire.sent > 0)
    }

    fn stop_sending(&mut self, shared: &mut Shared) -> bool {
        if let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) {
            call.persistent = false;
            call.sent_at = Some(shared.now);
            wire.outbox.clear();
            wire.blocked = false;
            wire.readable = true;
            if let Some(source) = call.source.take() {
                source.close(&mut shared.interests, self.owner.slot);
            }
        }
        self.waits_source = false;
        true
    }

    fn receive_more(&mut self, shared: &mut Shared, budget: &mut u64) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        match &mut call.reply {
            Reply::Head => self.read_head(shared),
            Reply::Collecting(_, length) => {
                let length = *length;
                if wire.inbox.len() < length {
                    let missing = (length - wire.inbox.len()).clamp(HEAD_READ, CONTENT_READ);
                    let more = wire.fill(missing, shared.now)?;
                    return if !more && wire.ended {
                        Err(cut_short())
                    } else {
                        Ok(more)
                    };
                }
                if let Reply::Collecting(mut arrived, _) =
                    core::mem::replace(&mut call.reply, Reply::Done)
                {
                    arrived.content = Some(wire.inbox.take(length));
                    self.tell(shared, Ok(arrived));
                }
                Ok(true)
            }
            Reply::Offered => Ok(false),
            Reply::Flowing(sink) => match sink.pump(wire, &mut call.incoming, budget, shared.now) {
                Ok(Flow::Blocked(part)) => {
                    self.waits_sink = part == Part::Sink;
                    Ok(false)
                }
                Ok(Flow::Paused) => Ok(true),
                Ok(Flow::End) => {
                    let passed = sink.passed;
                    self.end_flow(shared, Ok(passed));
                    Ok(true)
                }
                Err(Break::Host(failure)) => {
                    self.end_flow(shared, Err(failure));
                    self.abandon();
                    Ok(true)
                }
                Err(stop) => Err(of_break(stop)),
            },
            Reply::Discarding(allowed) => {
                let step = call.incoming.step(wire.inbox.bytes());
                let (framing, step) = step.map_err(|refusal| of_break(Break::Refused(refusal)))?;
                wire.consume(framing);
                match step {
                    Step::End => call.reply = Reply::Done,
                    Step::Data(count) if (count as u64) <= *allowed => {
                        *allowed -= count as u64;
                        call.incoming.took(count as u64);
                        wire.consume(count);
                    }
                    Step::More if wire.fill(CONTENT_READ, shared.now)? => {}
                    Step::More if !wire.ended => return Ok(false),
                    _ => {
                        call.persistent = false;
                        call.reply = Reply::Done;
                    }
                }
                Ok(true)
            }
            Reply::Done => self.finish(shared),
        }
    }

    fn read_head(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        let refused = |refusal: Refusal| of_break(Break::Refused(refusal));
        let progress = match wire.inbox.is_empty() {
            true => Progress::Incomplete,
            false => self
                .scan
                .advance(wire.inbox.bytes(), &shared.head)
                .map_err(refused)?,
        };
        let Progress::Complete(length, count) = progress else {
            if progress == Progress::Blank {
                return Err(error(
                    ErrorKind::Protocol,
                    "an empty line in place of a response",
                ));
            }
            let more = wire.fill(HEAD_READ, shared.now)?;
            return if !more && wire.ended {
                Err(no_answer())
            } else {
                Ok(more)
            };
        };
        let head = parse_reply(&wire.inbox.bytes()[..length], count, call.head).map_err(refused)?;
        wire.consume(length);
        self.scan = Scan::default();
        if head.status < 200 {
            call.interim += 1;
            return match call.interim > INTERIM {
                true => Err(error(
                    ErrorKind::Protocol,
                    "too many responses before the final one",
                )),
                false => Ok(true),
            };
        }
        // The server may close before all was sent; then it does not want the rest.
        call.persistent &= head.persistent && call.sent_at.is_some();
        let trailer = u64::from(shared.limits.header_bytes);
        call.incoming =
            Incoming::new(head.framing, shared.limits.content, trailer).map_err(refused)?;
        let mut arrived = Box::new(Arrived {
            status: head.status,
            version: head.version,
            fields: head.fields,
            content: None,
        });
        match head.framing {
            Framing::Length(0) => {
                arrived.content = Some(Vec::new());
                call.reply = Reply::Done;
                self.tell(shared, Ok(arrived));
            }
            Framing::Length(length) if length <= u64::from(shared.limits.inline_content) => {
                call.reply = Reply::Collecting(arrived, length as usize);
            }
            _ => {
                call.reply = Reply::Offered;
                self.tell(shared, Ok(arrived));
            }
        }
        Ok(true)
    }

    fn tell(&mut self, shared: &mut Shared, outcome: Result<Box<Arrived>, Error>) {
        if let Some(call) = &mut self.call {
            call.told = true;
            shared
                .events
                .push_back(Event::Arrival(call.id, self.owner, outcome));
        }
    }

    /// Closes the sink, and says how the content came to its end.
    fn end_flow(&mut self, shared: &mut Shared, outcome: Result<u64, Error>) {
        self.waits_sink = false;
        let Some(call) = &mut self.call else {
            return;
        };
        if matches!(call.reply, Reply::Flowing(_)) {
            if let Reply::Flowing(sink) = core::mem::replace(&mut call.reply, Reply::Done) {
                sink.close(&mut shared.interests, self.owner.slot);
                shared.events.push_back(Event::Body(call.id, outcome));
            }
        }
    }

    /// Nobody wants the rest of the content.
    fn abandon(&mut self) {
        if let Some(call) = &mut self.call {
            let short = call.incoming.left().is_none_or(|left| left <= DISCARD);
            if short && call.persistent && !call.incoming.ends_with_connection() {
                call.reply = Reply::Discarding(DISCARD);
            } else {
                call.persistent = false;
                call.reply = Reply::Done;
            }
        }
    }

    /// The exchange is over; the connection is kept if it can be.
    fn finish(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Some(call) = self.call.take() else {
            return Ok(false);
        };
        if let Some(source) = call.source {
            source.close(&mut shared.interests, self.owner.slot);
        }
        self.waits_source = false;
        self.began = shared.now;
        let ended = self
            .wire
            .as_ref()
            .is_none_or(|wire| wire.ended || !wire.inbox.is_empty());
        if !call.persistent || ended {
            self.phase = Phase::Closed;
        }
        Ok(true)
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

    // The host

    /// Lets the content of a response come.
    pub fn receive(
        &mut self,
        shared: &mut Shared,
        id: u64,
        stream: OutputStream,
    ) -> Result<(), Error> {
        match &mut self.call {
            Some(call) if call.id == id && matches!(call.reply, Reply::Offered) => {
                call.reply = Reply::Flowing(Sink::new(stream));
            }
            _ => return Err(error(ErrorKind::Closed, "the exchange is over")),
        }
        if let Some(wire) = &mut self.wire {
            wire.last_in = shared.now;
        }
        self.drive(shared);
        Ok(())
    }

    /// The host has dropped the content of a response.
    pub fn unwanted(&mut self, shared: &mut Shared, id: u64) {
        let offered = |call: &Call| call.id == id && matches!(call.reply, Reply::Offered);
        if self.call.as_ref().is_some_and(|call| offered(call)) {
            self.abandon();
            self.drive(shared);
        }
    }

    /// The host calls a request off.
    pub fn call_off(&mut self, shared: &mut Shared, id: u64) {
        if self.exchange() != Some(id) {
            return;
        }
        self.job = None;
        if let Some(call) = &mut self.call {
            call.told = true;
        }
        self.end(
            shared,
            error(ErrorKind::Cancelled, "the request was called off"),
        );
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

    // Time

    /// An entry of the timers has come up.
    pub fn review(&mut self, shared: &mut Shared, entry: u64) {
        if shared
            .timers
            .review(self.owner, &mut self.deadline, entry, shared.now)
        {
            if let Some(reason) = self.expired(shared) {
                self.end(shared, error(ErrorKind::Timeout, reason));
            }
            self.settle(shared);
        }
    }

    fn expired(&self, shared: &Shared) -> Option<&'static str> {
        self.deadlines(shared)
            .into_iter()
            .find(|(at, _)| *at <= shared.now)
            .map(|(_, reason)| reason)
    }

    /// When what has to be done, with what to say when it is not.
    fn deadlines(&self, shared: &Shared) -> [(u64, &'static str); 3] {
        const NONE: (u64, &str) = (NEVER, "");
        let times = &shared.timeouts;
        let own = self.job.as_ref().map(|job| job.deadline);
        let own = own.or(self.call.as_ref().map(|call| call.deadline));
        let whole = (
            own.unwrap_or(NEVER),
            "the deadline of the request has passed",
        );
        let (Phase::Open, Some(wire)) = (&self.phase, &self.wire) else {
            let at = match self.phase {
                Phase::Closed => NEVER,
                _ => self.began.saturating_add(times.connect),
            };
            return [whole, (at, "connecting took too long"), NONE];
        };
        let Some(call) = &self.call else {
            return [(self.began.saturating_add(times.idle), "idle"), NONE, NONE];
        };
        let sending = match wire.blocked {
            true => (
                wire.last_out.saturating_add(times.send),
                "the server takes nothing of the request",
            ),
            false => NONE,
        };
        let receiving = match (&call.reply, call.sent_at) {
            (Reply::Head, Some(at)) => (
                at.saturating_add(times.response),
                "the server does not answer",
            ),
            (Reply::Flowing(_), _) if self.waits_sink => NONE,
            (Reply::Collecting(..) | Reply::Flowing(_) | Reply::Discarding(_), _) => (
                wire.last_in.saturating_add(times.content),
                "the content does not go on",
            ),
            _ => NONE,
        };
        [whole, sending, receiving]
    }

    fn settle(&mut self, shared: &mut Shared) {
        let slot = self.owner.slot;
        match &mut self.phase {
            Phase::Lookup(stream, watch) => {
                let stream = &*stream;
                shared
                    .interests
                    .want(slot, Part::Progress, watch, || stream.subscribe());
            }
            Phase::Connecting(socket, watch) => {
                let socket = &*socket;
                shared
                    .interests
                    .want(slot, Part::Progress, watch, || socket.subscribe());
            }
            Phase::Greeting | Phase::Open => self.settle_wire(shared),
            Phase::Closed => {}
        }
        let next = self.deadlines(shared).into_iter().map(|(at, _)| at).min();
        shared
            .timers
            .set(self.owner, &mut self.deadline, next.unwrap_or(NEVER));
    }

    fn settle_wire(&mut self, shared: &mut Shared) {
        let slot = self.owner.slot;
        let Some(wire) = &mut self.wire else {
            return;
        };
        let listens = match self.call.as_ref().map(|call| &call.reply) {
            None => matches!(self.phase, Phase::Open),
            Some(Reply::Offered | Reply::Done) => false,
            Some(Reply::Flowing(_)) => !self.waits_sink,
            Some(_) => true,
        };
        if listens && !wire.readable && !wire.ended {
            wire.transport.want_input(&mut shared.interests, slot);
        }
        if wire.blocked {
            wire.transport.want_output(&mut shared.interests, slot);
        }
        if let Some(call) = &mut self.call {
            if let (true, Some(source)) = (self.waits_source, &mut call.source) {
                source.want(&mut shared.interests, slot);
            }
            if let (true, Reply::Flowing(sink)) = (self.waits_sink, &mut call.reply) {
                sink.want(&mut shared.interests, slot);
            }
        }
    }
}

fn begin_connect(address: IpAddress, port: u16) -> Result<TcpSocket, ErrorCode> {
    let (family, remote) = match address {
        IpAddress::Ipv4(address) => {
            let remote = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address });
            (IpAddressFamily::Ipv4, remote)
        }
        IpAddress::Ipv6(address) => {
            let remote = Ipv6SocketAddress {
                port,
                flow_info: 0,
                address,
                scope_id: 0,
            };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(remote))
        }
    };
    let socket = create_tcp_socket(family)?;
    socket.start_connect(&instance_network(), remote)?;
    Ok(socket)
}

/// What a name that has no address means.
fn of_lookup(code: ErrorCode) -> Error {
    match code {
        ErrorCode::InvalidArgument => error(ErrorKind::Permanent, "a malformed name of a server"),
        code => of_socket(code),
    }
}

/// How a request comes out that was sent, or begun to be.
fn of_break(stop: Break) -> Error {
    match stop {
        Break::Refused(refusal) => Error {
            // What a server sends is not the host's request: a size is a limit, the rest is against the protocol.
            message: alloc::string::String::from(refusal.reason),
            ..refusal.error()
        },
        Break::Lost(failure) | Break::Host(failure) => failure,
    }
}

fn cut_short() -> Error {
    error(
        ErrorKind::Closed,
        "the connection ended in the middle of the content",
    )
}

fn no_answer() -> Error {
    error(
        ErrorKind::Closed,
        "the server closed the connection without an answer",
    )
}
