//! Deadlines of many things at a price that grows with those that fall due, not with those that are moved.
//!
//! A deadline that moves to a later time leaves its entry where it is: when that comes up, the owner is asked for the
//! present deadline and the entry is put back. So a connection that is busy moves its deadline with each request and
//! has still one entry.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// Entries that may be kept for nobody.
const SPARE: usize = 1024;

/// Who has a deadline: a place in a table, and the number that tells who has the place now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    pub slot: u32,
    pub id: u64,
}

/// What an owner keeps for the timers. Times are those of the monotonic clock, in nanoseconds.
#[derive(Debug)]
pub struct Deadline {
    pub at: u64,
    /// When its entry comes up; no later than `at`.
    scheduled: u64,
}

impl Default for Deadline {
    fn default() -> Self {
        Self {
            at: NEVER,
            scheduled: NEVER,
        }
    }
}

#[derive(Default)]
pub struct Timers(BinaryHeap<Reverse<(u64, Owner)>>);

impl Timers {
    /// Sets the deadline of an owner.
    pub fn set(&mut self, owner: Owner, deadline: &mut Deadline, at: u64) {
        deadline.at = at;
        if at < deadline.scheduled {
            deadline.scheduled = at;
            self.0.push(Reverse((at, owner)));
        }
    }

    /// When the next entry comes up.
    pub fn next(&self) -> u64 {
        self.0.peek().map_or(NEVER, |entry| entry.0 .0)
    }

    /// Forgets entries whose owners are gone, if most are. `open`: how many owners there are.
    ///
    /// So what is kept grows with the owners that there are, and not with those that have come and gone, at a price
    /// that each of these has paid a part of.
    pub fn prune(&mut self, open: usize, is_alive: impl Fn(Owner) -> bool) {
        if self.0.len() > 4 * open + SPARE {
            self.0.retain(|Reverse((_, owner))| is_alive(*owner));
        }
    }

    /// Takes an entry out that has come up. The owner, if there still is one, is to be given to `review`.
    pub fn due(&mut self, now: u64) -> Option<(u64, Owner)> {
        if self.next() > now {
            return None;
        }
        self.0.pop().map(|entry| entry.0)
    }

    /// Whether the deadline whose entry came up at `entry` is over; if it is not, it has an entry again.
    pub fn review(&mut self, owner: Owner, deadline: &mut Deadline, entry: u64, now: u64) -> bool {
        if entry != deadline.scheduled {
            return false;
        }
        deadline.scheduled = NEVER;
        if deadline.at <= now {
            deadline.at = NEVER;
            return true;
        }
        if deadline.at != NEVER {
            self.set(owner, deadline, deadline.at);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const ONE: Owner = Owner { slot: 1, id: 7 };

    fn fire(timers: &mut Timers, deadline: &mut Deadline, now: u64) -> Vec<bool> {
        let mut found = Vec::new();
        while let Some((entry, owner)) = timers.due(now) {
            found.push(timers.review(owner, deadline, entry, now));
        }
        found
    }

    #[test]
    fn a_deadline_that_moves_away_keeps_one_entry() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        for at in 10..1000 {
            timers.set(ONE, &mut deadline, at);
        }
        assert_eq!(timers.0.len(), 1);
        assert_eq!(fire(&mut timers, &mut deadline, 10), [false]);
        assert_eq!(timers.next(), 999);
        assert_eq!(fire(&mut timers, &mut deadline, 999), [true]);
    }

    #[test]
    fn a_deadline_that_comes_nearer_is_over_once() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.set(ONE, &mut deadline, 100);
        timers.set(ONE, &mut deadline, 50);
        assert_eq!(fire(&mut timers, &mut deadline, 200), [true, false]);
        assert_eq!(timers.next(), NEVER);
    }

    #[test]
    fn entries_of_owners_that_are_gone_do_not_pile_up() {
        let mut timers = Timers::default();
        for id in 0..100_000 {
            let owner = Owner { slot: 0, id };
            timers.set(owner, &mut Deadline::default(), id + 1_000_000);
            timers.prune(1, |owner| owner.id == id);
            assert!(timers.0.len() <= SPARE + 5);
        }
    }

    #[test]
    fn a_deadline_that_is_taken_away_is_never_over() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        timers.set(ONE, &mut deadline, 5);
        timers.set(ONE, &mut deadline, NEVER);
        assert_eq!(fire(&mut timers, &mut deadline, 9), [false]);
    }
}
