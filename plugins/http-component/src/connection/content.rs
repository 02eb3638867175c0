//! The way of contents: of a request to the host, of an answer to the client, and what ends an exchange.

use super::*;

/// Bytes of content that nobody wants which are read rather than the connection closed.
const DISCARD: u64 = 64 << 10;

impl Connection {
    pub(super) fn advance(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let before = *budget;
        let took = self.take_in(core, budget)?;
        let gave = self.give_out(core, budget)?;
        Ok(took | gave | (*budget < before))
    }

    pub(super) fn take_in(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return Ok(false);
        };
        let wire = &mut self.wire;
        match &mut exchange.intake {
            Intake::Collecting(_, length) => {
                let length = *length;
                if wire.inbox.len() < length {
                    // Past the content only what comes along: pipelined requests have time.
                    let missing = (length - wire.inbox.len()).clamp(HEAD_READ, CONTENT_READ);
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
    pub(super) fn end_flow(&mut self, core: &mut Core, outcome: Result<u64, Error>) {
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

    /// The rest of the content is not read any more.
    fn leave(&mut self) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            exchange.leave();
        }
    }

    /// Nobody wants the rest of the content: it is read if it is short, else the connection is closed after the answer.
    pub(super) fn abandon(&mut self) {
        if let Phase::Exchange(exchange) = &mut self.phase {
            exchange.abandon();
        }
    }

    pub(super) fn give_out(&mut self, core: &mut Core, budget: &mut u64) -> Moved {
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
                            if let Some(failure) = source.surplus() {
                                // The client has got what it was promised.
                                exchange.failure = Some(failure);
                                exchange.persistent = false;
                            }
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
                _ => match exchange.failure.clone() {
                    Some(failure) => {
                        self.end_flow(core, Err(failure));
                        self.leave();
                        Ok(true)
                    }
                    None => Ok(false),
                },
            },
        }
    }

    /// The exchange is over; the connection goes on or is closed.
    pub(super) fn end_exchange(&mut self, core: &mut Core) {
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

    pub(super) fn report(&mut self, core: &mut Core, exchange: Exchange) {
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
    pub(super) fn report_unheard(&mut self, core: &mut Core, failure: Error) {
        let exchange = Exchange::unheard(core.number(), failure);
        self.report(core, exchange);
    }
}

impl Exchange {
    /// An exchange whose request could not be read.
    pub(super) fn unheard(id: u64, failure: Error) -> Self {
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

    pub(super) fn offer(&mut self, core: &mut Core, offer: Box<Offer>) {
        self.offered = true;
        core.exchanges += 1;
        core.tell(Event::Request(offer));
    }

    pub(super) fn abandon(&mut self) {
        let expects = matches!(self.intake, Intake::Offered(true));
        let short = self.incoming.left().is_none_or(|left| left <= DISCARD);
        if self.persistent && short && !expects {
            self.intake = Intake::Discarding(DISCARD);
        } else {
            self.leave();
        }
    }

    /// The rest of the content is not read, so there can be no other request after it.
    pub(super) fn leave(&mut self) {
        self.persistent = false;
        self.intake = Intake::Left;
    }
}

fn cut_short() -> Break {
    Break::Lost(error(
        ErrorKind::Closed,
        "the connection ended in the middle of the content",
    ))
}
