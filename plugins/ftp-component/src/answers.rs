//! The host's answers as replies: which fits which command, with which code and what text.

use crate::bindings::component::ftp::types::{Entry, Error, ErrorKind};
use crate::bindings::exports::component::ftp::control::{Refusal, RefusalReason, Response};
use crate::exchange::{Asked, Exchange, Stage};
use crate::facts::Time;
use crate::failures::error;
use crate::listing::Format;
use crate::reply::quoted;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// A reply to a command, and why it failed, if it did.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub lines: Vec<String>,
    pub failure: Option<Error>,
}

impl Answer {
    /// A reply of one line.
    pub fn new(code: u16, text: impl ToString) -> Self {
        Self {
            code,
            lines: vec![text.to_string()],
            failure: None,
        }
    }

    /// A reply that something is not done.
    pub fn refused(code: u16, kind: ErrorKind, text: impl ToString) -> Self {
        let text = text.to_string();
        Self {
            failure: Some(error(kind, &text)),
            ..Self::new(code, text)
        }
    }
}

/// The reply to an answer of the host. Fails with a reason where the answer does not fit the command.
pub fn answer(
    exchange: &Exchange,
    response: Response,
    format: &Format,
) -> Result<Answer, &'static str> {
    match (&exchange.asked, response) {
        (_, Response::Refused(refusal)) => Ok(refused(exchange, refusal)),
        (Asked::Login, Response::Accepted(lines)) => Ok(said(230, lines, "You are logged in.")),
        (Asked::Done(code, text), Response::Accepted(lines)) => Ok(said(*code, lines, text)),
        (Asked::RenameSource(_), Response::Accepted(lines)) => {
            Ok(said(350, lines, "Now the new name."))
        }
        (Asked::Transfer, Response::Accepted(lines)) => {
            let stage = exchange.transfer.as_ref().map(|transfer| transfer.stage);
            match stage {
                Some(Stage::Complete) => Ok(said(226, lines, "The transfer is complete.")),
                _ => Err("a transfer that is not complete can't be accepted"),
            }
        }
        (Asked::WorkingDirectory, Response::Path(path)) => {
            named(&path, "is the current directory.")
        }
        (Asked::NewDirectory, Response::Path(path)) => named(&path, "was made."),
        (Asked::Size, Response::Size(size)) => Ok(Answer::new(213, size)),
        (Asked::Modified, Response::Modified(at)) => Ok(Answer::new(213, Time(at))),
        (Asked::Facts, Response::Entries(entries)) => facts(&entries, format),
        (Asked::Status, Response::Entries(entries)) => Ok(status(&entries, format)),
        _ => Err("the answer does not fit the command"),
    }
}

fn said(code: u16, lines: Vec<String>, own: &str) -> Answer {
    match lines.is_empty() {
        true => Answer::new(code, own),
        false => Answer {
            code,
            lines,
            failure: None,
        },
    }
}

fn named(path: &str, text: &str) -> Result<Answer, &'static str> {
    match path.starts_with('/') && !path.contains(char::is_control) {
        true => Ok(Answer::new(257, format!("{} {text}", quoted(path)))),
        false => Err("a path that is not absolute, or can't be said"),
    }
}

fn facts(entries: &[Entry], format: &Format) -> Result<Answer, &'static str> {
    let [entry] = entries else {
        return Err("MLST is answered with one entry");
    };
    if !Format::can_list(entry) {
        return Err("an entry whose name can't be said");
    }
    let mut line = String::new();
    format.facts.write(&mut line, entry);
    Ok(Answer {
        code: 250,
        lines: vec!["Facts:".to_string(), line, "End.".to_string()],
        failure: None,
    })
}

fn status(entries: &[Entry], format: &Format) -> Answer {
    let mut lines = vec!["Status:".to_string()];
    for entry in entries.iter().filter(|entry| Format::can_list(entry)) {
        let mut line = String::new();
        format.write_long(&mut line, entry);
        lines.push(line);
    }
    lines.push("End.".to_string());
    Answer {
        code: 213,
        lines,
        failure: None,
    }
}

/// What a refusal comes to.
fn refused(exchange: &Exchange, refusal: Refusal) -> Answer {
    let transfer = exchange.transfer.as_ref();
    let failed = transfer.and_then(|transfer| transfer.failure.clone());
    let (mut code, kind, own) = meaning(refusal.reason);
    if refusal.reason == RefusalReason::Transfer {
        if let Some(Stage::Failed(found)) = transfer.map(|transfer| transfer.stage) {
            code = found;
        }
    }
    let text = match refusal.message.is_empty() {
        true => own.to_string(),
        false => refusal.message,
    };
    match failed {
        // Why the transfer failed says more than that it did.
        Some(failure) => Answer {
            failure: Some(failure),
            ..Answer::new(code, text)
        },
        None => Answer::refused(code, kind, text),
    }
}

