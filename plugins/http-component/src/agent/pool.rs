//! Which request gets which connection, and which connection has to make room.

use super::*;

impl Agent {
    /// A connection has nothing to do: it gets the request that has waited longest, or makes room for it, or is kept.
    pub(super) fn rest(&mut self, owner: Owner, origin: &Origin) {
        let own = self.first_of(origin);
        let other = self.first_hungry();
        if let Some(other) = other.filter(|other| own.is_none_or(|own| *other < own)) {
            self.remove(owner.slot);
            self.serve(other);
            self.hunger_after(own);
            return;
        }
        if let Some(job) = own.and_then(|own| self.waiting.remove(&own)) {
            if let Some(job) = self.hand(owner, job) {
                self.place(job);
            }
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
        let hungry = mine < limits.connections_per_authority;
        if hungry {
            if self.open >= limits.connections {
                self.close_oldest();
            }
            if self.open < limits.connections {
                self.connect(job);
                return;
            }
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
        if hungry {
            self.hunger(owner.id);
        }
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
        }
        self.tidy(&origin);
        Some(origin)
    }

    /// A connection is gone: who has waited longest for room gets a new one.
    pub(super) fn lose(&mut self, slot: u32) {
        let Some(origin) = self.remove(slot) else {
            return;
        };
        let own = self.first_of(&origin);
        let other = self.first_hungry();
        match (own, other) {
            (own, Some(other)) if own.is_none_or(|own| other < own) => {
                self.serve(other);
                self.hunger_after(own);
            }
            (Some(own), _) => self.serve(own),
            _ => {}
        }
    }

    /// A request has lost a connection to another that waited longer: it does not wait for one of its own any more.
    fn hunger_after(&mut self, own: Option<u64>) {
        if let Some(own) = own.filter(|own| self.waiting.contains_key(own)) {
            self.hunger(own);
        }
    }

    /// A request waits because there are too many connections.
    fn hunger(&mut self, id: u64) {
        let at = self.hungry.partition_point(|other| *other < id);
        if self.hungry.get(at) != Some(&id) {
            self.hungry.insert(at, id);
        }
        // Those who wait no more are forgotten, if they are many.
        if self.hungry.len() > 2 * self.waiting.len() + 16 {
            let waiting = &self.waiting;
            self.hungry.retain(|id| waiting.contains_key(id));
        }
    }

    /// Has a request that waits find a connection, for which there is room.
    fn serve(&mut self, id: u64) {
        if let Some(job) = self.waiting.remove(&id) {
            self.place(job);
        }
    }

    /// The request to an origin that has waited longest.
    fn first_of(&mut self, origin: &Origin) -> Option<u64> {
        let pool = self.pools.get_mut(origin)?;
        while let Some(id) = pool.waiting.front() {
            if self.waiting.contains_key(id) {
                return Some(*id);
            }
            pool.waiting.pop_front();
        }
        None
    }

    /// The request that has waited longest because there were too many connections. Who waits only for others to the
    /// same origin by now is none of them.
    fn first_hungry(&mut self) -> Option<u64> {
        let most = self.shared.limits.connections_per_authority;
        while let Some(id) = self.hungry.front() {
            if let Some(job) = self.waiting.get(id) {
                let open = self.pools.get(&job.origin).map_or(0, |pool| pool.open);
                if open < most {
                    return Some(*id);
                }
            }
            self.hungry.pop_front();
        }
        None
    }

    /// Forgets what there is of an origin, if it is nothing any more.
    pub(super) fn tidy(&mut self, origin: &Origin) {
        let waits = self.first_of(origin).is_some();
        if self
            .pools
            .get(origin)
            .is_some_and(|pool| pool.open == 0 && !waits)
        {
            self.pools.remove(origin);
        }
    }
}
