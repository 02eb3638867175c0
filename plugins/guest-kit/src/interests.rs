//! What is waited for: the host's poll set, and what it was told.
//!
//! A key stands for a place in a table and for what is waited for there. What is to be armed again is collected, and
//! goes to the host once for all. Which contract has the set, and what there is to wait for, its user says.

use crate::timers::NEVER;
use alloc::vec::Vec;
use core::marker::PhantomData;

/// `poll-set` of `runner:host/readiness`, as the bindings of a world have it.
pub trait PollSet {
    /// `pollable` of `wasi:io/poll`.
    type Pollable;
    /// An empty set.
    fn empty() -> Self;
    /// Puts a pollable in, armed.
    fn put(&self, key: u64, pollable: Self::Pollable);
    /// Drops the pollable of a key.
    fn drop_key(&self, key: u64);
    /// Arms keys again, and gives up to `max` of those that are ready.
    fn ready(&self, rearm: &[u64], max: u32) -> Vec<u64>;
    /// A pollable that is ready when the set has a key.
    fn pollable(&self) -> Self::Pollable;
    /// A pollable that is ready at a time of the monotonic clock.
    fn at(time: u64) -> Self::Pollable;
}

/// What may be waited for at a place.
pub trait Part: Copy + Sized + 'static {
    /// All of them, at most eight.
    const ALL: &'static [Self];
    /// The position in `ALL`.
    fn position(self) -> u64;
}

const SHIFT: u32 = 3;
/// The key of the next deadline.
const ALARM: u64 = u64::MAX;
/// The key of what has no place in the table: the listening socket.
const SELF: u64 = u64::MAX - 1;
/// The key of what has to be done at once.
const NOW: u64 = u64::MAX - 2;

/// What has become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready<P> {
    /// A part of a place.
    Part(u32, P),
    /// The next deadline is over.
    Alarm,
    /// The listening socket is.
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

/// What a component waits for.
pub struct Interests<S, P> {
    set: S,
    parts: PhantomData<P>,
    rearm: Vec<u64>,
    /// When the host is to wake us.
    alarm: u64,
    /// Whether it is to do so at once. What is ready always stays in the set, and is armed for that.
    now: Watch,
}

impl<S: PollSet, P: Part> Default for Interests<S, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: PollSet, P: Part> Interests<S, P> {
    /// Waits for nothing.
    pub fn new() -> Self {
        Self {
            set: S::empty(),
            parts: PhantomData,
            rearm: Vec::new(),
            alarm: NEVER,
            now: Watch::Absent,
        }
    }

    /// A pollable that is ready when anything is.
    pub fn subscribe(&self) -> S::Pollable {
        self.set.pollable()
    }

    /// Has the host say when a part is ready.
    pub fn want(
        &mut self,
        slot: u32,
        part: P,
        watch: &mut Watch,
        subscribe: impl FnOnce() -> S::Pollable,
    ) {
        self.want_key(key(slot, part), watch, subscribe);
    }

    /// The same of the listening socket.
    pub fn want_itself(&mut self, watch: &mut Watch, subscribe: impl FnOnce() -> S::Pollable) {
        self.want_key(SELF, watch, subscribe);
    }

    fn want_key(&mut self, key: u64, watch: &mut Watch, subscribe: impl FnOnce() -> S::Pollable) {
        match watch {
            Watch::Absent => self.set.put(key, subscribe()),
            Watch::Spent => self.rearm.push(key),
            Watch::Armed => {}
        }
        *watch = Watch::Armed;
    }

    /// Forgets a part, whose stream or socket may be dropped then.
    pub fn forget(&mut self, slot: u32, part: P, watch: &mut Watch) {
        self.forget_key(key(slot, part), watch);
    }

    /// The same of the listening socket.
    pub fn forget_itself(&mut self, watch: &mut Watch) {
        self.forget_key(SELF, watch);
    }

    fn forget_key(&mut self, key: u64, watch: &mut Watch) {
        if *watch != Watch::Absent {
            self.set.drop_key(key);
            *watch = Watch::Absent;
        }
    }

    /// Has the host wake us at a time, if it would do so later.
    pub fn wake_at(&mut self, at: u64) {
        if at < self.alarm {
            self.alarm = at;
            self.set.put(ALARM, S::at(at));
        }
    }

    /// Has the host wake us at once.
    pub fn wake_now(&mut self) {
        let mut now = self.now;
        self.want_key(NOW, &mut now, || S::at(0));
        self.now = now;
    }

    /// What is ready, at most `max`.
    pub fn take(&mut self, max: u32) -> Vec<u64> {
        let found = self.set.ready(&self.rearm, max);
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
    pub fn read(&mut self, key: u64) -> Ready<P> {
        match key {
            ALARM => {
                self.alarm = NEVER;
                Ready::Alarm
            }
            NOW => {
                self.now.spend();
                Ready::Alarm
            }
            SELF => Ready::Itself,
            _ => {
                let part = key as usize & ((1 << SHIFT) - 1);
                Ready::Part((key >> SHIFT) as u32, P::ALL[part.min(P::ALL.len() - 1)])
            }
        }
    }
}

fn key<P: Part>(slot: u32, part: P) -> u64 {
    u64::from(slot) << SHIFT | part.position()
}
