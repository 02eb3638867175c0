//! What each command does: it is answered here, or becomes a question to the host.

use super::*;
use crate::bindings::exports::component::ftp::control::{
    Action, Credentials, ListingStyle, Renaming, StoreMode, TlsPolicy,
};
use crate::exchange::{Transfer, Way};
use crate::shared::{Offer, Question};
use crate::verbs::Spec;
use alloc::string::ToString;

/// The reply to a command that a client gives too early or too late.
const SEQUENCE: u16 = 503;

impl Connection {
    /// Sees to a line. Gives the name of the command, if it is one, and what became of it.
    pub(super) fn perform(&mut self, core: &mut Core, id: u64, line: Line) -> (String, Outcome) {
        let rename_from = self.agreed.rename_from.take();
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong => {
                let answer = Answer::refused(500, ErrorKind::Exhausted, "The line is too long.");
                return (String::new(), Outcome::Reply(answer));
            }
        };
        let (spec, argument) = match verbs::parse(text) {
            Ok(found) => found,
            Err(malformed) => {
                let answer = bad(malformed.code, malformed.text);
                return (malformed.name, Outcome::Reply(answer));
            }
        };
        // STAT is for everybody, but not about files.
        let login = spec.login || spec.verb == Verb::Stat && argument.is_some();
        let outcome = match login && self.login.user.is_none() {
            true => Err(Answer::refused(530, ErrorKind::Denied, "Log in first.")),
            false => self.dispatch(core, id, spec, argument, rename_from),
        };
        let outcome = outcome.unwrap_or_else(Outcome::Reply);
        (spec.name.to_string(), outcome)
    }

    fn dispatch(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        argument: Option<String>,
        rename_from: Option<String>,
    ) -> Result<Outcome, Answer> {
        let given = argument.as_deref().unwrap_or_default();
        let reply = match spec.verb {
            Verb::User => self.user(core, argument.unwrap_or_default()),
            Verb::Pass => return self.pass(core, id, spec, argument.unwrap_or_default()),
            Verb::Acct => self.account(),
            Verb::Quit => return Ok(Outcome::Last(Answer::new(221, "Goodbye."))),
            Verb::Rein => self.reinitialize(core),
            Verb::Auth => self.authenticate(core, given),
            Verb::Pbsz => self.buffer_size(given),
            Verb::Prot => self.protect(core, given),
            Verb::Ccc | Verb::Adat | Verb::Mic | Verb::Conf | Verb::Enc => {
                self.other_protection(spec.verb)
            }
            Verb::Type => self.set_type(given),
            Verb::Stru => self.set_structure(given),
            Verb::Mode => self.set_mode(given),
            Verb::Rest => self.set_offset(given),
            Verb::Allo => self.allocate(given),
            Verb::Opts => self.set_option(given),
            Verb::Port => self.port(core, given),
            Verb::Eprt => self.extended_port(core, given),
            Verb::Pasv => self.passive(core),
            Verb::Epsv => self.extended_passive(core, argument.as_deref()),
            Verb::Abor => Answer::new(226, "Nothing is being transferred."),
            Verb::Noop => Answer::new(200, "Fine."),
            Verb::Syst => Answer::new(215, "UNIX Type: L8"),
            Verb::Smnt => Answer::refused(502, ErrorKind::Permanent, "There is nothing to mount."),
            Verb::Feat => self.features(core),
            Verb::Help => self.help(argument.as_deref()),
            Verb::Site => self.site(given),
            Verb::Stat if argument.is_none() => self.status(),
            Verb::Rnto => {
                let Some(old_path) = rename_from else {
                    return Err(bad(SEQUENCE, "RNFR comes first."));
                };
                let new_path = argument.unwrap_or_default();
                let action = Action::Rename(Renaming { old_path, new_path });
                return Ok(self.ask(core, id, spec, done("It is renamed."), action));
            }
            Verb::Size if self.agreed.ascii => Answer::refused(
                550,
                ErrorKind::Permanent,
                "The size is known in type I alone.",
            ),
            Verb::Retr | Verb::Stor | Verb::Appe | Verb::Stou => {
                return self.file(core, id, spec, argument);
            }
            Verb::List | Verb::Nlst | Verb::Mlsd => return self.list(core, id, spec, argument),
            _ => {
                let (asked, action) = question(spec.verb, argument);
                return Ok(self.ask(core, id, spec, asked, action));
            }
        };
        Ok(Outcome::Reply(reply))
    }

    /// Puts a question to the host.
    fn ask(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        asked: Asked,
        action: Action,
    ) -> Outcome {
        self.put(core, id, spec, asked, Question::Plain(action), None)
    }

    fn put(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        asked: Asked,
        question: Question,
        way: Option<Way>,
    ) -> Outcome {
        self.current = Some(Box::new(Exchange {
            id,
            verb: spec.name,
            began: core.now,
            asked,
            transfer: way.map(|way| Box::new(Transfer::new(way, core.now))),
        }));
        core.tell(Event::Command(Box::new(Offer {
            owner: self.owner,
            exchange: id,
            question,
        })));
        Outcome::Asked
    }

    // Who is there

    fn user(&mut self, core: &Core, name: String) -> Answer {
        let policy = core.settings.tls;
        if matches!(policy, TlsPolicy::Login | TlsPolicy::Everything) && !self.protection.secure {
            return Answer::refused(530, ErrorKind::Denied, "Begin TLS first: AUTH TLS.");
        }
        self.log_out(core);
        self.login.awaits_password = Some(name);
        Answer::new(331, "Now the password.")
    }

    fn pass(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        password: String,
    ) -> Result<Outcome, Answer> {
        let Some(user) = &self.login.awaits_password else {
            return Err(bad(SEQUENCE, "USER comes first."));
        };
        let action = Action::Login(Credentials {
            user: user.clone(),
            password,
            secure: self.protection.secure,
        });
        Ok(self.ask(core, id, spec, Asked::Login, action))
    }

    fn account(&self) -> Answer {
        match self.login.user {
            Some(_) => Answer::new(202, "No account is needed."),
            None => Answer::refused(
                530,
                ErrorKind::Denied,
                "USER and PASS are all that is needed.",
            ),
        }
    }

    fn reinitialize(&mut self, core: &mut Core) -> Answer {
        self.log_out(core);
        self.agreed = Agreed::default();
        self.channel.close(&mut core.interests, self.owner.slot);
        Answer::new(220, "Begin anew.")
    }

    /// Nobody is logged in from here on; if somebody was, the time to log in begins anew.
    pub(super) fn log_out(&mut self, core: &Core) {
        if self.login.user.take().is_some() {
            self.login.began = core.now;
        }
        self.login.awaits_password = None;
    }

    // Transfers

    fn file(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        path: Option<String>,
    ) -> Result<Outcome, Answer> {
        let offset = core::mem::take(&mut self.agreed.offset);
        if offset > 0 && matches!(spec.verb, Verb::Appe | Verb::Stou) {
            return Err(bad(SEQUENCE, "REST is for RETR and STOR."));
        }
        if offset > 0 && self.agreed.ascii {
            return Err(bad(504, "REST is for type I."));
        }
        self.may_transfer(core)?;
        let (question, way) = match (spec.verb, path) {
            (Verb::Retr, Some(path)) => (Question::Retrieve(path, offset), Way::Out(None)),
            (Verb::Appe, path) => (Question::Store(path, StoreMode::Append, 0), Way::In),
            (Verb::Stou, path) => (Question::Store(path, StoreMode::Unique, 0), Way::In),
            (_, path) => (Question::Store(path, StoreMode::Replace, offset), Way::In),
        };
        Ok(self.put(core, id, spec, Asked::Transfer, question, Some(way)))
    }

    fn list(
        &mut self,
        core: &mut Core,
        id: u64,
        spec: &'static Spec,
        argument: Option<String>,
    ) -> Result<Outcome, Answer> {
        self.agreed.offset = 0;
        self.may_transfer(core)?;
        let style = match spec.verb {
            Verb::List => ListingStyle::Long,
            Verb::Nlst => ListingStyle::Names,
            _ => ListingStyle::Facts,
        };
        let path = match style {
            ListingStyle::Facts => argument,
            _ => argument.and_then(|argument| without_options(&argument)),
        };
        let way = Way::Out(Some(style));
        let question = Question::List(path, style);
        Ok(self.put(core, id, spec, Asked::Transfer, question, Some(way)))
    }

    /// Whether a data connection can be had.
    fn may_transfer(&self, core: &Core) -> Result<(), Answer> {
        if core.settings.tls == TlsPolicy::Everything && !self.protection.private {
            let text = "Data go with TLS alone: PROT P.";
            return Err(Answer::refused(521, ErrorKind::Denied, text));
        }
        match self.channel.is_absent() {
            true => Err(bad(425, "Say first how to connect: EPSV or PASV.")),
            false => Ok(()),
        }
    }
}

