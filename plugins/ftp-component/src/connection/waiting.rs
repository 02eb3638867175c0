//! What a connection waits for, and for how long.

use super::*;
use crate::exchange::Stage;

impl Connection {
    /// An entry of the timers has come up.
    pub fn review(&mut self, core: &mut Core, entry: u64) {
        let now = core.now;
        if core
            .timers
            .review(self.owner, &mut self.deadline, entry, now)
        {
            self.expire(core);
            self.drive(core);
        }
    }

    fn expire(&mut self, core: &mut Core) {
        if self.reply_deadline(core) <= core.now {
            let text = "the client takes nothing of the reply";
            return self.cut(core, error(ErrorKind::Timeout, text));
        }
        match self.phase {
            Phase::Lingering(_, until) if until <= core.now => self.phase = Phase::Closed,
            Phase::Open if self.transfer_deadline(core) <= core.now => self.time_out_transfer(core),
            Phase::Open if self.login_deadline(core) <= core.now => {
                let failure = error(ErrorKind::Timeout, "the client did not log in");
                self.leave("It took too long to log in.", Some(failure));
            }
            Phase::Open if self.idle_deadline(core) <= core.now => {
                let failure = error(ErrorKind::Timeout, "the client gave no command");
                self.leave("There was no command for too long.", Some(failure));
            }
            _ => {}
        }
    }

    fn reply_deadline(&self, core: &Core) -> u64 {
        match self.wire.blocked {
            true => self
                .wire
                .last_out
                .saturating_add(core.settings.timeouts.reply),
            false => NEVER,
        }
    }

    fn login_deadline(&self, core: &Core) -> u64 {
        match self.login.user.is_none() && self.current.is_none() {
            true => self
                .login
                .began
                .saturating_add(core.settings.timeouts.login),
            false => NEVER,
        }
    }

    fn idle_deadline(&self, core: &Core) -> u64 {
        match self.current.is_none() {
            true => self.idle_since.saturating_add(core.settings.timeouts.idle),
            false => NEVER,
        }
    }

    fn transfer_deadline(&self, core: &Core) -> u64 {
        let timeouts = &core.settings.timeouts;
        let current = self.current.as_ref();
        let Some(transfer) = current.and_then(|current| current.transfer.as_ref()) else {
            return NEVER;
        };
        match transfer.stage {
            Stage::Opening => transfer.began.saturating_add(timeouts.data_connection),
            Stage::Moving if !transfer.blocked_by_host() => {
                transfer.last_moved.saturating_add(timeouts.transfer)
            }
            _ => NEVER,
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
        if self.phase == Phase::Open {
            self.want_data(core);
        }
        let at = match self.phase {
            Phase::Open => self
                .transfer_deadline(core)
                .min(self.login_deadline(core))
                .min(self.idle_deadline(core)),
            Phase::Lingering(_, until) => until,
            Phase::Closing | Phase::Closed => NEVER,
        };
        let at = at.min(self.reply_deadline(core));
        core.timers.set(self.owner, &mut self.deadline, at);
    }

    fn want_data(&mut self, core: &mut Core) {
        let slot = self.owner.slot;
        self.channel.want_progress(&mut core.interests, slot);
        let current = self.current.as_mut();
        let Some(transfer) = current.and_then(|current| current.transfer.as_mut()) else {
            return;
        };
        if !transfer.is_running() {
            return;
        }
        match (
            transfer.blocked,
            self.channel.transport(),
            &mut transfer.job,
        ) {
            (Some(Part::DataInput), Some(transport), _) => {
                transport.want_input(&mut core.interests, slot);
            }
            (Some(Part::DataOutput), Some(transport), _) => {
                transport.want_output(&mut core.interests, slot);
            }
            (Some(Part::Source | Part::Sink), _, Some(job)) => job.want(&mut core.interests, slot),
            _ => {}
        }
    }

    fn wants_input(&self) -> bool {
        if self.wire.readable || self.wire.ended {
            return false;
        }
        match self.phase {
            Phase::Open if self.protection.begins => false,
            Phase::Open if self.current.is_some() => self.held.len() < HELD && self.wire.has_room(),
            Phase::Open | Phase::Lingering(..) => true,
            Phase::Closing | Phase::Closed => false,
        }
    }
}
