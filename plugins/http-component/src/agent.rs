//! A user agent: which request gets which connection, and what the host hears of it.
//!
//! Connections are shared by requests to one origin, one after the other. A request waits where there are as many
//! connections as there may be; it is sent again only if nothing of it was sent before.

mod pool;

use crate::ask::{Job, Origin};
use crate::bindings::component::http::types::{BodyEnd, Error, ErrorKind};
use crate::bindings::exports::component::http::client::{
    AgentConfig, Arrival, Batch, OutputStream, Request, Response, ResponseBody, ResponseContent,
};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll::Pollable;
use crate::failures::error;
use crate::interests::{Interests, Ready};
use crate::pending::{Content, Ticket};
use crate::scan::HeadLimits;
use crate::upstream::{Arrived, Event, Shared, Upstream};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use guest_kit::timers::{Owner, Timers, NEVER};

/// The place of requests that wait: in no table of connections.
const WAITING: u32 = u32::MAX;

/// An agent that its handles share.
pub type SharedAgent = Rc<RefCell<Agent>>;

/// What there is of an origin.
#[derive(Default)]
struct Pool {
    /// Connections, idle or not.
    open: u32,
    idle: Vec<Owner>,
    /// Requests in their order; some may be over already.
    waiting: VecDeque<u64>,
}

pub struct Agent {
    shared: Shared,
    connections: Vec<Option<Box<Upstream>>>,
    free: Vec<u32>,
    open: u32,
    next_connection: u64,
    next_exchange: u64,
    pools: BTreeMap<Origin, Pool>,
    /// Requests without a connection.
    waiting: BTreeMap<u64, Box<Job>>,
    /// Requests that wait because there are too many connections, in their order; some may be over already.
    hungry: VecDeque<u64>,
    /// Idle connections in the order in which they became so; some may not be idle any more.
    oldest: VecDeque<Owner>,
    /// Requests that are not over, with the connection that they have.
    running: BTreeMap<u64, Option<Owner>>,
}

impl Agent {
    pub fn open(config: AgentConfig) -> Result<Self, Error> {
        check(&config)?;
        let limits = config.limits;
        let shared = Shared {
            head: HeadLimits {
                line: limits.header_bytes as usize,
                bytes: limits.header_bytes as usize,
                fields: limits.header_fields as usize,
            },
            limits,
            timeouts: config.timeouts,
            interests: Interests::new(),
            timers: Timers::default(),
            now: monotonic_clock::now(),
            events: VecDeque::new(),
            again: Vec::new(),
        };
        Ok(Self {
            shared,
            connections: Vec::new(),
            free: Vec::new(),
            open: 0,
            next_connection: 1,
            next_exchange: 1,
            pools: BTreeMap::new(),
            waiting: BTreeMap::new(),
            hungry: VecDeque::new(),
            oldest: VecDeque::new(),
            running: BTreeMap::new(),
        })
    }

    pub fn subscribe(&self) -> Pollable {
        self.shared.interests.subscribe()
    }

    // The host

    /// Begins a request and gives its number.
    pub fn send(&mut self, request: Request) -> Result<u64, Error> {
        self.shared.now = monotonic_clock::now();
        if self.running.len() >= self.shared.limits.requests as usize {
            return Err(error(
                ErrorKind::Exhausted,
                "too many requests are under way",
            ));
        }
        let id = self.next_exchange;
        let inline = self.shared.limits.inline_content;
        let job = Job::new(id, request, inline, self.shared.now)?;
        self.next_exchange += 1;
        self.running.insert(id, None);
        self.place(Box::new(job));
        self.settle();
        Ok(id)
    }

    pub fn receive(&mut self, ticket: &Ticket, sink: OutputStream) -> Result<(), Error> {
        self.shared.now = monotonic_clock::now();
        let mut outcome = Err(error(ErrorKind::Closed, "the exchange is over"));
        self.with(ticket.owner, |connection, shared| {
            outcome = connection.receive(shared, ticket.exchange, sink);
        });
        self.settle();
        outcome
    }

    pub fn unwanted(&mut self, ticket: &Ticket) {
        self.shared.now = monotonic_clock::now();
        self.with(ticket.owner, |connection, shared| {
            connection.unwanted(shared, ticket.exchange)
        });
        self.settle();
    }

    /// Ends a request that the host does not want any more.
    pub fn call_off(&mut self, id: u64) {
        self.shared.now = monotonic_clock::now();
        if let Some(job) = self.waiting.remove(&id) {
            self.running.remove(&id);
            self.tidy(&job.origin);
        } else if let Some(Some(owner)) = self.running.get(&id).copied() {
            self.with(owner, |connection, shared| connection.call_off(shared, id));
            self.running.remove(&id);
        }
        // Nobody asks what became of it.
        self.shared
            .events
            .retain(|event| !matches!(event, Event::Arrival(found, ..) if *found == id));
        self.settle();
    }

    pub fn poll(&mut self, agent: &SharedAgent, max: u32) -> Result<Batch, Error> {
        if max == 0 {
            return Err(error(ErrorKind::InvalidArgument, "a batch of 0"));
        }
        self.shared.now = monotonic_clock::now();
        // Who does not take what has happened gets no more of it.
        if self.shared.events.len() < max as usize {
            self.work(max);
        }
        let batch = self.deliver(agent, max as usize);
        self.settle();
        Ok(batch)
    }

