//! One connection of a server: requests come in, one at a time goes to the host, and its answer goes out.
//!
//! `drive` does what can be done now; `settle` says what is waited for after that. How bytes are framed is for `head`,
//! `incoming` and `answer`, how they come and go for `wire` and `pump`.

use crate::answer::{self, Asked, Delimited};
use crate::bindings::component::http::types::{Error, ErrorKind, OutgoingContent, Version};
use crate::bindings::exports::component::http::server::{Report, Response};
use crate::bindings::wasi::io::streams::OutputStream;
use crate::chunked::Step;
use crate::framing::Framing;
use crate::head::{parse_request, RequestHead};
use crate::incoming::Incoming;
use crate::interests::Part;
use crate::pump::{Break, Flow, Sink, Source};
use crate::refusal::{error, Refusal};
use crate::scan::{Progress, Scan};
use crate::shared::{Core, Event, Offer};
use crate::timers::{Deadline, Owner, NEVER};
use crate::transport::Transport;
use crate::wire::{Wire, CONTENT_READ, HEAD_READ};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes that one connection may move before others have their turn.
const BUDGET: u64 = 512 << 10;
/// Bytes of content that nobody wants which are read rather than the connection closed.
const DISCARD: u64 = 64 << 10;
/// Bytes that are read ahead while a request is with the host; after that, the peer has to wait.
const AHEAD: usize = 16 << 10;
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
        self.stalled = false;
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

    // Requests

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
        if matches!(self.phase, Phase::Idle) {
            self.phase = Phase::Head;
            self.began = core.now;
        }
        loop {
            let data = self.wire.inbox.bytes();
            match self
                .scan
                .advance(data, &core.head)
                .map_err(Break::Refused)?
            {
                Progress::Complete(length, fields) => {
                    let head = parse_request(&data[..length], fields);
                    self.scan = Scan::default();
                    self.wire.consume(length);
                    self.begin(core, head.map_err(Break::Refused)?)?;
                    return Ok(true);
                }
                Progress::Blank => {
                    self.scan = Scan::default();
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
                if length > 0 {
                    offer.content = Some(self.take_content(length));
                } else {
                    offer.content = Some(Vec::new());
                }
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

    fn take_content(&mut self, length: usize) -> Vec<u8> {
        self.wire.received += length as u64;
        self.wire.inbox.take(length)
    }

    // Exchanges

    fn advance(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let before = *budget;
        let took = self.take_in(core, budget)?;
        let gave = self.give_out(core, budget)?;
        Ok(took | gave | (*budget < before))
    }

    fn take_in(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return Ok(false);
        };
        let wire = &mut self.wire;
        match &mut exchange.intake {
            Intake::Collecting(_, length) => {
                let length = *length;
                if wire.inbox.len() < length {
                    // Past the content only what comes along: pipelined requests have time.
                    let missing = (length - wire.inbox.len()).max(HEAD_READ).min(CONTENT_READ);
                    if !wire.fill(missing, core.now).map_err(Break::Lost)? {
                        return if wire.ended {
                            Err(cut_short())
                        } else {
                            Ok(false)
                        };
                    }
                    return Ok(true);
                }
                let intake = core::mem::replace(&mut exchange.intake, Intake::Done);
                if let Intake::Collecting(mut offer, _) = intake {
                    wire.received += length as u64;
                    offer.content = Some(wire.inbox.take(length));
                    exchange.offer(core, offer);
                }
                Ok(true)
            }
            Intake::Offered(_) | Intake::Done | Intake::Left => {
                // Only so that it is noticed when the client goes away.
                if wire.inbox.len() < AHEAD {
                    wire.fill(HEAD_READ, core.now).map_err(Break::Lost)?;
                }
                Ok(false)
            }
            Intake::Flowing(sink) => {
                let flow = sink.pump(wire, &mut exchange.incoming, budget, core.now);
                match flow {
                    Ok(Flow::Blocked(part)) => {
                        self.waits_sink = part == Part::Sink;
                        Ok(false)
                    }
                    Ok(Flow::Paused) => Ok(true),
                    Ok(Flow::End) => {
                        let passed = sink.passed;
                        self.end_flow(core, Ok(passed));
                        Ok(true)
                    }
                    Err(Break::Host(failure)) => {
                        self.end_flow(core, Err(failure));
                        self.abandon();
                        Ok(true)
                    }
                    Err(stop) => Err(stop),
                }
            }
            Intake::Discarding(allowed) => {
                let (framing, step) = exchange
                    .incoming
                    .step(wire.inbox.bytes())
                    .map_err(Break::Refused)?;
                wire.consume(framing);
                match step {
                    Step::End => exchange.intake = Intake::Done,
                    Step::Data(count) if count as u64 > *allowed => exchange.leave(),
                    Step::Data(count) => {
                        *allowed -= count as u64;
                        exchange.incoming.took(count as u64);
                        wire.consume(count);
                        wire.last_in = core.now;
                    }
                    Step::More => {
                        let more = wire.fill(CONTENT_READ, core.now).map_err(Break::Lost)?;
                        if !more && wire.ended {
                            exchange.leave();
                        }
                        return Ok(more || wire.ended);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Closes the sink, and says how the content came to its end.
    fn end_flow(&mut self, core: &mut Core, outcome: Result<u64, Error>) {
        self.waits_sink = false;
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        if !matches!(exchange.intake, Intake::Flowing(_)) {
            return;
        }
        // Not read any more, unless somebody says otherwise.
        let rest = match outcome {
            Ok(_) => Intake::Done,
            Err(_) => Intake::Left,
        };
        if let Intake::Flowing(sink) = core::mem::replace(&mut exchange.intake, rest) {
            sink.close(&mut core.interests, self.owner.slot);
            core.body_end(exchange.id, outcome);
        }
    }

    /// Nobody wants the rest of the content: it is read if it is short, else the connection is closed after the answer.
    fn abandon(&mut self) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            exchange.abandon();
        }
    }

    fn give_out(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return Ok(false);
        };
        match &mut exchange.answer {
            Answer::Awaited => Ok(false),
            Answer::Streaming(source) => {
                let flow = source.pump(&mut self.wire, budget, core.now);
                self.waits_source = false;
                match flow? {
                    Flow::Blocked(part) => {
                        self.waits_source = part == Part::Source;
                        Ok(false)
                    }
                    Flow::Paused => Ok(true),
                    Flow::End => {
                        let answer = core::mem::replace(&mut exchange.answer, Answer::Written);
                        if let Answer::Streaming(source) = answer {
                            source.close(&mut core.interests, self.owner.slot);
                        }
                        Ok(true)
                    }
                }
            }
            Answer::Written if !self.wire.outbox.is_empty() => Ok(false),
            Answer::Written => match exchange.intake {
                Intake::Offered(_) => {
                    exchange.abandon();
                    Ok(true)
                }
                Intake::Done | Intake::Left => {
                    self.end_exchange(core);
                    Ok(true)
                }
                _ if exchange.failure.is_some() => {
                    exchange.leave();
                    Ok(true)
                }
                _ => Ok(false),
            },
        }
    }

    /// The exchange is over; the connection goes on or is closed.
    fn end_exchange(&mut self, core: &mut Core) {
        let phase = core::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Exchange(exchange) = phase else {
            return;
        };
        let unread = !matches!(exchange.intake, Intake::Done);
        let persistent = exchange.persistent && !core.stopping;
        let linger = unread || exchange.failure.is_some() || !self.wire.inbox.is_empty();
        self.report(core, *exchange);
        if !persistent {
            self.phase = Phase::Closing(linger && !self.wire.ended);
        }
        self.began = core.now;
    }

    fn report(&mut self, core: &mut Core, exchange: Exchange) {
        let report = Report {
            exchange: exchange.id,
            connection: self.owner.id,
            status: exchange.status,
            received: core::mem::take(&mut self.wire.received),
            sent: core::mem::take(&mut self.wire.sent),
            duration: core.now.saturating_sub(self.began),
            failure: exchange.failure,
        };
        core.tell(Event::Report(Box::new(report)));
        if exchange.offered {
            core.exchanges -= 1;
        }
    }

    /// Reports a request whose head never came to its end.
    fn report_unheard(&mut self, core: &mut Core, failure: Error) {
        let exchange = Exchange::unheard(core.number(), failure);
        self.report(core, exchange);
    }

    // The host

    fn exchange(&mut self, id: u64) -> Option<&mut Exchange> {
        match &mut self.phase {
            Phase::Exchange(exchange) if exchange.id == id => Some(exchange),
            _ => None,
        }
    }

    /// Answers an exchange.
    pub fn respond(&mut self, core: &mut Core, id: u64, response: Response) -> Result<(), Error> {
        let Some(exchange) = self.exchange(id) else {
            return Err(over());
        };
        if !matches!(exchange.answer, Answer::Awaited) {
            return Err(over());
        }
        let known = match &response.content {
            OutgoingContent::Inline(content) => Some(content.len() as u64),
            OutgoingContent::Streamed(source) => source.length,
        };
        let too_long = matches!(&response.content, OutgoingContent::Inline(content)
            if content.len() > core.limits.inline_content as usize);
        let planned = match too_long {
            true => Err("content that is too long to be inline"),
            false => answer::plan(exchange.asked, response.status, &response.fields, known),
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(reason) => {
                self.answer_plainly(core, 500);
                self.drive(core);
                return Err(error(ErrorKind::InvalidArgument, reason));
            }
        };
        if plan.close || plan.delimited == Delimited::Close || core.stopping {
            exchange.persistent = false;
        }
        if matches!(response.content, OutgoingContent::Inline(_))
            && matches!(exchange.intake, Intake::Offered(_))
        {
            // Said now, so that the client knows before it sends more.
            exchange.abandon();
        }
        let (asked, persistent) = (exchange.asked, exchange.persistent);
        exchange.status = Some(response.status);
        let date = core.date();
        let out = self.wire.outbox.open();
        answer::write_head(
            out,
            asked,
            response.status,
            &response.fields,
            &plan,
            persistent,
            &date,
        );
        let answer = match response.content {
            OutgoingContent::Inline(content) => {
                if plan.delimited != Delimited::Nothing {
                    out.extend_from_slice(&content);
                }
                Answer::Written
            }
            OutgoingContent::Streamed(source) => match plan.delimited {
                Delimited::Nothing => Answer::Written,
                delimited => {
                    let chunked = delimited == Delimited::Chunked;
                    Answer::Streaming(Source::new(
                        source,
                        plan.length,
                        chunked,
                        core.limits.stream_buffer,
                    ))
                }
            },
        };
        if let Some(exchange) = self.exchange(id) {
            exchange.answer = answer;
        }
        self.drive(core);
        Ok(())
    }

    /// The host has dropped an exchange without an answer.
    pub fn give_up(&mut self, core: &mut Core, id: u64) {
        if let Some(exchange) = self.exchange(id) {
            if matches!(exchange.answer, Answer::Awaited) {
                exchange.failure = Some(error(ErrorKind::Cancelled, "the host gave no answer"));
                self.answer_plainly(core, 500);
                self.drive(core);
            }
        }
    }

    /// Lets the content of a request come.
    pub fn receive(&mut self, core: &mut Core, id: u64, stream: OutputStream) -> Result<(), Error> {
        let Some(exchange) = self.exchange(id) else {
            return Err(over());
        };
        let Intake::Offered(expects) = exchange.intake else {
            return Err(over());
        };
        let awaited = matches!(exchange.answer, Answer::Awaited);
        if expects && !awaited {
            return Err(over());
        }
        exchange.intake = Intake::Flowing(Sink::new(stream));
        if expects && self.wire.inbox.is_empty() {
            self.wire.outbox.extend(CONTINUE);
        }
        self.wire.last_in = core.now;
        self.drive(core);
        Ok(())
    }

    /// The host has dropped the content of a request.
    pub fn unwanted(&mut self, core: &mut Core, id: u64) {
        if let Some(exchange) = self.exchange(id) {
            if matches!(exchange.intake, Intake::Offered(_)) {
                exchange.abandon();
                self.drive(core);
            }
        }
    }

    // Ends

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

    /// Puts an answer of the component itself into the buffer, after which the connection is closed.
    fn answer_plainly(&mut self, core: &mut Core, status: u16) {
        let date = core.date();
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        exchange.persistent = false;
        exchange.status = Some(status);
        exchange.answer = Answer::Written;
        if !matches!(exchange.intake, Intake::Done) {
            exchange.intake = Intake::Left;
        }
        let reason = answer::reason(status);
        let fields = [(
            String::from("content-type"),
            b"text/plain; charset=utf-8".to_vec(),
        )];
        if let Ok(plan) = answer::plan(
            exchange.asked,
            status,
            &fields,
            Some(reason.len() as u64 + 1),
        ) {
            let out = self.wire.outbox.open();
            answer::write_head(out, exchange.asked, status, &fields, &plan, false, &date);
            if plan.delimited != Delimited::Nothing {
                out.extend_from_slice(reason.as_bytes());
                out.push(b'\n');
            }
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

    /// The listener stops: idle connections are closed, the others after their answer.
    pub fn stop_soon(&mut self, core: &mut Core) {
        match &mut self.phase {
            Phase::Idle => self.phase = Phase::Closing(false),
            Phase::Exchange(exchange) => exchange.persistent = false,
            _ => {}
        }
        self.drive(core);
    }

    // Time

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

    fn expire(&mut self, core: &mut Core) {
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

    fn read_deadline(&self, core: &Core) -> u64 {
        let timeouts = &core.timeouts;
        match &self.phase {
            _ if self.stalled => NEVER,
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

    fn write_deadline(&self, core: &Core) -> u64 {
        match self.wire.blocked {
            true => self.wire.last_out.saturating_add(core.timeouts.send),
            false => NEVER,
        }
    }

    /// Says what is to be waited for.
    fn settle(&mut self, core: &mut Core) {
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

    fn wants_input(&self) -> bool {
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

impl Exchange {
    /// An exchange whose request could not be read.
    fn unheard(id: u64, failure: Error) -> Self {
        Self {
            id,
            asked: Asked {
                version: Version::Http11,
                head: false,
            },
            persistent: false,
            incoming: Incoming::nothing(),
            intake: Intake::Left,
            answer: Answer::Written,
            offered: false,
            status: None,
            failure: Some(failure),
        }
    }

    fn offer(&mut self, core: &mut Core, offer: Box<Offer>) {
        self.offered = true;
        core.exchanges += 1;
        core.tell(Event::Request(offer));
    }

    fn abandon(&mut self) {
        let expects = matches!(self.intake, Intake::Offered(true));
        let short = self.incoming.left().is_none_or(|left| left <= DISCARD);
        if self.persistent && short && !expects {
            self.intake = Intake::Discarding(DISCARD);
        } else {
            self.leave();
        }
    }

    /// The rest of the content is not read, so there can be no other request after it.
    fn leave(&mut self) {
        self.persistent = false;
        self.intake = Intake::Left;
    }
}

fn over() -> Error {
    error(ErrorKind::Closed, "the exchange is over")
}

fn cut_short() -> Break {
    Break::Lost(error(
        ErrorKind::Closed,
        "the connection ended in the middle of the content",
    ))
}
