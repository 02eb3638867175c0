//! The event bus: updates on their way to subscriptions, each kept until it is acknowledged.
//!
//! An update is stored once and shared by the queues that hold it. It knows queues and tokens; what an update says is
//! only looked at by filters.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::bindings::exports::runner::progress::events::{
    Batch, Filter, Overflow, SubscriptionOptions,
};
use crate::bindings::runner::progress::types::{Error, ErrorKind, Phase, Phases, ProgressUpdate};
use crate::workbook::error;

/// The most updates that a subscription may hold.
const MAX_CAPACITY: u32 = 65_536;

/// What a subscription holds.
struct Queue {
    filter: Filter,
    capacity: usize,
    overflow: Overflow,
    /// Waiting to be taken, oldest first.
    waiting: VecDeque<Rc<ProgressUpdate>>,
    /// Taken and not acknowledged, oldest first.
    taken: VecDeque<Rc<ProgressUpdate>>,
    /// Dropped since the last batch.
    missed: u64,
    /// Whether its token stands in the list of those that woke.
    listed: bool,
    /// Whether `wakeful` has named it since it was last empty.
    named: bool,
}

/// What has happened since it was last asked.
#[derive(Default)]
pub struct Counts {
    pub published: u64,
    pub refused: u64,
    pub delivered: u64,
    pub acknowledged: u64,
    pub dropped: u64,
}

/// All subscriptions, and the ids of updates.
#[derive(Default)]
pub struct Bus {
    queues: BTreeMap<u64, Queue>,
    last_id: u64,
    last_token: u64,
    /// Tokens of queues that became ready; some may have been emptied or closed since.
    awake: VecDeque<u64>,
    /// Updates in all queues together.
    queued: usize,
    pub counts: Counts,
}

impl Filter {
    fn admits(&self, update: &ProgressUpdate) -> bool {
        fn matches(wanted: &Option<alloc::string::String>, found: Option<&str>) -> bool {
            wanted.as_deref().is_none_or(|name| found == Some(name))
        }
        matches(&self.user, Some(&update.scope.user))
            && matches(&self.task, Some(&update.scope.task))
            && matches(&self.tenant, update.scope.tenant.as_deref())
            && (self.phases.is_empty() || self.phases.contains(flag(update.phase)))
    }
}

fn flag(phase: Phase) -> Phases {
    match phase {
        Phase::Initiating => Phases::INITIATING,
        Phase::Planning => Phases::PLANNING,
        Phase::Executing => Phases::EXECUTING,
        Phase::Monitoring => Phases::MONITORING,
        Phase::Closing => Phases::CLOSING,
    }
}

impl Queue {
    fn is_full(&self) -> bool {
        self.waiting.len() + self.taken.len() >= self.capacity
    }

    /// Something waits: lists the queue for `wakeful` unless it is listed or has been named already.
    fn wake(&mut self, token: u64, awake: &mut VecDeque<u64>) {
        if !self.listed && !self.named {
            self.listed = true;
            awake.push_back(token);
        }
    }
}

impl Bus {
    /// How many subscriptions there are.
    pub fn subscriptions(&self) -> usize {
        self.queues.len()
    }

    /// How many updates wait or are not acknowledged, each counted once a queue.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// The id of the last update, 0 before the first.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Opens a subscription and gives its token.
    pub fn open(&mut self, options: SubscriptionOptions) -> Result<u64, Error> {
        if !(1..=MAX_CAPACITY).contains(&options.capacity) {
            return Err(error(
                ErrorKind::InvalidArgument,
                format!(
                    "capacity {} is not from 1 to {MAX_CAPACITY}",
                    options.capacity
                ),
            ));
        }
        self.last_token += 1;
        let queue = Queue {
            filter: options.filter,
            capacity: options.capacity as usize,
            overflow: options.overflow,
            waiting: VecDeque::new(),
            taken: VecDeque::new(),
            missed: 0,
            listed: false,
            named: false,
        };
        self.queues.insert(self.last_token, queue);
        Ok(self.last_token)
    }

    /// Closes a subscription; what it held is gone.
    pub fn close(&mut self, token: u64) {
        if let Some(queue) = self.queues.remove(&token) {
            self.queued -= queue.waiting.len() + queue.taken.len();
        }
    }