/// The question that a command without a transfer is to the host.
fn question(verb: Verb, argument: Option<String>) -> (Asked, Action) {
    if verb == Verb::Mlst {
        return (Asked::Facts, Action::Facts(argument));
    }
    let path = argument.unwrap_or_default();
    match verb {
        Verb::Cwd => (
            done("It is the current directory now."),
            Action::ChangeDirectory(path),
        ),
        Verb::Cdup => {
            let action = Action::ChangeDirectory("..".to_string());
            (done("The directory above is the current one now."), action)
        }
        Verb::Mkd => (Asked::NewDirectory, Action::MakeDirectory(path)),
        Verb::Rmd => (done("It is removed."), Action::RemoveDirectory(path)),
        Verb::Dele => (done("It is deleted."), Action::Delete(path)),
        Verb::Rnfr => (
            Asked::RenameSource(path.clone()),
            Action::RenameSource(path),
        ),
        Verb::Size => (Asked::Size, Action::Size(path)),
        Verb::Mdtm => (Asked::Modified, Action::Modified(path)),
        Verb::Stat => (Asked::Status, Action::Status(path)),
        // All others are seen to elsewhere.
        _ => (Asked::WorkingDirectory, Action::PrintDirectory),
    }
}

fn done(text: &'static str) -> Asked {
    Asked::Done(250, text)
}

/// What a client should not have sent, or not now.
pub(super) fn bad(code: u16, text: &str) -> Answer {
    Answer::refused(code, ErrorKind::Protocol, text)
}

/// The path in the argument of LIST or NLST: many clients send options of `ls` before it.
fn without_options(argument: &str) -> Option<String> {
    let mut rest = argument;
    while rest.starts_with('-') {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    }
    (!rest.is_empty()).then(|| rest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_ls_are_no_path() {
        for (argument, path) in [
            ("a b", Some("a b")),
            ("-l", None),
            ("-la ", None),
            ("-l -a a -b", Some("a -b")),
            ("./-l", Some("./-l")),
        ] {
            assert_eq!(without_options(argument).as_deref(), path, "{argument:?}");
        }
    }
}
