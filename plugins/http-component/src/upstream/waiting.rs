//! What a connection waits for, and for how long.

use super::*;

impl Upstream {
    /// An entry of the timers has come up.
    pub fn review(&mut self, shared: &mut Shared, entry: u64) {
        if shared
            .timers
            .review(self.owner, &mut self.deadline, entry, shared.now)
        {
            if let Some(reason) = self.expired(shared) {
                self.end(shared, error(ErrorKind::Timeout, reason));
            } else if let Err(failure) = self.pass_turn(shared) {
                self.end(shared, failure);
            }
            self.settle(shared);
        }
    }

    pub(super) fn expired(&self, shared: &Shared) -> Option<&'static str> {
        self.deadlines(shared)
            .into_iter()
            .find(|(at, _)| *at <= shared.now)
            .map(|(_, reason)| reason)
    }

    /// When what has to be done, with what to say when it is not.
    pub(super) fn deadlines(&self, shared: &Shared) -> [(u64, &'static str); 3] {
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

    pub(super) fn settle(&mut self, shared: &mut Shared) {
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
        shared.timers.set(
            self.owner,
            &mut self.deadline,
            next.unwrap_or(NEVER).min(self.turn_until),
        );
    }

    pub(super) fn settle_wire(&mut self, shared: &mut Shared) {
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