/// The code of a refusal, its kind and its own text.
fn meaning(reason: RefusalReason) -> (u16, ErrorKind, &'static str) {
    match reason {
        RefusalReason::Credentials => (530, ErrorKind::Denied, "User and password do not fit."),
        RefusalReason::NotFound => (
            550,
            ErrorKind::Permanent,
            "There is no such file or directory.",
        ),
        RefusalReason::Forbidden => (550, ErrorKind::Denied, "You may not."),
        RefusalReason::AlreadyExists => (550, ErrorKind::Permanent, "There is one already."),
        RefusalReason::NotEmpty => (550, ErrorKind::Permanent, "The directory is not empty."),
        RefusalReason::WrongKind => (
            550,
            ErrorKind::Permanent,
            "It is a directory and should be none, or the other way round.",
        ),
        RefusalReason::BadName => (553, ErrorKind::Permanent, "The name is not allowed."),
        RefusalReason::Busy => (450, ErrorKind::Transient, "Somebody else uses it."),
        RefusalReason::NoSpace => (452, ErrorKind::Transient, "There is no space left."),
        RefusalReason::Quota => (552, ErrorKind::Exhausted, "Your share of space is used up."),
        RefusalReason::Unsupported => (504, ErrorKind::Permanent, "The storage can't do this."),
        RefusalReason::Storage => (451, ErrorKind::Transient, "The storage failed."),
        RefusalReason::Transfer => (451, ErrorKind::Transient, "The transfer failed."),
        RefusalReason::Closing => (421, ErrorKind::Cancelled, "The service ends for you."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::component::ftp::control::ListingStyle;
    use crate::exchange::{Transfer, Way};
    use crate::facts::tests::file;
    use crate::facts::Facts;
    use alloc::boxed::Box;

    fn exchange(asked: Asked, stage: Option<Stage>) -> Exchange {
        let transfer = stage.map(|stage| {
            let mut transfer = Transfer::new(Way::In, 0);
            transfer.stage = stage;
            Box::new(transfer)
        });
        Exchange {
            id: 1,
            verb: "NOOP",
            began: 0,
            asked,
            transfer,
        }
    }

    fn answered(exchange: &Exchange, response: Response) -> Result<Answer, &'static str> {
        let format = Format {
            style: ListingStyle::Long,
            facts: Facts::default(),
            now: 0,
        };
        answer(exchange, response, &format)
    }

    fn code(asked: Asked, stage: Option<Stage>, response: Response) -> Option<u16> {
        let answer = answered(&exchange(asked, stage), response);
        answer.ok().map(|answer| answer.code)
    }

    fn refusal(reason: RefusalReason) -> Response {
        Response::Refused(Refusal {
            reason,
            message: String::new(),
        })
    }

    fn accepted() -> Response {
        Response::Accepted(Vec::new())
    }

    #[test]
    fn each_command_has_its_own_answer() {
        let source = || Asked::RenameSource("a".to_string());
        assert_eq!(code(Asked::Login, None, accepted()), Some(230));
        assert_eq!(code(Asked::Done(250, "Done."), None, accepted()), Some(250));
        assert_eq!(code(source(), None, accepted()), Some(350));
        assert_eq!(code(Asked::Size, None, Response::Size(7)), Some(213));
        assert_eq!(
            code(Asked::Modified, None, Response::Modified(7)),
            Some(213)
        );
        let path = || Response::Path("/a".to_string());
        assert_eq!(code(Asked::WorkingDirectory, None, path()), Some(257));
        assert_eq!(code(Asked::NewDirectory, None, path()), Some(257));
        for asked in [Asked::Login, Asked::Transfer, Asked::Facts, source()] {
            assert_eq!(code(asked, None, path()), None);
        }
        assert_eq!(code(Asked::WorkingDirectory, None, accepted()), None);
    }

    #[test]
    fn a_path_is_absolute_and_of_one_line() {
        for path in ["a", "", "/a\r\nb"] {
            let response = Response::Path(path.to_string());
            assert_eq!(
                code(Asked::WorkingDirectory, None, response),
                None,
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_transfer_is_accepted_when_it_is_complete() {
        for (stage, expected) in [
            (Stage::Complete, Some(226)),
            (Stage::Failed(426), None),
            (Stage::Offered, None),
            (Stage::Unwanted, None),
        ] {
            assert_eq!(code(Asked::Transfer, Some(stage), accepted()), expected);
        }
    }

    #[test]
    fn the_code_of_a_failed_transfer_fits_how_it_failed() {
        let failed = || refusal(RefusalReason::Transfer);
        for found in [425, 426, 451] {
            let stage = Some(Stage::Failed(found));
            assert_eq!(code(Asked::Transfer, stage, failed()), Some(found));
        }
        assert_eq!(
            code(Asked::Transfer, Some(Stage::Offered), failed()),
            Some(451)
        );
        assert_eq!(code(Asked::Size, None, failed()), Some(451));
        let other = refusal(RefusalReason::Quota);
        assert_eq!(
            code(Asked::Transfer, Some(Stage::Failed(426)), other),
            Some(552)
        );
    }

    #[test]
    fn mlst_and_stat_show_entries_on_lines_of_their_own() {
        let entries = || Response::Entries(vec![file()]);
        let found = answered(&exchange(Asked::Facts, None), entries()).unwrap();
        assert_eq!((found.code, found.lines.len()), (250, 3));
        let found = answered(&exchange(Asked::Status, None), entries()).unwrap();
        assert_eq!((found.code, found.lines.len()), (213, 3));
        let none = Response::Entries(Vec::new());
        assert!(answered(&exchange(Asked::Facts, None), none).is_err());
    }
}
