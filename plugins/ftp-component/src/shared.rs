//! What the connections of a session share: what may be done, time, timers, what is waited for, and what has happened.

use crate::bindings::component::ftp::types::Error;
use crate::bindings::exports::component::ftp::control::{
    Action, Connection as Opened, ConnectionEnd, Limits, ListingStyle, PassivePorts, Report,
    ServerConfig, StoreMode, Timeouts, TlsPolicy, TransferEnd,
};
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::sockets::network::Network;
use crate::interests::Interests;
use crate::journal::Trouble;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use guest_kit::timers::{Owner, Timers, NEVER};

/// What the host is asked for, before it has handles.
#[derive(Debug)]
pub enum Question {
    /// Without a transfer.
    Plain(Action),
    Retrieve(String, u64),
    Store(Option<String>, StoreMode, u64),
    List(Option<String>, ListingStyle),
}

/// A command for the host, before it has handles.
#[derive(Debug)]
pub struct Offer {
    pub owner: Owner,
    pub exchange: u64,
    pub question: Question,
}

/// What has happened, in order.
#[derive(Debug)]
pub enum Event {
    Opened(Box<Opened>),
    Command(Box<Offer>),
    Transfer(TransferEnd),
    Report(Box<Report>),
    Closed(ConnectionEnd),
}

/// How long reports may wait for a call that is made anyway, in nanoseconds.
const PATIENCE: u64 = 5_000_000;

/// What was configured.
pub struct Settings {
    pub greeting: Vec<String>,
    pub active: bool,
    pub passive: Option<PassivePorts>,
    pub tls: TlsPolicy,
    pub limits: Limits,
    pub timeouts: Timeouts,
}

pub struct Core {
    pub settings: Settings,
    pub interests: Interests,
    pub network: Network,
    pub timers: Timers,
    events: VecDeque<Event>,
    /// Whether the host is to hear of one of them at once.
    urgent: bool,
    /// Connections that have more work than could be done at once.
    pub again: Vec<Owner>,
    /// Transfers under way.
    pub transfers: u32,
    pub stopping: bool,
    /// When everything that is left is cut off.
    pub cut_at: u64,
    /// When accepting goes on, where it rests.
    pub rests_until: Option<u64>,
    pub now: u64,
    next_exchange: u64,
    /// Whether ports for data connections, and TLS, are in trouble.
    pub listening: Trouble,
    pub securing: Trouble,
}

impl Core {
    pub fn new(config: ServerConfig, network: Network) -> Self {
        Self {
            settings: Settings {
                greeting: config.greeting,
                active: config.active,
                passive: config.passive,
                tls: config.tls,
                limits: config.limits,
                timeouts: config.timeouts,
            },
            interests: Interests::new(),
            network,
            timers: Timers::default(),
            events: VecDeque::new(),
            urgent: false,
            again: Vec::new(),
            transfers: 0,
            stopping: false,
            cut_at: NEVER,
            rests_until: None,
            now: monotonic_clock::now(),
            next_exchange: 1,
            listening: Trouble::default(),
            securing: Trouble::default(),
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

    /// Notes what has happened. Reports may wait a little for a call that is made anyway.
    pub fn tell(&mut self, event: Event) {
        self.urgent |= !matches!(event, Event::Report(_));
        self.events.push_back(event);
    }

    pub fn transfer_end(&mut self, exchange: u64, outcome: Result<u64, Error>) {
        self.tell(Event::Transfer(TransferEnd { exchange, outcome }));
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
        self.urgent || !self.again.is_empty()
    }

    /// Tells the host what to wait for, and when to call.
    pub fn settle(&mut self) {
        if self.has_more() {
            self.interests.wake_now();
            return self.interests.settle();
        }
        let mut at = self
            .timers
            .next()
            .min(self.cut_at)
            .min(self.rests_until.unwrap_or(NEVER));
        if !self.events.is_empty() {
            at = at.min(self.now.saturating_add(PATIENCE));
        }
        if at != NEVER {
            self.interests.wake_at(at);
        }
        self.interests.settle();
    }
}
