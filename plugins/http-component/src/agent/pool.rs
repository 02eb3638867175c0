//! Which request gets which connection, and which connection has to make room.

use super::*;

impl Agent {
    /// A connection has nothing to do: it gets a request that waits, or is kept.
    pub(super) fn rest(&mut self, owner: Owner, origin: &Origin) {
        if let Some(job) = self.next_waiting(origin) {
            if let Some(job) = self.hand(owner, job) {
                self.place(job);
            }
            return;
        }
        if let Some(origin) = self.next_hungry() {
            // Others have waited for a connection to be closed.
            self.lose(owner.slot);
            self.feed(origin);
            return;
        }
        self.pools
            .entry(origin.clone())
            .or_default()
            .idle
            .push(owner);
        self.oldest.push_back(owner);
        if self.oldest.len() > 2 * self.shared.limits.connections as usize + 16 {
            let mut oldest = core::mem::take(&mut self.oldest);
            oldest.retain(|owner| self.is_idle(*owner));
            self.oldest = oldest;
        }
    }

    pub(super) fn is_idle(&self, owner: Owner) -> bool {
        let found = self
            .connections
            .get(owner.slot as usize)
            .and_then(Option::as_ref);
        found.is_some_and(|connection| connection.owner == owner && connection.is_idle())
    }

    /// Gives a request to an idle connection. Gives it back if the connection is gone.
    pub(super) fn hand(&mut self, owner: Owner, job: Box<Job>) -> Option<Box<Job>> {
        let id = job.id;
        let mut job = Some(job);
        let shared = &mut self.shared;
        if let Some(Some(connection)) = self.connections.get_mut(owner.slot as usize) {
            if connection.owner == owner && connection.is_idle() {
                job = job.and_then(|job| connection.take(shared, job));
            }
        }
        if job.is_none() {
            self.running.insert(id, Some(owner));
            self.with(owner, Upstream::drive);
        } else if self.knows(owner) {
            self.lose(owner.slot);
        }
        job
    }

    /// Finds a connection for a request, or a place to wait.
    pub(super) fn place(&mut self, mut job: Box<Job>) {
        let limits = self.shared.limits;
        while let Some(owner) = self
            .pools
            .get_mut(&job.origin)
            .and_then(|pool| pool.idle.pop())
        {
            match self.hand(owner, job) {
                None => return,
                Some(back) => job = back,
            }
        }
        let mine = self.pools.get(&job.origin).map_or(0, |pool| pool.open);
        if mine < limits.connections_per_authority {
            if self.open >= limits.connections {
                self.close_oldest();
            }
            if self.open < limits.connections {
                self.connect(job);
                return;
            }
            self.hungry.push_back(job.origin.clone());
        }
        let owner = Owner {
            slot: WAITING,
            id: job.id,
        };
        let at = job.deadline;
        self.shared.timers.set(owner, &mut job.timer, at);
        self.pools
            .entry(job.origin.clone())
            .or_default()
            .waiting
            .push_back(job.id);
        self.waiting.insert(job.id, job);
    }

    pub(super) fn connect(&mut self, job: Box<Job>) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() as u32 - 1
        });
        let owner = Owner {
            slot,
            id: self.next_connection,
        };
        self.next_connection += 1;
        self.open += 1;
        self.pools.entry(job.origin.clone()).or_default().open += 1;
        self.running.insert(job.id, Some(owner));
        let connection = Upstream::open(owner, job, &mut self.shared);
        self.connections[slot as usize] = Some(Box::new(connection));
        self.at(slot, Upstream::drive);
    }

    /// Closes the connection that has been idle for the longest time.
    pub(super) fn close_oldest(&mut self) {
        while let Some(owner) = self.oldest.pop_front() {
            if self.is_idle(owner) {
                self.remove(owner.slot);
                return;
            }
        }
    }

    /// Takes a connection out, and closes it.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Origin> {
        let connection = self.connections[slot as usize].take()?;
        let (origin, owner) = (connection.origin.clone(), connection.owner);
        connection.close(&mut self.shared);
        self.free.push(slot);
        self.open -= 1;
        if let Some(pool) = self.pools.get_mut(&origin) {
            pool.open -= 1;
            pool.idle.retain(|idle| *idle != owner);
            if pool.open == 0 && pool.waiting.is_empty() {
                self.pools.remove(&origin);
            }
        }
        Some(origin)
    }

    /// A connection is gone: who waits for room gets a new one.
    pub(super) fn lose(&mut self, slot: u32) {
        if let Some(origin) = self.remove(slot) {
            self.feed(origin);
            if let Some(origin) = self.next_hungry() {
                self.feed(origin);
            }
        }
    }

    /// Has the next request of an origin, if there is one, find a connection.
    pub(super) fn feed(&mut self, origin: Origin) {
        if let Some(job) = self.next_waiting(&origin) {
            self.place(job);
        }
    }

    pub(super) fn next_waiting(&mut self, origin: &Origin) -> Option<Box<Job>> {
        let pool = self.pools.get_mut(origin)?;
        while let Some(id) = pool.waiting.pop_front() {
            if let Some(job) = self.waiting.remove(&id) {
                return Some(job);
            }
        }
        if pool.open == 0 {
            self.pools.remove(origin);
        }
        None
    }

    /// The next origin with requests for which there was no room.
    pub(super) fn next_hungry(&mut self) -> Option<Origin> {
        while let Some(origin) = self.hungry.pop_front() {
            if self
                .pools
                .get(&origin)
                .is_some_and(|pool| !pool.waiting.is_empty())
            {
                return Some(origin);
            }
        }
        None
    }
}