    /// Gives an update its id and puts it into the queues that want it.
    ///
    /// Where one of them is full and must not lose anything, nothing happens but an error.
    pub fn publish(&mut self, update: &ProgressUpdate) -> Result<u64, Error> {
        let refusing = self.queues.iter().find(|(_, queue)| {
            matches!(queue.overflow, Overflow::Refuse)
                && queue.is_full()
                && queue.filter.admits(update)
        });
        if let Some((token, queue)) = refusing {
            self.counts.refused += 1;
            return Err(error(
                ErrorKind::Exhausted,
                format!(
                    "subscription {token} holds {} updates already",
                    queue.capacity
                ),
            ));
        }
        self.last_id += 1;
        self.counts.published += 1;
        let mut update = update.clone();
        update.id = self.last_id;
        let update = Rc::new(update);
        for (token, queue) in &mut self.queues {
            if !queue.filter.admits(&update) {
                continue;
            }
            if queue.is_full() {
                queue.missed += 1;
                self.counts.dropped += 1;
                if queue.waiting.pop_front().is_none() {
                    continue;
                }
                self.queued -= 1;
            }
            queue.waiting.push_back(Rc::clone(&update));
            self.queued += 1;
            queue.wake(*token, &mut self.awake);
        }
        Ok(self.last_id)
    }

    /// Takes up to `max` updates that wait.
    pub fn recv(&mut self, token: u64, max: u32) -> Batch {
        let Some(queue) = self.queues.get_mut(&token) else {
            return Batch {
                updates: Vec::new(),
                missed: 0,
            };
        };
        let count = queue.waiting.len().min(max as usize);
        let mut updates = Vec::with_capacity(count);
        for update in queue.waiting.drain(..count) {
            updates.push((*update).clone());
            queue.taken.push_back(update);
        }
        if queue.waiting.is_empty() {
            queue.named = false;
        }
        self.counts.delivered += count as u64;
        Batch {
            updates,
            missed: core::mem::take(&mut queue.missed),
        }
    }

    /// How many updates wait to be taken.
    pub fn ready(&self, token: u64) -> u32 {
        self.queues
            .get(&token)
            .map_or(0, |queue| queue.waiting.len() as u32)
    }

    /// Acknowledges what was taken, up to an id.
    pub fn ack(&mut self, token: u64, up_to: u64) -> Result<u32, Error> {
        let Some(queue) = self.queues.get_mut(&token) else {
            return Ok(0);
        };
        let untaken = queue
            .waiting
            .front()
            .map_or(self.last_id + 1, |update| update.id);
        if up_to >= untaken {
            return Err(error(
                ErrorKind::InvalidArgument,
                format!("update {up_to} has not been taken"),
            ));
        }
        let count = queue.taken.partition_point(|update| update.id <= up_to);
        queue.taken.drain(..count);
        self.queued -= count;
        self.counts.acknowledged += count as u64;
        Ok(count as u32)
    }

    /// Puts back what was taken and not acknowledged.
    pub fn redeliver(&mut self, token: u64) -> u32 {
        let Some(queue) = self.queues.get_mut(&token) else {
            return 0;
        };
        let count = queue.taken.len();
        while let Some(update) = queue.taken.pop_back() {
            queue.waiting.push_front(update);
        }
        if count > 0 {
            queue.wake(token, &mut self.awake);
        }
        count as u32
    }

