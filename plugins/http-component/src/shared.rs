//! What the connections of a listener share: limits, time, timers, what is waited for, and what has happened.

use crate::bindings::component::http::types::{BodyEnd, Error, Version};
use crate::bindings::exports::component::http::server::{
    Connection as Opened, Field, Limits, Report, Timeouts,
};
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::date;
use crate::interests::Interests;
use crate::scan::HeadLimits;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use guest_kit::timers::{Owner, Timers, NEVER};

/// A request for the host, before it has handles.
#[derive(Debug)]
pub struct Offer {
    pub owner: Owner,
    pub exchange: u64,
    pub method: String,
    pub authority: String,
    pub path: String,
    pub query: Option<String>,
    pub version: Version,
    pub fields: Vec<Field>,
    /// None: it is a stream.
    pub content: Option<Vec<u8>>,
}

/// What has happened, in order.
#[derive(Debug)]
pub enum Event {
    Opened(Box<Opened>),
    Request(Box<Offer>),
    Body(BodyEnd),
    Report(Box<Report>),
    Closed(u64),
}

/// How long reports may wait for a call that is made anyway, in nanoseconds.
const PATIENCE: u64 = 5_000_000;

pub struct Core {
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub head: HeadLimits,
    pub interests: Interests,
    pub timers: Timers,
    events: VecDeque<Event>,
    /// Whether the host is to hear of one of them at once.
    urgent: bool,
    /// Connections that have more work than could be done at once.
    pub again: Vec<Owner>,
    /// Connections whose next request is not read because there are too many exchanges.
    pub stalled: VecDeque<Owner>,
    /// Exchanges that the host knows of.
    pub exchanges: u32,
    pub stopping: bool,
    /// When everything that is left is cut off.
    pub cut_at: u64,
    /// When accepting goes on, where it rests.
    pub rests_until: Option<u64>,
    pub now: u64,
    next_exchange: u64,
    date: [u8; date::LENGTH],
    date_until: u64,
}

impl Core {
    pub fn new(limits: Limits, timeouts: Timeouts) -> Self {
        Self {
            head: HeadLimits {
                line: limits.request_line as usize,
                bytes: limits.header_bytes as usize,
                fields: limits.header_fields as usize,
            },
            limits,
            timeouts,
            interests: Interests::new(),
            timers: Timers::default(),
            events: VecDeque::new(),
            urgent: false,
            again: Vec::new(),
            stalled: VecDeque::new(),
            exchanges: 0,
            stopping: false,
            cut_at: NEVER,
            rests_until: None,
            now: monotonic_clock::now(),
            next_exchange: 1,
            date: [0; date::LENGTH],
            date_until: 0,
        }
    }

    pub fn read_clock(&mut self) {
        self.now = monotonic_clock::now();
    }

    /// The number of the next exchange.
    pub fn number(&mut self) -> u64 {
        self.next_exchange += 1;
        self.next_exchange - 1
    }

    /// Whether no further request is to be read.
    pub fn is_full(&self) -> bool {
        self.exchanges >= self.limits.exchanges
    }

    /// The time of day for a Date field, asked for once a second.
    pub fn date(&mut self) -> [u8; date::LENGTH] {
        if self.now >= self.date_until {
            let time = wall_clock::now();
            self.date = date::format(time.seconds);
            self.date_until =
                self.now + 1_000_000_000 - u64::from(time.nanoseconds % 1_000_000_000);
        }
        self.date
    }

    /// Notes what has happened. Reports may wait a little for a call that is made anyway.
    pub fn tell(&mut self, event: Event) {
        self.urgent |= !matches!(event, Event::Report(_));
        self.events.push_back(event);
    }

    pub fn body_end(&mut self, exchange: u64, outcome: Result<u64, Error>) {
        self.tell(Event::Body(BodyEnd { exchange, outcome }));
    }

    /// How much the host has not heard yet.
    pub fn untold(&self) -> usize {
        self.events.len()
    }

    /// The next thing to tell the host, if `fits` says that it can be told now.
    pub fn next_event(&mut self, fits: impl FnOnce(&Event) -> bool) -> Option<Event> {
        if !fits(self.events.front()?) {
            return None;
        }
        let event = self.events.pop_front();
        self.urgent &= !self.events.is_empty();
        event
    }

    /// Whether there is work that waits for nothing but a call.
    pub fn has_more(&self) -> bool {
        self.urgent || !self.again.is_empty() || !self.stalled.is_empty() && !self.is_full()
    }

    /// Tells the host what to wait for, and when to call.
    pub fn settle(&mut self) {
        let mut at = self
            .timers
            .next()
            .min(self.cut_at)
            .min(self.rests_until.unwrap_or(NEVER));
        if self.has_more() {
            at = self.now;
        } else if !self.events.is_empty() {
            at = at.min(self.now + PATIENCE);
        }
        if at != NEVER {
            self.interests.wake_at(at);
        }
        self.interests.settle();
    }
}
