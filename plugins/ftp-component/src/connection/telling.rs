//! What the client and the host are told: replies and reports.

use super::*;
use crate::reply;

/// The component's own greeting.
const GREETING: &str = "This is an FTP server.";

impl Connection {
    pub(super) fn greet(&mut self, core: &Core) {
        let greeting = &core.settings.greeting;
        match greeting.is_empty() {
            true => self.write(220, &[GREETING]),
            false => self.write(220, greeting),
        }
    }

    /// Puts a reply into the buffer.
    pub(super) fn write(&mut self, code: u16, lines: &[impl AsRef<str>]) {
        let mut text = String::new();
        reply::write(&mut text, code, lines.iter().map(AsRef::as_ref));
        self.wire.outbox.extend(text.as_bytes());
    }

    /// Answers a command. Its report goes to the host when the reply is gone.
    pub(super) fn reply(
        &mut self,
        core: &Core,
        exchange: u64,
        verb: &str,
        began: u64,
        answer: Answer,
        transferred: u64,
    ) {
        self.write(answer.code, &answer.lines);
        self.wire.last_out = core.now;
        self.replied.push(Report {
            exchange,
            connection: self.owner.id,
            verb: String::from(verb),
            reply: Some(answer.code),
            transferred,
            // When it began, until it is known how long it took.
            duration: began,
            failure: answer.failure,
        });
    }

    /// Answers the command that is with the host.
    pub(super) fn finish(&mut self, core: &mut Core, answer: Answer) {
        if let Some(current) = self.current.take() {
            let moved = current
                .transfer
                .as_ref()
                .map_or(0, |transfer| transfer.count.moved);
            self.reply(core, current.id, current.verb, current.began, answer, moved);
        }
    }

    /// All replies have gone.
    pub(super) fn report_replied(&mut self, core: &mut Core) {
        if self.replied.is_empty() {
            return;
        }
        self.idle_since = core.now;
        for report in core::mem::take(&mut self.replied) {
            self.tell_report(core, report);
        }
    }

    pub(super) fn tell_report(&self, core: &mut Core, report: Report) {
        let duration = core.now.saturating_sub(report.duration);
        core.tell(Event::Report(Box::new(Report { duration, ..report })));
    }

    /// The report on a command that got no reply.
    pub(super) fn report(
        &self,
        core: &Core,
        exchange: &Exchange,
        reply: Option<u16>,
        failure: Option<Error>,
    ) -> Report {
        Report {
            exchange: exchange.id,
            connection: self.owner.id,
            verb: String::from(exchange.verb),
            reply,
            transferred: exchange
                .transfer
                .as_ref()
                .map_or(0, |transfer| transfer.count.moved),
            duration: core.now.saturating_sub(exchange.began),
            failure,
        }
    }
}