    /// Up to `max` tokens of subscriptions that became ready.
    pub fn wakeful(&mut self, max: u32) -> Vec<u64> {
        let mut found = Vec::new();
        while found.len() < max as usize {
            let Some(token) = self.awake.pop_front() else {
                break;
            };
            let Some(queue) = self.queues.get_mut(&token) else {
                continue;
            };
            queue.listed = false;
            if !queue.waiting.is_empty() {
                queue.named = true;
                found.push(token);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::runner::progress::types::Scope;

    fn filter() -> Filter {
        Filter {
            user: None,
            task: None,
            tenant: None,
            phases: Phases::empty(),
        }
    }

    fn options(capacity: u32, overflow: Overflow) -> SubscriptionOptions {
        SubscriptionOptions {
            filter: filter(),
            capacity,
            overflow,
        }
    }

    fn update(user: &str, phase: Phase) -> ProgressUpdate {
        ProgressUpdate {
            id: 0,
            scope: Scope {
                user: user.into(),
                task: "t".into(),
                tenant: None,
            },
            phase,
            progress: 0.0,
            timestamp: 0,
            changes: Vec::new(),
            failure: None,
        }
    }

    fn publish(bus: &mut Bus) -> Result<u64, Error> {
        bus.publish(&update("ada", Phase::Executing))
    }

    fn ids(batch: &Batch) -> Vec<u64> {
        batch.updates.iter().map(|update| update.id).collect()
    }

    #[test]
    fn a_capacity_is_from_1_to_65536() {
        let mut bus = Bus::default();
        for (capacity, good) in [(0, false), (1, true), (65_536, true), (65_537, false)] {
            assert_eq!(
                bus.open(options(capacity, Overflow::Refuse)).is_ok(),
                good,
                "{capacity}"
            );
        }
    }

    #[test]
    fn a_refused_update_reaches_nobody_and_takes_no_id() {
        let mut bus = Bus::default();
        let small = bus.open(options(1, Overflow::Refuse)).unwrap();
        let large = bus.open(options(9, Overflow::Refuse)).unwrap();
        assert_eq!(publish(&mut bus).unwrap(), 1);
        assert_eq!(publish(&mut bus).err().unwrap().kind, ErrorKind::Exhausted);
        assert_eq!((bus.ready(small), bus.ready(large)), (1, 1));
        bus.recv(small, 1);
        assert!(publish(&mut bus).is_err(), "taken is not acknowledged");
        bus.ack(small, 1).unwrap();
        assert_eq!(publish(&mut bus).unwrap(), 2);
        assert_eq!(bus.counts.refused, 2);
    }

    #[test]
    fn dropping_keeps_what_was_taken() {
        let mut bus = Bus::default();
        let token = bus.open(options(2, Overflow::DropOldest)).unwrap();
        publish(&mut bus).unwrap();
        assert_eq!(ids(&bus.recv(token, 1)), [1]);
        publish(&mut bus).unwrap();
        publish(&mut bus).unwrap();
        let batch = bus.recv(token, 9);
        assert_eq!((ids(&batch), batch.missed), ([3].to_vec(), 1));
        publish(&mut bus).unwrap();
        let batch = bus.recv(token, 9);
        assert_eq!((ids(&batch), batch.missed), ([].to_vec(), 1));
        assert_eq!(bus.redeliver(token), 2);
        assert_eq!(ids(&bus.recv(token, 9)), [1, 3]);
    }

    #[test]
    fn acknowledging_frees_up_to_an_id_and_not_beyond_what_was_taken() {
        let mut bus = Bus::default();
        let token = bus.open(options(9, Overflow::Refuse)).unwrap();
        for _ in 0..4 {
            publish(&mut bus).unwrap();
        }
        bus.recv(token, 3);
        assert_eq!(bus.ack(token, 2).unwrap(), 2);
        assert_eq!(bus.ack(token, 2).unwrap(), 0);
        assert_eq!(
            bus.ack(token, 4).err().unwrap().kind,
            ErrorKind::InvalidArgument
        );
        assert_eq!(bus.ack(token, 3).unwrap(), 1);
        assert_eq!(bus.queued(), 1);
        bus.close(token);
        assert_eq!(bus.queued(), 0);
    }

    #[test]
    fn filters_admit_what_they_name() {
        let mut bus = Bus::default();
        let mut wanted = options(9, Overflow::Refuse);
        wanted.filter.user = Some("bob".into());
        wanted.filter.phases = Phases::PLANNING | Phases::CLOSING;
        let token = bus.open(wanted).unwrap();
        for (user, phase) in [
            ("ada", Phase::Planning),
            ("bob", Phase::Executing),
            ("bob", Phase::Closing),
        ] {
            bus.publish(&update(user, phase)).unwrap();
        }
        assert_eq!(ids(&bus.recv(token, 9)), [3]);
    }

    #[test]
    fn wakeful_does_not_name_twice_what_was_emptied_before_it_was_named() {
        let mut bus = Bus::default();
        let token = bus.open(options(9, Overflow::Refuse)).unwrap();
        publish(&mut bus).unwrap();
        bus.recv(token, 9);
        publish(&mut bus).unwrap();
        assert_eq!(bus.wakeful(1), [token]);
        assert!(bus.wakeful(1).is_empty());
        bus.recv(token, 9);
        assert_eq!(bus.redeliver(token), 2);
        assert_eq!(bus.wakeful(1), [token]);
    }

    #[test]
    fn wakeful_names_a_queue_once_until_it_was_empty() {
        let mut bus = Bus::default();
        let tokens: Vec<u64> = (0..3)
            .map(|_| bus.open(options(9, Overflow::Refuse)).unwrap())
            .collect();
        publish(&mut bus).unwrap();
        assert_eq!(bus.wakeful(2), tokens[..2]);
        assert_eq!(bus.wakeful(2), tokens[2..]);
        publish(&mut bus).unwrap();
        assert!(bus.wakeful(9).is_empty());
        bus.recv(tokens[0], 1);
        publish(&mut bus).unwrap();
        assert!(bus.wakeful(9).is_empty(), "it was not empty in between");
        bus.recv(tokens[0], 9);
        publish(&mut bus).unwrap();
        bus.close(tokens[1]);
        assert_eq!(bus.wakeful(9), tokens[..1]);
    }
}