    pub fn close(&mut self) {
        for slot in 0..self.connections.len() {
            if let Some(connection) = self.connections[slot].take() {
                connection.close(&mut self.shared);
            }
        }
        self.waiting.clear();
        self.running.clear();
        self.shared.events.clear();
    }

    // Work

    fn work(&mut self, max: u32) {
        for owner in core::mem::take(&mut self.shared.again) {
            self.with(owner, Upstream::drive);
        }
        for key in self.shared.interests.take(max) {
            if let Ready::Part(slot, part) = self.shared.interests.read(key) {
                self.at(slot, |connection, shared| {
                    connection.woken(part);
                    connection.drive(shared);
                });
            }
        }
        let (connections, waiting) = (&self.connections, &self.waiting);
        let known = self.open as usize + waiting.len();
        self.shared.timers.prune(known, |owner| {
            let found = connections.get(owner.slot as usize);
            found.is_some_and(|place| place.as_ref().is_some_and(|found| found.owner == owner))
                || owner.slot == WAITING && waiting.contains_key(&owner.id)
        });
        while let Some((entry, owner)) = self.shared.timers.due(self.shared.now) {
            match owner.slot {
                WAITING => self.review_waiting(entry, owner),
                _ => self.with(owner, |connection, shared| connection.review(shared, entry)),
            }
        }
    }

    fn review_waiting(&mut self, entry: u64, owner: Owner) {
        let Some(job) = self.waiting.get_mut(&owner.id) else {
            return;
        };
        if self
            .shared
            .timers
            .review(owner, &mut job.timer, entry, self.shared.now)
        {
            if let Some(job) = self.waiting.remove(&owner.id) {
                self.tidy(&job.origin);
            }
            let failure = error(ErrorKind::Timeout, "the deadline of the request has passed");
            self.shared
                .events
                .push_back(Event::Arrival(owner.id, owner, Err(failure)));
        }
    }

    fn at(&mut self, slot: u32, work: impl FnOnce(&mut Upstream, &mut Shared)) {
        let Some(Some(connection)) = self.connections.get_mut(slot as usize) else {
            return;
        };
        let (was_idle, had) = (connection.is_idle(), connection.exchange());
        work(connection, &mut self.shared);
        if let Some(over) = had.filter(|_| connection.exchange() != had) {
            self.running.remove(&over);
        }
        if connection.is_closed() {
            self.lose(slot);
        } else if connection.is_idle() && !was_idle {
            let owner = connection.owner;
            let origin = connection.origin.clone();
            self.rest(owner, &origin);
        }
    }

    fn with(&mut self, owner: Owner, work: impl FnOnce(&mut Upstream, &mut Shared)) {
        if self.knows(owner) {
            self.at(owner.slot, work);
        }
    }

    fn knows(&self, owner: Owner) -> bool {
        let found = self
            .connections
            .get(owner.slot as usize)
            .and_then(Option::as_ref);
        found.is_some_and(|connection| connection.owner == owner)
    }

    // What has happened

    fn deliver(&mut self, agent: &SharedAgent, max: usize) -> Batch {
        let mut batch = Batch {
            responses: Vec::new(),
            bodies: Vec::new(),
            more: false,
        };
        while let Some(event) = self.shared.events.front() {
            let count = match event {
                Event::Arrival(..) => batch.responses.len(),
                Event::Body(..) => batch.bodies.len(),
            };
            if count >= max {
                break;
            }
            match self.shared.events.pop_front() {
                Some(Event::Arrival(exchange, owner, outcome)) => {
                    if outcome.is_err() {
                        self.running.remove(&exchange);
                    }
                    let ticket = Ticket {
                        agent: agent.clone(),
                        owner,
                        exchange,
                    };
                    batch.responses.push(Arrival {
                        exchange,
                        outcome: outcome.map(|arrived| response(ticket, *arrived)),
                    });
                }
                Some(Event::Body(exchange, outcome)) => {
                    batch.bodies.push(BodyEnd { exchange, outcome });
                }
                None => break,
            }
        }
        batch.more = !self.shared.events.is_empty() || !self.shared.again.is_empty();
        batch
    }

    fn settle(&mut self) {
        let at = match self.shared.events.is_empty() && self.shared.again.is_empty() {
            true => self.shared.timers.next(),
            false => self.shared.now,
        };
        if at != NEVER {
            self.shared.interests.wake_at(at);
        }
        self.shared.interests.settle();
    }
}

/// The response with its handles.
fn response(ticket: Ticket, arrived: Arrived) -> Response {
    let content = match arrived.content {
        Some(content) => ResponseContent::Inline(content),
        None => ResponseContent::Streamed(ResponseBody::new(Content::new(ticket))),
    };
    Response {
        status: arrived.status,
        version: arrived.version,
        fields: arrived.fields,
        content,
    }
}

fn check(config: &AgentConfig) -> Result<(), Error> {
    let limits = &config.limits;
    let least = [
        limits.connections,
        limits.connections_per_authority,
        limits.requests,
        limits.header_bytes,
        limits.header_fields,
        limits.inline_content,
        limits.stream_buffer,
    ];
    if least.contains(&0) || limits.content == 0 {
        return Err(error(ErrorKind::InvalidArgument, "a limit of 0"));
    }
    let times = &config.timeouts;
    if [
        times.connect,
        times.send,
        times.response,
        times.content,
        times.idle,
    ]
    .contains(&0)
    {
        return Err(error(ErrorKind::InvalidArgument, "a time-out of 0"));
    }
    Ok(())
}
