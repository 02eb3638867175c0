//! What the host does with an exchange: answers it, lets its content come, or lets go of either.

use super::*;

impl Connection {
    pub(super) fn exchange(&mut self, id: u64) -> Option<&mut Exchange> {
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
                let failure = error(ErrorKind::InvalidArgument, reason);
                exchange.failure = Some(failure.clone());
                self.answer_plainly(core, 500);
                self.drive(core);
                return Err(failure);
            }
        };
        // Whether a client that waits for 100 still sends its content, nobody can tell.
        let unsure = matches!(exchange.intake, Intake::Offered(true));
        if plan.close || plan.delimited == Delimited::Close || core.stopping || unsure {
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

    /// Puts an answer of the component itself into the buffer, after which the connection is closed.
    pub(super) fn answer_plainly(&mut self, core: &mut Core, status: u16) {
        self.end_flow(
            core,
            Err(error(
                ErrorKind::Cancelled,
                "the exchange was answered with an error",
            )),
        );
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
}

fn over() -> Error {
    error(ErrorKind::Closed, "the exchange is over")
}
