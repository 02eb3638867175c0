//! What is waited for: the host's poll set, and what it was told.
//!
//! A key stands for a place in a table and for what is waited for there. What is to be armed again is collected, and
//! goes to the host once for all.

use crate::bindings::runner::host::readiness::PollSet;
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll::Pollable;
use alloc::vec::Vec;
use guest_kit::timers::NEVER;

/// What may be waited for at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the peer.
    Input,
    /// Room for bytes to the peer.
    Output,
    /// Bytes of a source of the host.
    Source,
    /// Room in a sink of the host.
    Sink,
    /// A socket that listens or connects, or addresses of a name.
    Progress,
}

const PARTS: [Part; 5] = [
    Part::Input,
    Part::Output,
    Part::Source,
    Part::Sink,
    Part::Progress,
];
const SHIFT: u32 = 3;
/// The key of the next deadline.
const ALARM: u64 = u64::MAX;
/// The key of what has no place in the table: the listening socket.
const SELF: u64 = u64::MAX - 1;

/// What has become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    Part(u32, Part),
    Alarm,
    Itself,
}

/// What the host was told of one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    #[default]
    Absent,
    /// To say when it is ready.
    Armed,
    /// It has said so, and is silent now.
    Spent,
}

impl Watch {
    /// The host has said that it is ready.
    pub fn spend(&mut self) {
        if *self == Self::Armed {
            *self = Self::Spent;
        }
    }
}

pub struct Interests {
    set: PollSet,
    rearm: Vec<u64>,
    /// When the host is to wake us.
    alarm: u64,
}

impl Interests {
    pub fn new() -> Self {
        Self {
            set: PollSet::new(),
            rearm: Vec::new(),
            alarm: NEVER,
        }
    }

    pub fn subscribe(&self) -> Pollable {
        self.set.subscribe()
    }

    /// Has the host say when a part is ready.
    pub fn want(
        &mut self,
        slot: u32,
        part: Part,
        watch: &mut Watch,
        subscribe: impl FnOnce() -> Pollable,
    ) {
        self.want_key(key(slot, part), watch, subscribe);
    }

    /// The same of the listening socket.
    pub fn want_itself(&mut self, watch: &mut Watch, subscribe: impl FnOnce() -> Pollable) {
        self.want_key(SELF, watch, subscribe);
    }

    fn want_key(&mut self, key: u64, watch: &mut Watch, subscribe: impl FnOnce() -> Pollable) {
        match watch {
            Watch::Absent => self.set.add(key, subscribe()),
            Watch::Spent => self.rearm.push(key),
            Watch::Armed => {}
        }
        *watch = Watch::Armed;
    }

    /// Forgets a part, whose stream or socket may be dropped then.
    pub fn forget(&mut self, slot: u32, part: Part, watch: &mut Watch) {
        self.forget_key(key(slot, part), watch);
    }

    pub fn forget_itself(&mut self, watch: &mut Watch) {
        self.forget_key(SELF, watch);
    }

    fn forget_key(&mut self, key: u64, watch: &mut Watch) {
        if *watch != Watch::Absent {
            self.set.remove(key);
            *watch = Watch::Absent;
        }
    }

    /// Has the host wake us at a time, if it would do so later.
    pub fn wake_at(&mut self, at: u64) {
        if at < self.alarm {
            self.alarm = at;
            self.set.add(ALARM, monotonic_clock::subscribe_instant(at));
        }
    }

    /// What is ready, at most `max`.
    pub fn take(&mut self, max: u32) -> Vec<u64> {
        let found = self.set.take(&self.rearm, max);
        self.rearm.clear();
        found
    }

    /// Tells the host what is to be armed again, before it waits.
    pub fn settle(&mut self) {
        if !self.rearm.is_empty() {
            self.take(0);
        }
    }

    /// What a key stands for. The alarm is over with that.
    pub fn read(&mut self, key: u64) -> Ready {
        match key {
            ALARM => {
                self.alarm = NEVER;
                Ready::Alarm
            }
            SELF => Ready::Itself,
            _ => {
                let part = key as usize & ((1 << SHIFT) - 1);
                Ready::Part((key >> SHIFT) as u32, PARTS[part.min(PARTS.len() - 1)])
            }
        }
    }
}

fn key(slot: u32, part: Part) -> u64 {
    u64::from(slot) << SHIFT | part as u64
}
