//! Where the content of a message ends (RFC 9112, 6), and whether the connection goes on after it (9.3).

use crate::bindings::component::http::types::{Field, Version};
use crate::fields::{decimal, has_member, members, values};
use crate::refusal::Refusal;

/// How content is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By a number of bytes; 0: there is none.
    Length(u64),
    Chunked,
    /// By the end of the connection; of responses alone.
    UntilClose,
}

/// How the content of a request is delimited. Takes Transfer-Encoding, and repetitions of Content-Length, off the fields.
pub fn of_request(fields: &mut Vec<Field>, version: Version) -> Result<Framing, Refusal> {
    match (coding(fields)?, length(fields)?) {
        (Some(_), _) if version == Version::Http10 => {
            Err(Refusal::bad("Transfer-Encoding in a message of HTTP/1.0"))
        }
        (Some(_), Some(_)) => Err(Refusal::bad("both Content-Length and Transfer-Encoding")),
        (Some(framing), None) => {
            fields.retain(|(name, _)| name != "transfer-encoding");
            Ok(framing)
        }
        (None, Some(length)) => {
            keep_one_length(fields);
            Ok(Framing::Length(length))
        }
        (None, None) => Ok(Framing::Length(0)),
    }
}

/// What the Transfer-Encoding fields say; none where there are none. Only `chunked`, once, is known here.
fn coding(fields: &[Field]) -> Result<Option<Framing>, Refusal> {
    let mut present = false;
    let (mut last, mut count, mut chunked) = (&b""[..], 0, 0);
    for value in values(fields, "transfer-encoding") {
        present = true;
        for member in members(value) {
            last = member;
            count += 1;
            chunked += usize::from(member.eq_ignore_ascii_case(b"chunked"));
        }
    }
    let ends_chunked = last.eq_ignore_ascii_case(b"chunked");
    match (present, count, chunked) {
        (false, ..) => Ok(None),
        (_, 1, 1) => Ok(Some(Framing::Chunked)),
        (_, _, 1) if ends_chunked => Err(Refusal::new(501, "a transfer coding beside chunked")),
        (_, 1.., 0) if !is_registered(last) => Err(Refusal::new(501, "an unknown transfer coding")),
        _ => Err(Refusal::bad(
            "Transfer-Encoding does not end in one chunked",
        )),
    }
}

/// Codings that are known and don't delimit a message.
fn is_registered(coding: &[u8]) -> bool {
    const NAMES: [&str; 6] = [
        "gzip",
        "x-gzip",
        "compress",
        "x-compress",
        "deflate",
        "identity",
    ];
    NAMES
        .iter()
        .any(|name| coding.eq_ignore_ascii_case(name.as_bytes()))
}

/// What the Content-Length fields say: one number, however often (RFC 9112, 6.3).
fn length(fields: &[Field]) -> Result<Option<u64>, Refusal> {
    let mut found = None;
    for member in values(fields, "content-length").flat_map(|value| value.split(|&b| b == b',')) {
        let number = decimal(crate::fields::trim(member))
            .ok_or(Refusal::bad("a malformed Content-Length"))?;
        if found.is_some_and(|before| before != number) {
            return Err(Refusal::bad("several Content-Lengths that differ"));
        }
        found = Some(number);
    }
    Ok(found)
}

/// Leaves one Content-Length with one number.
fn keep_one_length(fields: &mut Vec<Field>) {
    let mut seen = false;
    fields.retain_mut(|(name, value)| {
        if name != "content-length" {
            return true;
        }
        if let Some(end) = value.iter().position(|&byte| byte == b',') {
            value.truncate(end);
            value.truncate(crate::fields::trim(value).len());
        }
        !core::mem::replace(&mut seen, true)
    });
}

/// How the content of a response is delimited. `bodiless`: by request or status it has none.
pub fn of_response(
    fields: &mut Vec<Field>,
    version: Version,
    bodiless: bool,
) -> Result<Framing, Refusal> {
    let (coding, length) = (coding(fields)?, length(fields)?);
    fields.retain(|(name, _)| name != "transfer-encoding");
    match (coding, length) {
        (Some(_), Some(_)) => Err(Refusal::bad("both Content-Length and Transfer-Encoding")),
        (Some(_), _) if version == Version::Http10 => {
            Err(Refusal::bad("Transfer-Encoding in a message of HTTP/1.0"))
        }
        _ if bodiless => Ok(Framing::Length(0)),
        (Some(framing), None) => Ok(framing),
        (None, Some(length)) => {
            keep_one_length(fields);
            Ok(Framing::Length(length))
        }
        (None, None) => Ok(Framing::UntilClose),
    }
}

/// Whether the sender of a message lets the connection go on (RFC 9112, 9.3).
pub fn is_persistent(fields: &[Field], version: Version) -> bool {
    if has_member(fields, "connection", "close") {
        return false;
    }
    version == Version::Http11 || has_member(fields, "connection", "keep-alive")
}

use alloc::vec::Vec;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn framing(lines: &[(&str, &str)], version: Version) -> Result<Framing, u16> {
        let mut fields = lines
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        of_request(&mut fields, version).map_err(|refusal| refusal.status)
    }

    fn coded(values: &[&str]) -> Result<Framing, u16> {
        let lines: Vec<_> = values
            .iter()
            .map(|value| ("transfer-encoding", *value))
            .collect();
        framing(&lines, Version::Http11)
    }

    #[test]
    fn chunked_once_is_the_one_transfer_coding() {
        assert_eq!(coded(&["chunked"]), Ok(Framing::Chunked));
        assert_eq!(coded(&["Chunked "]), Ok(Framing::Chunked));
        for (values, status) in [
            (&["gzip, chunked"][..], 501),
            (&["gzip", "chunked"], 501),
            (&["xchunked"], 501),
            (&["chunked, gzip"], 400),
            (&["chunked, chunked"], 400),
            (&["chunked", "chunked"], 400),
            (&["gzip"], 400),
            (&["identity"], 400),
            (&[""], 400),
            (&[","], 400),
        ] {
            assert_eq!(coded(values), Err(status), "{values:?}");
        }
        let old = [("transfer-encoding", "chunked")];
        assert_eq!(framing(&old, Version::Http10), Err(400));
    }

    #[test]
    fn lengths_agree_or_are_refused() {
        let same = [("content-length", "5"), ("content-length", "5, 5")];
        assert_eq!(framing(&same, Version::Http11), Ok(Framing::Length(5)));
        for value in ["", "5,", "5,6", "5 5", "-1", "0x5", "99999999999999999999"] {
            let lines = [("content-length", value)];
            assert_eq!(framing(&lines, Version::Http11), Err(400), "{value:?}");
        }
    }

    #[test]
    fn one_length_is_left_of_several_that_agree() {
        let mut fields = alloc::vec![
            ("content-length".to_string(), b"5 , 5".to_vec()),
            ("content-length".to_string(), b"5".to_vec()),
        ];
        of_request(&mut fields, Version::Http11).unwrap();
        assert_eq!(fields, [("content-length".to_string(), b"5".to_vec())]);
    }
}
