//! What a connection waits for, and for how long.

use super::*;

impl Connection {
    /// An entry of the timers has come up.
    pub fn review(&mut self, core: &mut Core, entry: u64) {
        if core
            .timers
            .review(self.owner, &mut self.deadline, entry, core.now)
        {
            self.expire(core);
            self.drive(core);
        }
    }

    pub(super) fn expire(&mut self, core: &mut Core) {
        if self.wire.blocked && self.write_deadline(core) <= core.now {
            self.cut(
                core,
                error(ErrorKind::Timeout, "the client takes nothing of the answer"),
            );
            return;
        }
        if self.read_deadline(core) > core.now {
            return;
        }
        match &mut self.phase {
            Phase::Idle => self.phase = Phase::Closing(false),
            Phase::Head => self.refuse(
                core,
                Refusal::new(408, "the head of the request took too long"),
            ),
            Phase::Exchange(exchange) if matches!(exchange.intake, Intake::Discarding(_)) => {
                exchange.leave()
            }
            Phase::Exchange(_) => self.refuse(
                core,
                Refusal::new(408, "the content of the request took too long"),
            ),
            Phase::Lingering(..) => self.phase = Phase::Closed,
            Phase::Closing(_) | Phase::Closed => {}
        }
    }

    pub(super) fn read_deadline(&self, core: &Core) -> u64 {
        let timeouts = &core.timeouts;
        match &self.phase {
            _ if self.stalled => NEVER,
            Phase::Idle if core.stopping => {
                self.began.saturating_add(timeouts.idle.min(FIRST_REQUEST))
            }
            Phase::Idle => self.began.saturating_add(timeouts.idle),
            Phase::Head => self.began.saturating_add(timeouts.header),
            Phase::Exchange(exchange) => match exchange.intake {
                Intake::Flowing(_) if self.waits_sink => NEVER,
                Intake::Flowing(_) | Intake::Collecting(..) | Intake::Discarding(_) => {
                    self.wire.last_in.saturating_add(timeouts.content)
                }
                _ => NEVER,
            },
            Phase::Lingering(_, until) => *until,
            Phase::Closing(_) | Phase::Closed => NEVER,
        }
    }

    pub(super) fn write_deadline(&self, core: &Core) -> u64 {
        match self.wire.blocked {
            true => self.wire.last_out.saturating_add(core.timeouts.send),
            false => NEVER,
        }
    }

    /// Says what is to be waited for.
    pub(super) fn settle(&mut self, core: &mut Core) {
        let slot = self.owner.slot;
        if self.wants_input() {
            self.wire.transport.want_input(&mut core.interests, slot);
        }
        if self.wire.blocked {
            self.wire.transport.want_output(&mut core.interests, slot);
        }
        if let Phase::Exchange(exchange) = &mut self.phase {
            if let (true, Answer::Streaming(source)) = (self.waits_source, &mut exchange.answer) {
                source.want(&mut core.interests, slot);
            }
            if let (true, Intake::Flowing(sink)) = (self.waits_sink, &mut exchange.intake) {
                sink.want(&mut core.interests, slot);
            }
        }
        let at = self.read_deadline(core).min(self.write_deadline(core));
        core.timers.set(self.owner, &mut self.deadline, at);
    }

    pub(super) fn wants_input(&self) -> bool {
        if self.wire.readable || self.wire.ended {
            return false;
        }
        match &self.phase {
            Phase::Idle | Phase::Head => !self.stalled,
            Phase::Exchange(exchange) => match exchange.intake {
                Intake::Collecting(..) | Intake::Discarding(_) => true,
                Intake::Flowing(_) => !self.waits_sink,
                Intake::Offered(_) | Intake::Done | Intake::Left => self.wire.inbox.len() < AHEAD,
            },
            Phase::Lingering(..) => true,
            Phase::Closing(_) | Phase::Closed => false,
        }
    }
}
