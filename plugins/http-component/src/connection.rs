//! One connection of a server: requests come in, one at a time goes to the host, and its answer goes out.
//!
//! `drive` does what can be done now. How bytes are framed is for `head`, `incoming` and `answer`, how they come and go
//! for `wire` and `pump`. The modules below share the states that are listed here.

mod content;
mod host;
mod waiting;

use crate::answer::{self, Asked, Delimited};
use crate::bindings::component::http::types::{Error, ErrorKind, OutgoingContent, Version};
use crate::bindings::exports::component::http::server::{Report, Response};
use crate::bindings::wasi::io::streams::OutputStream;
use crate::chunked::Step;
use crate::failures::error;
use crate::framing::Framing;
use crate::head::{parse_request, RequestHead};
use crate::incoming::Incoming;
use crate::interests::Part;
use crate::pump::{Break, Flow, Sink, Source};
use crate::refusal::Refusal;
use crate::scan::{Progress, Scan};
use crate::shared::{Core, Event, Offer};
use crate::transport::Transport;
use crate::wire::{Wire, CONTENT_READ, HEAD_READ};
use alloc::boxed::Box;
use alloc::string::String;
use guest_kit::timers::{Deadline, Owner, NEVER};

/// Bytes that one connection may move before others have their turn.
const BUDGET: u64 = 512 << 10;
/// Empty lines that may come before a request.
const BLANKS: u32 = 8;
/// Bytes that are read ahead while a request is with the host; after that, the peer has to wait.
const AHEAD: usize = 16 << 10;
/// How long a new connection has for its first request when the listener stops.
const FIRST_REQUEST: u64 = 1_000_000_000;
/// How long, and for how many bytes, a peer that is still sending is heard out after the last answer (RFC 9112, 9.6).
const LINGER: u64 = 2_000_000_000;
const LINGER_BYTES: u64 = 1 << 20;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Where a connection stands.
enum Phase {
    /// Between requests.
    Idle,
    /// In the head of a request.
    Head,
    Exchange(Box<Exchange>),
    /// After the last answer, which is still on its way; then whether the peer is heard out.
    Closing(bool),
    /// The peer is heard out, for this many bytes more and until this time.
    Lingering(u64, u64),
    Closed,
}

/// A request and its answer.
struct Exchange {
    id: u64,
    asked: Asked,
    /// Whether the connection goes on after it.
    persistent: bool,
    incoming: Incoming,
    intake: Intake,
    answer: Answer,
    /// Whether the host knows of it.
    offered: bool,
    status: Option<u16>,
    failure: Option<Error>,
}

/// What becomes of the content of a request.
enum Intake {
    /// It is small: it goes to the host with the request, when it is all here.
    Collecting(Box<Offer>, usize),
    /// The host has not said where it is to go; whether the client waits for 100 (Continue).
    Offered(bool),
    Flowing(Sink),
    /// Nobody wants it; how much of it is still read.
    Discarding(u64),
    Done,
    /// The rest of it is not read any more.
    Left,
}

/// What becomes of the answer.
enum Answer {
    Awaited,
    /// Its content comes from the host.
    Streaming(Source),
    /// All of it is in the buffer, or gone.
    Written,
}

pub struct Connection {
    pub owner: Owner,
    wire: Wire,
    phase: Phase,
    scan: Scan,
    /// Requests so far.
    requests: u32,
    /// Empty lines since the last of them.
    blanks: u32,
    /// When the request began, or the time between requests.
    began: u64,
    stalled: bool,
    deadline: Deadline,
    /// What the exchange waits for of the host's streams.
    waits_source: bool,
    waits_sink: bool,
}

/// The outcome of a step: whether it moved anything.
type Moved = Result<bool, Break>;

