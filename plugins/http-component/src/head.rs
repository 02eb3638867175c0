//! The head of a request (RFC 9112, 2 to 5): from its bytes, all there, to what it says.
//!
//! `httparse` takes it apart; what it is more generous with than a server may be is refused here. Which content follows
//! is for `framing`.

use crate::bindings::component::http::types::{Field, Version};
use crate::fields;
use crate::framing::{self, Framing};
use crate::refusal::Refusal;
use crate::target::{self, Target};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use httparse::{Error, Header, EMPTY_HEADER};

/// What a request says, its content excepted.
#[derive(Debug)]
pub struct RequestHead {
    pub method: String,
    pub authority: String,
    pub path: String,
    pub query: Option<String>,
    pub version: Version,
    pub fields: Vec<Field>,
    pub framing: Framing,
    /// Whether the client wants, or can have, another request on the connection.
    pub persistent: bool,
    /// Whether it waits for 100 (Continue).
    pub expects: bool,
}

impl RequestHead {
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// As many fields as find room without an allocation.
const FEW: usize = 32;

/// Reads a head with its empty line, in which there are `count` lines of fields.
pub fn parse_request(data: &[u8], count: usize) -> Result<RequestHead, Refusal> {
    if count <= FEW {
        parse_into(data, &mut [EMPTY_HEADER; FEW])
    } else {
        parse_into(data, &mut alloc::vec![EMPTY_HEADER; count])
    }
}

fn parse_into<'a>(data: &'a [u8], headers: &mut [Header<'a>]) -> Result<RequestHead, Refusal> {
    let mut request = httparse::Request::new(headers);
    match request.parse(data) {
        Ok(httparse::Status::Complete(length)) if length == data.len() => {}
        Ok(_) => return Err(Refusal::bad("a malformed head")),
        Err(error) => return Err(refusal(error, data)),
    }
    let version = match request.version {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    };
    let method = request.method.unwrap_or_default();
    if !fields::is_token(method.as_bytes()) {
        return Err(Refusal::bad("the method is not a token"));
    }
    if method == "CONNECT" {
        return Err(Refusal::new(501, "CONNECT is not offered"));
    }
    let target = Target::parse(method, request.path.unwrap_or_default())?;
    let mut fields = fields_of(request.headers)?;
    let host = host_of(&fields, version)?;
    if let Some(authority) = &target.authority {
        // The target decides (RFC 9112, 3.2.2): nobody behind us is to read something else.
        for (_, value) in fields.iter_mut().filter(|(name, _)| name == "host") {
            *value = authority.as_bytes().to_vec();
        }
    }
    let framing = framing::of_request(&mut fields, version)?;
    Ok(RequestHead {
        persistent: framing::is_persistent(&fields, version),
        expects: expectation(&fields, version)? && framing != Framing::Length(0),
        fields: offered(fields),
        authority: target.authority.unwrap_or(host),
        method: method.to_owned(),
        path: target.path,
        query: target.query,
        version,
        framing,
    })
}

/// Names in lower case, and values.
pub fn fields_of(headers: &[Header]) -> Result<Vec<Field>, Refusal> {
    let mut found = Vec::with_capacity(headers.len());
    for header in headers {
        if !fields::is_token(header.name.as_bytes()) {
            return Err(Refusal::bad("a field name that is not a token"));
        }
        let value = fields::trim(header.value);
        if !fields::is_value(value) {
            return Err(Refusal::bad("a control character in a field value"));
        }
        found.push((header.name.to_ascii_lowercase(), value.to_vec()));
    }
    Ok(found)
}

/// The Host field (RFC 9112, 3.2): one that can be read, or with HTTP/1.0 none.
fn host_of(fields: &[Field], version: Version) -> Result<String, Refusal> {
    let mut values = fields::values(fields, "host");
    let Some(value) = values.next() else {
        return match version {
            Version::Http10 => Ok(String::new()),
            Version::Http11 => Err(Refusal::bad("no Host field")),
        };
    };
    if values.next().is_some() {
        return Err(Refusal::bad("several Host fields"));
    }
    match core::str::from_utf8(value) {
        Ok(host) if target::is_authority(value) => Ok(host.to_owned()),
        _ => Err(Refusal::bad("a malformed Host field")),
    }
}

/// Whether the client waits for 100 (RFC 9110, 10.1.1). HTTP/1.0 has no expectations.
fn expectation(fields: &[Field], version: Version) -> Result<bool, Refusal> {
    let mut expects = false;
    if version == Version::Http11 {
        for member in fields::values(fields, "expect").flat_map(fields::members) {
            if !member.eq_ignore_ascii_case(b"100-continue") {
                return Err(Refusal::new(417, "an unknown expectation"));
            }
            expects = true;
        }
    }
    Ok(expects)
}

/// The fields without an upgrade, which is not offered (RFC 9110, 7.8).
fn offered(mut fields: Vec<Field>) -> Vec<Field> {
    fields.retain(|(name, _)| name != "upgrade");
    fields
}

fn refusal(error: Error, data: &[u8]) -> Refusal {
    match error {
        Error::TooManyHeaders => Refusal::new(431, "there are too many header fields"),
        Error::Version if names_a_version(data) => {
            Refusal::new(505, "a version of HTTP that is not spoken here")
        }
        Error::Version => Refusal::bad("a malformed version"),
        Error::HeaderName => Refusal::bad("a malformed field name"),
        Error::HeaderValue => Refusal::bad("a malformed field value"),
        Error::NewLine => Refusal::bad("a malformed line end"),
        Error::Token | Error::Status => Refusal::bad("a malformed request line"),
    }
}

/// Whether a request line is three words, of which the last is the name of a version (RFC 9112, 2.3).
fn names_a_version(data: &[u8]) -> bool {
    let line = data.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(_), Some(_), Some(name), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    match name {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn status(head: &str) -> u16 {
        match parse_request(head.as_bytes(), 64) {
            Ok(_) => 200,
            Err(refusal) => refusal.status,
        }
    }

    fn with_fields(lines: &str) -> u16 {
        status(&format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
    }

    #[test]
    fn a_request_is_read_with_its_fields_in_order() {
        let text = "GET /a?b HTTP/1.1\r\nHost: h:80\r\nX-One: \t1 \r\nx-two:\r\n\r\n";
        let head = parse_request(text.as_bytes(), 3).unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str()), ("GET", "/a"));
        assert_eq!(head.query.as_deref(), Some("b"));
        assert_eq!(head.authority, "h:80");
        assert_eq!(head.fields[1], ("x-one".to_owned(), b"1".to_vec()));
        assert_eq!(head.fields[2], ("x-two".to_owned(), b"".to_vec()));
        assert!(head.persistent && !head.expects);
    }

    #[test]
    fn the_authority_of_the_target_takes_the_place_of_host() {
        let text = "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n";
        let head = parse_request(text.as_bytes(), 1).unwrap();
        assert_eq!(head.authority, "b");
        assert_eq!(head.fields, [("host".to_owned(), b"b".to_vec())]);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for lines in [
            "a : b\r\n",
            " a: b\r\n",
            "a: b\r\n c\r\n",
            "a: b\rc\r\n",
            "a: b\0c\r\n",
            "a\r\n",
            ": b\r\n",
            "a(: b\r\n",
            "Host: b\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert_eq!(with_fields(lines), 400, "{lines:?}");
        }
    }

    #[test]
    fn request_lines_have_one_form() {
        for (line, expected) in [
            ("GET / HTTP/1.1", 200),
            ("get / HTTP/1.1", 200),
            ("GET  / HTTP/1.1", 400),
            ("GET /  HTTP/1.1", 400),
            ("GET / HTTP/1.1 ", 400),
            ("GET /", 400),
            ("GET / http/1.1", 400),
            ("GET / HTTP/1.10", 400),
            ("GET / HTTP/2.0", 505),
            ("GET / HTTP/1.2", 505),
            ("G(T / HTTP/1.1", 400),
            ("CONNECT a:1 HTTP/1.1", 501),
        ] {
            assert_eq!(
                status(&format!("{line}\r\nHost: a\r\n\r\n")),
                expected,
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_host_is_demanded_once() {
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), 400);
        assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), 200);
        assert_eq!(status("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
        assert_eq!(status("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200);
    }

    #[test]
    fn expectations_are_known_or_refused() {
        assert_eq!(
            with_fields("Expect: 100-Continue\r\nContent-Length: 1\r\n"),
            200
        );
        assert_eq!(with_fields("Expect: magic\r\n"), 417);
    }
}
