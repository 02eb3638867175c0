//! One control connection: its commands one after the other, each from its line to the last byte of its reply.
//!
//! What the commands mean is in `commands`, the transfer in `transferring`, what the host does in `host`, and what is
//! waited for, and for how long, in `waiting`.

mod commands;
mod host;
mod protection;
mod settings;
mod telling;
mod transferring;
mod waiting;

use crate::addresses::Host;
use crate::answers::Answer;
use crate::bindings::component::ftp::types::{Error, ErrorKind};
use crate::bindings::exports::component::ftp::control::{
    Connection as Opened, ConnectionEnd, IpSocketAddress, Report,
};
use crate::channel::Channel;
use crate::exchange::{Asked, Exchange};
use crate::facts::Facts;
use crate::failures::error;
use crate::interests::Part;
use crate::lines::Line;
use crate::shared::{Core, Event};
use crate::transport::Transport;
use crate::verbs::{self, Verb};
use crate::wire::Wire;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use guest_kit::timers::{Deadline, Owner, NEVER};

/// Bytes that one connection may move before others have their turn.
const BUDGET: u64 = 512 << 10;
/// What a command counts against that.
const COMMAND: u64 = 4 << 10;
/// Commands that are looked at ahead of a transfer under way.
const HELD: usize = 16;
/// How long, and for how many bytes, a client that is still sending is heard out after the last reply, so that its
/// system does not throw the reply away.
const LINGER: u64 = 2_000_000_000;
const LINGER_BYTES: u64 = 64 << 10;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// After the last reply, which is still on its way.
    Closing,
    /// The client is heard out, for this many bytes more and until this time.
    Lingering(u64, u64),
    Closed,
}

/// Who is there.
#[derive(Default)]
struct Login {
    /// The name that USER gave, until PASS follows.
    awaits_password: Option<String>,
    /// The name of who is logged in.
    user: Option<String>,
    refused: u32,
    /// When the time to log in began.
    began: u64,
}

/// What was agreed on for what follows.
struct Agreed {
    ascii: bool,
    facts: Facts,
    /// Where the next transfer begins.
    offset: u64,
    /// The name that RNFR gave.
    rename_from: Option<String>,
    /// Whether EPSV alone opens data connections (RFC 2428, 4).
    epsv_only: bool,
}

impl Default for Agreed {
    fn default() -> Self {
        Self {
            // RFC 959, 5.1.
            ascii: true,
            facts: Facts::default(),
            offset: 0,
            rename_from: None,
            epsv_only: false,
        }
    }
}

/// TLS on the connections (RFC 4217).
#[derive(Default)]
struct Protection {
    /// Whether the control connection has it, or begins it when the reply to AUTH is gone.
    secure: bool,
    begins: bool,
    /// Whether PBSZ was given, and whether data connections have TLS.
    sized: bool,
    private: bool,
}

pub struct Connection {
    pub owner: Owner,
    pub peer: Host,
    peer_address: IpSocketAddress,
    local: IpSocketAddress,
    wire: Wire,
    phase: Phase,
    /// Lines that were read during a transfer, to be seen to afterwards.
    held: VecDeque<Line>,
    /// The command that is with the host.
    current: Option<Box<Exchange>>,
    /// Commands whose replies are on their way.
    replied: Vec<Report>,
    login: Login,
    agreed: Agreed,
    protection: Protection,
    channel: Channel,
    /// When the last reply was gone.
    idle_since: u64,
    deadline: Deadline,
    /// Why the connection ends, unless in good order.
    failure: Option<Error>,
}

/// What becomes of a command.
enum Outcome {
    /// It is answered.
    Reply(Answer),
    /// It is answered, and nothing follows.
    Last(Answer),
    /// It is with the host.
    Asked,
}

impl Connection {
    pub fn new(owner: Owner, opened: &Opened, transport: Transport, core: &Core) -> Self {
        let mut connection = Self {
            owner,
            peer: Host::of(&opened.peer),
            peer_address: opened.peer,
            local: opened.local,
            wire: Wire::new(transport, core.now),
            phase: Phase::Open,
            held: VecDeque::new(),
            current: None,
            replied: Vec::new(),
            login: Login::default(),
            agreed: Agreed::default(),
            protection: Protection::default(),
            channel: Channel::default(),
            idle_since: core.now,
            deadline: Deadline::default(),
            failure: None,
        };
        connection.login.began = core.now;
        connection.greet(core);
        connection
    }

    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Something that was waited for is ready.
    pub fn woken(&mut self, part: Part) {
        match part {
            Part::Input => self.wire.readable = true,
            Part::Source | Part::Sink | Part::DataInput => {
                let transfer = self
                    .current
                    .as_mut()
                    .and_then(|current| current.transfer.as_mut());
                if let Some(job) = transfer.and_then(|transfer| transfer.job.as_mut()) {
                    job.woken(part);
                }
            }
            _ => {}
        }
        match part {
            Part::Input | Part::Output => self.wire.transport.woken(part),
            part => self.channel.woken(part),
        }
    }

    /// Does all that can be done now, and says what is to be waited for.
    pub fn drive(&mut self, core: &mut Core) {
        let mut budget = BUDGET;
        loop {
            match self.step(core, &mut budget) {
                Ok(true) if budget > 0 => {}
                Ok(true) => {
                    core.again.push(self.owner);
                    break;
                }
                Ok(false) => break,
                Err(failure) => self.cut(core, failure),
            }
        }
        self.settle(core);
    }

