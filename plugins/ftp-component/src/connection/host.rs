//! What the host does with a command: transfers its data, and answers it.

use super::*;
use crate::answers::answer;
use crate::bindings::component::ftp::types::OutgoingData;
use crate::bindings::exports::component::ftp::control::{
    ListingStyle, Refusal, RefusalReason, Response,
};
use crate::bindings::exports::component::ftp::data_plane::OutputStream;
use crate::bindings::wasi::clocks::wall_clock;
use crate::exchange::{Job, Stage, Way};
use crate::listing::Format;
use crate::pump::{Receiving, Sending};
use alloc::format;

impl Connection {
    /// Sends data to the client.
    pub fn send_data(&mut self, core: &mut Core, id: u64, data: OutgoingData) -> Result<(), Error> {
        let way = self.offered(id)?;
        let limit = core.settings.limits.inline_data as usize;
        let style = match (way, &data) {
            (Way::In, _) => Err("the command wants to send data"),
            (Way::Out(None), OutgoingData::Entries(_)) => Err("entries are for listings alone"),
            (_, OutgoingData::Inline(bytes)) if bytes.len() > limit => {
                Err("data that are too long to be inline")
            }
            (Way::Out(style), _) => Ok(style.unwrap_or(ListingStyle::Names)),
        };
        let style = style.map_err(|reason| self.misfit(core, id, reason))?;
        let (ascii, hold) = (self.agreed.ascii, core.settings.limits.stream_buffer);
        let job = Sending::new(data, self.format(style), ascii, hold);
        self.begin_transfer(core, Job::Sending(job), None);
        Ok(())
    }

    /// Receives data from the client. `name`: what the new file is called, for STOU.
    pub fn recv_data(
        &mut self,
        core: &mut Core,
        id: u64,
        sink: OutputStream,
        name: Option<String>,
    ) -> Result<(), Error> {
        if self.offered(id)? != Way::In {
            return Err(self.misfit(core, id, "the command wants to receive data"));
        }
        let (ascii, hold) = (self.agreed.ascii, core.settings.limits.stream_buffer);
        let job = Receiving::new(sink, ascii, hold);
        self.begin_transfer(core, Job::Receiving(job), name);
        Ok(())
    }

    /// The way of a transfer that has not begun.
    fn offered(&mut self, id: u64) -> Result<Way, Error> {
        let current = self.current.as_mut().filter(|current| current.id == id);
        let transfer = current.and_then(|current| current.transfer.as_mut());
        match transfer {
            Some(transfer) if transfer.stage == Stage::Offered => Ok(transfer.way),
            Some(transfer) => Err(transfer.failure.clone().unwrap_or_else(over)),
            None => Err(over()),
        }
    }

    fn misfit(&mut self, core: &mut Core, id: u64, reason: &str) -> Error {
        self.unwanted(core, id);
        error(ErrorKind::InvalidArgument, reason)
    }

    fn begin_transfer(&mut self, core: &mut Core, job: Job, name: Option<String>) {
        let slot = self.owner.slot;
        let made = self.channel.advance(self.peer, &mut core.interests, slot);
        let connected = match made {
            Ok(_) => self.channel.connect(&core.network, &self.local),
            Err(failure) => Err(failure),
        };
        let code = match self.channel.transport() {
            Some(_) => 125,
            None => 150,
        };
        match (name, code) {
            (Some(name), _) => self.write(code, &[format!("FILE: {name}")]),
            (None, 125) => self.write(code, &["There is a data connection; it begins."]),
            (None, _) => self.write(code, &["The data connection is being made."]),
        }
        core.transfers += 1;
        if let Some(transfer) = self.transfer_mut() {
            transfer.job = Some(job);
            transfer.stage = Stage::Opening;
            transfer.began = core.now;
        }
        if let Err(failure) = connected {
            self.end_transfer(core, Some((425, failure)));
        }
        self.drive(core);
    }

    /// The host has dropped a transfer unused.
    pub fn unwanted(&mut self, core: &mut Core, id: u64) {
        if self.offered(id).is_ok() {
            self.channel.close(&mut core.interests, self.owner.slot);
            if let Some(transfer) = self.transfer_mut() {
                transfer.stage = Stage::Unwanted;
            }
        }
    }

    /// Answers a command.
    pub fn respond(&mut self, core: &mut Core, id: u64, response: Response) -> Result<(), Error> {
        let Some(mut current) = self.current.take_if(|current| current.id == id) else {
            return Err(over());
        };
        let format = self.format(match current.asked {
            Asked::Status => ListingStyle::Long,
            _ => ListingStyle::Facts,
        });
        let closes = matches!(&response, Response::Refused(refusal)
            if refusal.reason == RefusalReason::Closing);
        let refused = matches!(response, Response::Refused(_));
        let is_login = matches!(current.asked, Asked::Login);
        let answered = answer(&current, response, &format);
        if let Asked::RenameSource(path) = &mut current.asked {
            if !refused && answered.is_ok() {
                self.agreed.rename_from = Some(core::mem::take(path));
            }
        }
        self.current = Some(current);
        // What is still on its way is called off by an answer that comes too early.
        let failure = error(ErrorKind::Cancelled, "the host has answered the command");
        self.end_transfer(core, Some((426, failure)));
        let (mut answer, outcome) = match answered {
            Ok(answer) => (answer, Ok(())),
            Err(reason) => {
                let failure = error(ErrorKind::InvalidArgument, reason);
                let text = "The server has lost its way.";
                let answer = Answer {
                    failure: Some(failure.clone()),
                    ..Answer::new(451, text)
                };
                (answer, Err(failure))
            }
        };
        let mut last = closes.then(|| error(ErrorKind::Cancelled, "the host closes it"));
        if is_login {
            last = last.or(self.log_in(core, &mut answer));
        }
        self.finish(core, answer);
        if last.is_some() {
            self.failure = last;
            self.held.clear();
            self.phase = Phase::Closing;
        }
        self.drive(core);
        outcome
    }

    /// What an answer to PASS comes to. Gives a reason if the connection ends with it.
    fn log_in(&mut self, core: &Core, answer: &mut Answer) -> Option<Error> {
        let user = self.login.awaits_password.take();
        if answer.code == 230 {
            self.login.user = user;
            return None;
        }
        if answer.code != 530 {
            return None;
        }
        self.login.refused += 1;
        if self.login.refused < core.settings.limits.login_attempts {
            return None;
        }
        answer.code = 421;
        Some(error(ErrorKind::Exhausted, "too many logins were refused"))
    }

    /// The host has dropped a command without an answer.
    pub fn give_up(&mut self, core: &mut Core, id: u64) {
        let refusal = Refusal {
            reason: RefusalReason::Transfer,
            message: String::new(),
        };
        let _ = self.respond(core, id, Response::Refused(refusal));
    }

    fn format(&self, style: ListingStyle) -> Format {
        Format {
            style,
            facts: self.agreed.facts,
            now: match style {
                ListingStyle::Long => wall_clock::now().seconds,
                ListingStyle::Names | ListingStyle::Facts => 0,
            },
        }
    }
}

fn over() -> Error {
    error(
        ErrorKind::Closed,
        "the client has gone, or the command is over",
    )
}
