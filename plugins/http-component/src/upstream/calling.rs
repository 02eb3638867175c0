//! A request on its way to the server, and the response to it on its way to the host.

use super::*;

impl Upstream {
    pub(super) fn send(&mut self, shared: &mut Shared, budget: &mut u64) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        if call.sent_at.is_some() {
            return Ok(false);
        }
        let mut moved = wire.flush(shared.now)?;
        if let Some(source) = &mut call.source {
            let before = *budget;
            self.waits_source = false;
            match source.pump(wire, budget, shared.now) {
                Ok(Flow::Blocked(part)) => self.waits_source = part == Part::Source,
                Ok(Flow::Paused) => return Ok(true),
                Ok(Flow::End) => {
                    if let Some(failure) = source.surplus() {
                        return Err(failure);
                    }
                    if let Some(source) = call.source.take() {
                        source.close(&mut shared.interests, self.owner.slot);
                    }
                    moved = true;
                }
                Err(stop) => return Err(of_break(stop)),
            }
            moved |= *budget < before;
        }
        if call.source.is_none() && wire.outbox.is_empty() {
            call.sent_at = Some(shared.now);
            moved = true;
        }
        Ok(moved)
    }

    /// Whether a server that takes no more may have answered before it went (RFC 9112, 9.5).
    pub(super) fn may_be_answered(&self, failure: &Error) -> bool {
        failure.kind == ErrorKind::Closed && self.wire.as_ref().is_some_and(|wire| wire.sent > 0)
    }

    pub(super) fn stop_sending(&mut self, shared: &mut Shared) -> bool {
        if let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) {
            call.persistent = false;
            call.sent_at = Some(shared.now);
            wire.outbox.clear();
            wire.blocked = false;
            wire.readable = true;
            if let Some(source) = call.source.take() {
                source.close(&mut shared.interests, self.owner.slot);
            }
        }
        self.waits_source = false;
        true
    }

    pub(super) fn receive_more(
        &mut self,
        shared: &mut Shared,
        budget: &mut u64,
    ) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        match &mut call.reply {
            Reply::Head => self.read_head(shared),
            Reply::Collecting(_, length) => {
                let length = *length;
                if wire.inbox.len() < length {
                    let missing = (length - wire.inbox.len()).clamp(HEAD_READ, CONTENT_READ);
                    let more = wire.fill(missing, shared.now)?;
                    return if !more && wire.ended {
                        Err(cut_short())
                    } else {
                        Ok(more)
                    };
                }
                if let Reply::Collecting(mut arrived, _) =
                    core::mem::replace(&mut call.reply, Reply::Done)
                {
                    arrived.content = Some(wire.inbox.take(length));
                    self.tell(shared, Ok(arrived));
                }
                Ok(true)
            }
            Reply::Offered => Ok(false),
            Reply::Flowing(sink) => match sink.pump(wire, &mut call.incoming, budget, shared.now) {
                Ok(Flow::Blocked(part)) => {
                    self.waits_sink = part == Part::Sink;
                    Ok(false)
                }
                Ok(Flow::Paused) => Ok(true),
                Ok(Flow::End) => {
                    let passed = sink.passed;
                    self.end_flow(shared, Ok(passed));
                    Ok(true)
                }
                Err(Break::Host(failure)) => {
                    self.end_flow(shared, Err(failure));
                    self.abandon();
                    Ok(true)
                }
                Err(stop) => Err(of_break(stop)),
            },
            Reply::Discarding(allowed) => {
                let step = call.incoming.step(wire.inbox.bytes());
                let (framing, step) = step.map_err(|refusal| of_break(Break::Refused(refusal)))?;
                wire.consume(framing);
                match step {
                    Step::End => call.reply = Reply::Done,
                    Step::Data(count) if (count as u64) <= *allowed => {
                        *allowed -= count as u64;
                        call.incoming.took(count as u64);
                        wire.consume(count);
                    }
                    Step::More if wire.fill(CONTENT_READ, shared.now)? => {}
                    Step::More if !wire.ended => return Ok(false),
                    _ => {
                        call.persistent = false;
                        call.reply = Reply::Done;
                    }
                }
                Ok(true)
            }
            Reply::Done => self.finish(shared),
        }
    }

    pub(super) fn read_head(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let (Some(wire), Some(call)) = (&mut self.wire, &mut self.call) else {
            return Ok(false);
        };
        let refused = |refusal: Refusal| of_break(Break::Refused(refusal));
        let progress = match wire.inbox.is_empty() {
            true => Progress::Incomplete,
            false => self
                .scan
                .advance(wire.inbox.bytes(), &shared.head)
                .map_err(refused)?,
        };
        let Progress::Complete(length, count) = progress else {
            if progress == Progress::Blank {
                return Err(error(
                    ErrorKind::Protocol,
                    "an empty line in place of a response",
                ));
            }
            let more = wire.fill(HEAD_READ, shared.now)?;
            return if !more && wire.ended {
                Err(no_answer())
            } else {
                Ok(more)
            };
        };
        let head = parse_reply(&wire.inbox.bytes()[..length], count, call.head).map_err(refused)?;
        wire.consume(length);
        self.scan = Scan::default();
        if head.status < 200 {
            call.interim += 1;
            return match call.interim > INTERIM {
                true => Err(error(
                    ErrorKind::Protocol,
                    "too many responses before the final one",
                )),
                false => Ok(true),
            };
        }
        // The server may close before all was sent; then it does not want the rest.
        call.persistent &= head.persistent && call.sent_at.is_some();
        let trailer = u64::from(shared.limits.header_bytes);
        call.incoming =
            Incoming::new(head.framing, shared.limits.content, trailer).map_err(refused)?;
        let mut arrived = Box::new(Arrived {
            status: head.status,
            version: head.version,
            fields: head.fields,
            content: None,
        });
        match head.framing {
            Framing::Length(0) => {
                arrived.content = Some(Vec::new());
                call.reply = Reply::Done;
                self.tell(shared, Ok(arrived));
            }
            Framing::Length(length) if length <= u64::from(shared.limits.inline_content) => {
                call.reply = Reply::Collecting(arrived, length as usize);
            }
            _ => {
                call.reply = Reply::Offered;
                self.tell(shared, Ok(arrived));
            }
        }
        Ok(true)
    }

    pub(super) fn tell(&mut self, shared: &mut Shared, outcome: Result<Box<Arrived>, Error>) {
        if let Some(call) = &mut self.call {
            call.told = true;
            shared
                .events
                .push_back(Event::Arrival(call.id, self.owner, outcome));
        }
    }

    /// Closes the sink, and says how the content came to its end.
    pub(super) fn end_flow(&mut self, shared: &mut Shared, outcome: Result<u64, Error>) {
        self.waits_sink = false;
        let Some(call) = &mut self.call else {
            return;
        };
        if matches!(call.reply, Reply::Flowing(_)) {
            if let Reply::Flowing(sink) = core::mem::replace(&mut call.reply, Reply::Done) {
                sink.close(&mut shared.interests, self.owner.slot);
                shared.events.push_back(Event::Body(call.id, outcome));
            }
        }
    }

    /// Nobody wants the rest of the content.
    pub(super) fn abandon(&mut self) {
        if let Some(call) = &mut self.call {
            let short = call.incoming.left().is_none_or(|left| left <= DISCARD);
            if short && call.persistent && !call.incoming.ends_with_connection() {
                call.reply = Reply::Discarding(DISCARD);
            } else {
                call.persistent = false;
                call.reply = Reply::Done;
            }
        }
    }

    /// The exchange is over; the connection is kept if it can be.
    pub(super) fn finish(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        let Some(call) = self.call.take() else {
            return Ok(false);
        };
        if let Some(source) = call.source {
            source.close(&mut shared.interests, self.owner.slot);
        }
        self.waits_source = false;
        self.began = shared.now;
        let ended = self
            .wire
            .as_ref()
            .is_none_or(|wire| wire.ended || !wire.inbox.is_empty());
        if !call.persistent || ended {
            self.phase = Phase::Closed;
        }
        Ok(true)
    }

    /// Lets the content of a response come.
    pub fn receive(
        &mut self,
        shared: &mut Shared,
        id: u64,
        stream: OutputStream,
    ) -> Result<(), Error> {
        match &mut self.call {
            Some(call) if call.id == id && matches!(call.reply, Reply::Offered) => {
                call.reply = Reply::Flowing(Sink::new(stream));
            }
            _ => return Err(error(ErrorKind::Closed, "the exchange is over")),
        }
        if let Some(wire) = &mut self.wire {
            wire.last_in = shared.now;
        }
        self.drive(shared);
        Ok(())
    }

    /// The host has dropped the content of a response.
    pub fn unwanted(&mut self, shared: &mut Shared, id: u64) {
        let offered = |call: &Call| call.id == id && matches!(call.reply, Reply::Offered);
        if self.call.as_ref().is_some_and(|call| offered(call)) {
            self.abandon();
            self.drive(shared);
        }
    }

    /// The host calls a request off.
    pub fn call_off(&mut self, shared: &mut Shared, id: u64) {
        if self.exchange() != Some(id) {
            return;
        }
        self.job = None;
        if let Some(call) = &mut self.call {
            call.told = true;
        }
        self.end(
            shared,
            error(ErrorKind::Cancelled, "the request was called off"),
        );
    }
}

/// How a request comes out that was sent, or begun to be.
fn of_break(stop: Break) -> Error {
    match stop {
        Break::Refused(refusal) => Error {
            // What a server sends is not the host's request: a size is a limit, the rest is against the protocol.
            message: alloc::string::String::from(refusal.reason),
            ..refusal.error()
        },
        Break::Lost(failure) | Break::Host(failure) => failure,
    }
}

fn cut_short() -> Error {
    error(
        ErrorKind::Closed,
        "the connection ended in the middle of the content",
    )
}

fn no_answer() -> Error {
    error(
        ErrorKind::Closed,
        "the server closed the connection without an answer",
    )
}