    /// Does something; says whether there may be more to do. Fails where the control connection is lost.
    fn step(&mut self, core: &mut Core, budget: &mut u64) -> Result<bool, Error> {
        let sent = self.wire.flush(core.now)?;
        if self.wire.outbox.is_empty() {
            self.report_replied(core);
        }
        let moved = match self.phase {
            Phase::Open => self.transfer(core, budget)? | self.take_command(core, budget)?,
            Phase::Closing => self.finish_closing(core)?,
            Phase::Lingering(..) => self.hear_out(),
            Phase::Closed => false,
        };
        Ok(sent | moved)
    }

    /// Begins the next command, if there is one and its time has come.
    fn take_command(&mut self, core: &mut Core, budget: &mut u64) -> Result<bool, Error> {
        if !self.wire.outbox.is_empty() {
            return Ok(false);
        }
        if self.protection.begins {
            return self.begin_tls(core);
        }
        if self.current.is_some() {
            return self.look_ahead(core);
        }
        if core.stopping {
            self.leave("The server is stopping.", None);
            return Ok(true);
        }
        let line = match self.held.pop_front() {
            Some(line) => Some(line),
            None => self.wire.line(core.settings.limits.command_line as usize)?,
        };
        match line {
            Some(line) => {
                *budget = budget.saturating_sub(COMMAND);
                self.begin(core, line);
                Ok(true)
            }
            None if self.wire.ended => {
                self.phase = Phase::Closing;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Reads on while a command is with the host: during a transfer, ABOR and STAT do not wait for its end.
    fn look_ahead(&mut self, core: &mut Core) -> Result<bool, Error> {
        let transfers = self
            .transfer_mut()
            .is_some_and(|transfer| !transfer.is_over());
        if !transfers {
            self.wire.look()?;
            return Ok(false);
        }
        while self.held.len() < HELD {
            let limit = core.settings.limits.command_line as usize;
            let Some(line) = self.wire.line(limit)? else {
                break;
            };
            match verb_of(&line) {
                Some(Verb::Stat) if self.held.is_empty() => {
                    self.answer_status(core);
                    return Ok(true);
                }
                Some(Verb::Abor) => {
                    self.held.push_back(line);
                    self.call_off(core);
                    return Ok(true);
                }
                _ => self.held.push_back(line),
            }
        }
        if self.wire.ended && self.held.is_empty() {
            // RFC 959, 3.2: who closes the control connection ends the transfer.
            return Err(error(ErrorKind::Closed, "the client has gone"));
        }
        Ok(false)
    }

    fn begin(&mut self, core: &mut Core, line: Line) {
        let id = core.number();
        let (verb, outcome) = self.perform(core, id, line);
        match outcome {
            Outcome::Reply(answer) => self.reply(core, id, &verb, core.now, answer, 0),
            Outcome::Last(answer) => {
                self.reply(core, id, &verb, core.now, answer, 0);
                self.phase = Phase::Closing;
            }
            Outcome::Asked => {}
        }
    }

    fn finish_closing(&mut self, core: &mut Core) -> Result<bool, Error> {
        if !self.wire.is_drained(core.now)? {
            return Ok(false);
        }
        let slot = self.owner.slot;
        self.wire.forget_input();
        self.wire.transport.end(&mut core.interests, slot);
        self.channel.close(&mut core.interests, slot);
        self.phase = match self.wire.ended {
            true => Phase::Closed,
            false => {
                self.wire.readable = true;
                Phase::Lingering(LINGER_BYTES, core.now.saturating_add(LINGER))
            }
        };
        Ok(true)
    }

    fn hear_out(&mut self) -> bool {
        let Phase::Lingering(left, _) = &mut self.phase else {
            return false;
        };
        if !self.wire.readable {
            return false;
        }
        match self.wire.transport.skip(LINGER_BYTES) {
            Ok(0) => {
                self.wire.readable = false;
                return false;
            }
            Ok(count) if count < *left => *left -= count,
            _ => self.phase = Phase::Closed,
        }
        true
    }

    /// Ends the connection with 421.
    fn leave(&mut self, text: &str, failure: Option<Error>) {
        self.write(421, &[text]);
        self.failure = failure;
        self.held.clear();
        self.phase = Phase::Closing;
    }

    /// Closes the connection at once.
    pub fn cut(&mut self, core: &mut Core, failure: Error) {
        if self.is_closed() {
            return;
        }
        self.end_transfer(core, Some((426, failure.clone())));
        if let Some(current) = self.current.take() {
            let report = self.report(core, &current, None, Some(failure.clone()));
            core.tell(Event::Report(Box::new(report)));
        }
        for mut report in core::mem::take(&mut self.replied) {
            report.reply = None;
            report.failure.get_or_insert_with(|| failure.clone());
            self.tell_report(core, report);
        }
        if self.phase == Phase::Open {
            self.failure = Some(failure);
        }
        self.wire.outbox.clear();
        self.held.clear();
        self.phase = Phase::Closed;
    }

    /// Closes what is open.
    pub fn close(mut self, core: &mut Core) {
        self.cut(core, error(ErrorKind::Cancelled, "the server was closed"));
        let slot = self.owner.slot;
        self.channel.close(&mut core.interests, slot);
        self.wire.transport.close(&mut core.interests, slot);
        core.tell(Event::Closed(ConnectionEnd {
            id: self.owner.id,
            failure: self.failure,
        }));
    }
}

/// The command of a line that has no argument.
fn verb_of(line: &Line) -> Option<Verb> {
    match line {
        Line::Text(text) => verbs::find(core::str::from_utf8(text).ok()?).map(|spec| spec.verb),
        Line::TooLong => None,
    }
}