impl Connection {
    pub fn new(owner: Owner, transport: Transport, now: u64) -> Self {
        Self {
            owner,
            wire: Wire::new(transport, now),
            phase: Phase::Idle,
            scan: Scan::default(),
            requests: 0,
            blanks: 0,
            began: now,
            stalled: false,
            deadline: Deadline::default(),
            waits_source: false,
            waits_sink: false,
        }
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Something that was waited for is ready.
    pub fn woken(&mut self, part: Part) {
        match (part, &mut self.phase) {
            (Part::Input, _) => self.wire.readable = true,
            (Part::Source, Phase::Exchange(exchange)) => {
                if let Answer::Streaming(source) = &mut exchange.answer {
                    source.woken();
                }
            }
            (Part::Sink, Phase::Exchange(exchange)) => {
                if let Intake::Flowing(sink) = &mut exchange.intake {
                    sink.woken();
                }
            }
            _ => {}
        }
        if matches!(part, Part::Input | Part::Output) {
            self.wire.transport.woken(part);
        }
    }

    /// Does all that can be done now, and says what is to be waited for.
    pub fn drive(&mut self, core: &mut Core) {
        if core::mem::take(&mut self.stalled) {
            // Its time begins now: it was not the client who let it pass.
            self.began = core.now;
        }
        let mut budget = BUDGET;
        loop {
            match self.step(core, &mut budget) {
                Ok(true) if budget > 0 => {}
                Ok(true) => {
                    core.again.push(self.owner);
                    break;
                }
                Ok(false) => break,
                Err(stop) => self.stop(core, stop),
            }
        }
        self.settle(core);
    }

    fn step(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let sent = self.wire.flush(core.now).map_err(Break::Lost)?;
        let moved = match &mut self.phase {
            Phase::Idle | Phase::Head => self.take_head(core)?,
            Phase::Exchange(_) => self.advance(core, budget)?,
            Phase::Closing(_) => self.finish_closing(core)?,
            Phase::Lingering(..) => self.hear_out(core)?,
            Phase::Closed => false,
        };
        Ok(sent | moved)
    }

    fn take_head(&mut self, core: &mut Core) -> Moved {
        if core.is_full() {
            self.stalled = true;
            core.stalled.push_back(self.owner);
            return Ok(false);
        }
        if self.wire.inbox.is_empty()
            && !self.wire.fill(HEAD_READ, core.now).map_err(Break::Lost)?
        {
            return self.without_more(core);
        }
        loop {
            let data = self.wire.inbox.bytes();
            let progress = self.scan.advance(data, &core.head);
            if matches!(self.phase, Phase::Idle) && progress != Ok(Progress::Blank) {
                self.phase = Phase::Head;
                self.began = core.now;
            }
            match progress.map_err(Break::Refused)? {
                Progress::Complete(length, fields) => {
                    let head = parse_request(&data[..length], fields);
                    self.scan = Scan::default();
                    self.blanks = 0;
                    self.wire.consume(length);
                    self.begin(core, head.map_err(Break::Refused)?)?;
                    return Ok(true);
                }
                Progress::Blank => {
                    self.scan = Scan::default();
                    self.blanks += 1;
                    if self.blanks > BLANKS {
                        return Err(Break::Refused(Refusal::bad(
                            "empty lines in place of a request",
                        )));
                    }
                    self.wire.inbox.consume(2);
                    if self.wire.inbox.is_empty() {
                        self.phase = Phase::Idle;
                        return Ok(true);
                    }
                }
                Progress::Incomplete => {
                    if !self.wire.fill(HEAD_READ, core.now).map_err(Break::Lost)? {
                        return self.without_more(core);
                    }
                }
            }
        }
    }

    /// There is nothing to read: either not yet, or the client has ended its side.
    fn without_more(&mut self, core: &mut Core) -> Moved {
        if !self.wire.ended {
            return Ok(false);
        }
        if self.wire.inbox.is_empty() {
            self.phase = Phase::Closing(false);
            return Ok(true);
        }
        self.wire.received += self.wire.inbox.len() as u64;
        self.report_unheard(
            core,
            error(
                ErrorKind::Closed,
                "the client ended in the head of a request",
            ),
        );
        self.phase = Phase::Closing(false);
        Ok(true)
    }

    fn begin(&mut self, core: &mut Core, head: RequestHead) -> Result<(), Break> {
        self.requests += 1;
        let is_head = head.is_head();
        let incoming = Incoming::new(
            head.framing,
            core.limits.content,
            u64::from(core.limits.header_bytes),
        );
        let mut exchange = Box::new(Exchange {
            id: core.number(),
            asked: Asked {
                version: head.version,
                head: is_head,
            },
            persistent: head.persistent && self.requests < core.limits.requests && !core.stopping,
            incoming: incoming.map_err(Break::Refused)?,
            intake: Intake::Done,
            answer: Answer::Awaited,
            offered: false,
            status: None,
            failure: None,
        });
        let inline = match head.framing {
            Framing::Length(length) if length <= u64::from(core.limits.inline_content) => {
                Some(length as usize)
            }
            _ => None,
        };
        let mut offer = Box::new(Offer {
            owner: self.owner,
            exchange: exchange.id,
            method: head.method,
            authority: head.authority,
            path: head.path,
            query: head.query,
            version: head.version,
            fields: head.fields,
            content: None,
        });
        match inline {
            Some(length) if length > self.wire.inbox.len() => {
                if head.expects && self.wire.inbox.is_empty() {
                    self.wire.outbox.extend(CONTINUE);
                }
                self.wire.last_in = core.now;
                exchange.intake = Intake::Collecting(offer, length);
            }
            Some(length) => {
                self.wire.received += length as u64;
                offer.content = Some(self.wire.inbox.take(length));
                exchange.offer(core, offer);
            }
            None => {
                exchange.intake = Intake::Offered(head.expects);
                exchange.offer(core, offer);
            }
        }
        self.phase = Phase::Exchange(exchange);
        Ok(())
    }

    /// Ends the present exchange, or the connection, for a reason.
    fn stop(&mut self, core: &mut Core, stop: Break) {
        match stop {
            Break::Refused(refusal) => self.refuse(core, refusal),
            Break::Lost(failure) | Break::Host(failure) => self.cut(core, failure),
        }
    }

    /// Answers with an error and closes the connection; cuts it where an answer has begun.
    pub fn refuse(&mut self, core: &mut Core, refusal: Refusal) {
        match &mut self.phase {
            Phase::Idle | Phase::Head => {
                let exchange = Exchange::unheard(core.number(), refusal.error());
                self.wire.received += self.wire.inbox.len() as u64;
                self.wire.inbox.clear();
                self.phase = Phase::Exchange(Box::new(exchange));
                self.answer_plainly(core, refusal.status);
            }
            Phase::Exchange(exchange) if matches!(exchange.answer, Answer::Awaited) => {
                exchange.failure = Some(refusal.error());
                self.end_flow(core, Err(refusal.error()));
                self.answer_plainly(core, refusal.status);
            }
            _ => self.cut(core, refusal.error()),
        }
    }

    /// Closes the connection at once.
    pub fn cut(&mut self, core: &mut Core, failure: Error) {
        self.end_flow(core, Err(failure.clone()));
        let phase = core::mem::replace(&mut self.phase, Phase::Closed);
        match phase {
            Phase::Head if !self.wire.inbox.is_empty() => {
                self.wire.received += self.wire.inbox.len() as u64;
                self.report_unheard(core, failure);
            }
            Phase::Exchange(mut exchange) => {
                if !matches!(exchange.intake, Intake::Done) {
                    self.wire.received += self.wire.inbox.len() as u64;
                }
                exchange.failure.get_or_insert(failure);
                let answer = core::mem::replace(&mut exchange.answer, Answer::Written);
                if let Answer::Streaming(source) = answer {
                    source.close(&mut core.interests, self.owner.slot);
                }
                self.report(core, *exchange);
            }
            _ => {}
        }
        self.wire.outbox.clear();
        self.wire.inbox.clear();
    }

    fn finish_closing(&mut self, core: &mut Core) -> Moved {
        let Phase::Closing(linger) = self.phase else {
            return Ok(false);
        };
        if !self.wire.outbox.is_empty() {
            return Ok(false);
        }
        let drained = self.wire.transport.is_drained().map_err(Break::Lost)?;
        self.wire.wait_for_room(!drained, drained, core.now);
        if !drained {
            return Ok(false);
        }
        self.wire.inbox.clear();
        if linger {
            self.wire
                .transport
                .end(&mut core.interests, self.owner.slot);
            self.phase = Phase::Lingering(LINGER_BYTES, core.now + LINGER.min(core.timeouts.idle));
        } else {
            self.phase = Phase::Closed;
        }
        Ok(true)
    }

    /// Reads over what a peer still sends, so that its system does not throw the answer away.
    fn hear_out(&mut self, _core: &mut Core) -> Moved {
        let Phase::Lingering(left, _) = &mut self.phase else {
            return Ok(false);
        };
        if !self.wire.readable {
            return Ok(false);
        }
        match self.wire.transport.skip(CONTENT_READ as u64) {
            Ok(0) => {
                self.wire.readable = false;
                Ok(false)
            }
            Ok(count) if count < *left => {
                *left -= count;
                Ok(true)
            }
            _ => {
                self.phase = Phase::Closed;
                Ok(true)
            }
        }
    }

    /// The listener stops: idle connections are closed, the others after their answer. Who has connected and not asked
    /// yet gets the time for it (`FIRST_REQUEST`): that the listener stops can't be known there.
    pub fn stop_soon(&mut self, core: &mut Core) {
        match &mut self.phase {
            Phase::Idle if self.requests > 0 => self.phase = Phase::Closing(false),
            Phase::Exchange(exchange) => exchange.persistent = false,
            _ => {}
        }
        self.drive(core);
    }

    /// Closes what is open.
    pub fn close(mut self, core: &mut Core) {
        if !self.is_closed() {
            self.cut(core, error(ErrorKind::Cancelled, "the listener was closed"));
        }
        self.wire
            .transport
            .close(&mut core.interests, self.owner.slot);
        core.tell(Event::Closed(self.owner.id));
    }
}
