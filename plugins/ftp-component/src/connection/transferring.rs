//! The transfer of a command: its data connection, its data, its end.

use super::*;
use crate::exchange::{Stage, Transfer};
use crate::pump::{Fault, Flow};

/// The codes of a transfer that failed: before it could begin, in the middle, on the host's side.
const NOT_OPENED: u16 = 425;
const BROKEN: u16 = 426;
const HOST: u16 = 451;

impl Connection {
    pub(super) fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        let current = self.current.as_mut()?;
        current.transfer.as_deref_mut()
    }

    /// Goes on with the data connection, and with the data. Says whether something moved.
    pub(super) fn transfer(&mut self, core: &mut Core, budget: &mut u64) -> Result<bool, Error> {
        let slot = self.owner.slot;
        let made = self.channel.advance(self.peer, &mut core.interests, slot);
        let Some(transfer) = self.transfer_mut().filter(|transfer| transfer.is_running()) else {
            if made.is_err() {
                // Who wants to transfer something later is told that there is no connection.
                self.channel.close(&mut core.interests, slot);
            }
            return Ok(false);
        };
        let stage = transfer.stage;
        let moved = match made {
            Ok(false) => return Ok(false),
            Ok(true) if stage == Stage::Opening => self.open_data(core),
            Ok(true) => self.pump(core, budget),
            Err(failure) => Err((NOT_OPENED, failure)),
        };
        Ok(moved.unwrap_or_else(|fault| {
            self.end_transfer(core, Some(fault));
            true
        }))
    }

    /// Begins TLS on the data connection where that is wanted, and waits for it.
    fn open_data(&mut self, core: &mut Core) -> Result<bool, (u16, Error)> {
        let private = self.protection.private;
        let (Some(transport), Some(current)) = (self.channel.transport(), &mut self.current) else {
            return Ok(false);
        };
        let Some(transfer) = &mut current.transfer else {
            return Ok(false);
        };
        let opened = (|| {
            if private && !transfer.secured {
                transfer.secured = true;
                transport.secure(&mut core.interests, self.owner.slot)?;
            }
            transport.room()
        })();
        match opened {
            Ok(0) => {
                transfer.blocked = Some(Part::DataOutput);
                Ok(false)
            }
            Ok(_) => {
                transfer.stage = Stage::Moving;
                transfer.last_moved = core.now;
                Ok(true)
            }
            Err(failure) => Err((NOT_OPENED, failure)),
        }
    }

    fn pump(&mut self, core: &mut Core, budget: &mut u64) -> Result<bool, (u16, Error)> {
        let (Some(transport), Some(current)) = (self.channel.transport(), &mut self.current) else {
            return Ok(false);
        };
        let Some(transfer) = &mut current.transfer else {
            return Ok(false);
        };
        let Some(job) = &mut transfer.job else {
            return Ok(false);
        };
        let before = job.count().moved;
        let flow = job.pump(transport, budget);
        transfer.count = job.count();
        if transfer.count.moved != before || transfer.blocked_by_host() {
            // While the host keeps the client waiting, the client's time stands still.
            transfer.last_moved = core.now;
        }
        match flow {
            Ok(Flow::Blocked(part)) => {
                transfer.blocked = Some(part);
                Ok(false)
            }
            Ok(Flow::Paused) => {
                transfer.blocked = None;
                *budget = 0;
                Ok(true)
            }
            Ok(Flow::End) => {
                self.end_transfer(core, None);
                Ok(true)
            }
            Err(Fault::Peer(failure)) => Err((BROKEN, failure)),
            Err(Fault::Host(failure)) => Err((HOST, failure)),
        }
    }

    /// Ends the transfer, if there is one that is not over; with a code and a reason if it failed. Tells the host.
    pub(super) fn end_transfer(&mut self, core: &mut Core, fault: Option<(u16, Error)>) {
        let slot = self.owner.slot;
        let Some(current) = &mut self.current else {
            return;
        };
        let id = current.id;
        let Some(transfer) = current
            .transfer
            .as_mut()
            .filter(|transfer| !transfer.is_over())
        else {
            return;
        };
        if transfer.is_running() {
            core.transfers = core.transfers.saturating_sub(1);
        }
        if let Some(job) = transfer.job.take() {
            transfer.count = job.count();
            job.close(&mut core.interests, slot);
        }
        let outcome = match fault {
            None => {
                transfer.stage = Stage::Complete;
                Ok(transfer.count.passed)
            }
            Some((code, failure)) => {
                transfer.stage = Stage::Failed(code);
                transfer.failure = Some(failure.clone());
                Err(failure)
            }
        };
        if let Some(transport) = self.channel.transport() {
            transport.end(&mut core.interests, slot);
        }
        self.channel.close(&mut core.interests, slot);
        core.transfer_end(id, outcome);
    }

    /// ABOR during a transfer: the host is told, and answers; then ABOR is answered.
    pub(super) fn call_off(&mut self, core: &mut Core) {
        let failure = error(ErrorKind::Cancelled, "the client has called it off");
        self.end_transfer(core, Some((BROKEN, failure)));
    }

    /// The time for the data connection, or for the next piece of data, is over.
    pub(super) fn time_out_transfer(&mut self, core: &mut Core) {
        let stage = self.transfer_mut().map(|transfer| transfer.stage);
        let (code, text) = match stage {
            Some(Stage::Moving) => (BROKEN, "nothing more was transferred"),
            _ => (NOT_OPENED, "the data connection was not made"),
        };
        self.end_transfer(core, Some((code, error(ErrorKind::Timeout, text))));
    }
}
