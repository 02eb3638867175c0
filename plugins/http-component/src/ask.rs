//! A request to a server: whether it can be sent, and the bytes of its head (RFC 9112, 3).

use crate::answer::{decimal, line};
use crate::bindings::component::http::types::{Error, ErrorKind, OutgoingContent, Scheme, Source};
use crate::bindings::exports::component::http::client::Request;
use crate::failures::error;
use crate::fields;
use crate::target::{host_and_port, is_target_byte};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use guest_kit::timers::{Deadline, NEVER};

/// Whom connections go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    pub secure: bool,
    pub host: String,
    pub port: u16,
}

/// A request that can be sent.
pub struct Job {
    pub id: u64,
    pub origin: Origin,
    /// The head, and inline content.
    pub bytes: Vec<u8>,
    /// Content that comes from the host: how much, where that is known.
    pub source: Option<(Source, Option<u64>)>,
    /// Whether the method was HEAD.
    pub head: bool,
    /// Whether the connection goes on after it.
    pub persistent: bool,
    /// When all of it has to be over.
    pub deadline: u64,
    /// What the timers know while it waits for a connection.
    pub timer: Deadline,
}

impl Job {
    /// Looks a request over and writes its head. `inline`: how many bytes of content may be inline.
    pub fn new(id: u64, request: Request, inline: u32, now: u64) -> Result<Self, Error> {
        let invalid = |reason: &str| error(ErrorKind::InvalidArgument, reason);
        let method = request.method.as_str();
        if !fields::is_token(method.as_bytes()) {
            return Err(invalid("the method is not a token"));
        }
        if method == "CONNECT" {
            return Err(invalid("CONNECT is not offered"));
        }
        let origin = origin(request.scheme, &request.authority)
            .ok_or_else(|| invalid("an authority that is not host and port"))?;
        let whole = request.path == "*" && method == "OPTIONS";
        if !whole && !request.path.starts_with('/') || !request.path.bytes().all(is_target_byte) {
            return Err(invalid("a path that can't be sent"));
        }
        let known = match &request.content {
            OutgoingContent::Inline(content) if content.len() > inline as usize => {
                return Err(invalid("content that is too long to be inline"));
            }
            OutgoingContent::Inline(content) => Some(content.len() as u64),
            OutgoingContent::Streamed(source) => source.length,
        };
        let fields = Fields::read(&request, known).map_err(invalid)?;
        let mut bytes = fields.write(&request);
        let source = match request.content {
            OutgoingContent::Inline(content) => {
                bytes.extend_from_slice(&content);
                None
            }
            OutgoingContent::Streamed(source) => Some((source, fields.length)),
        };
        Ok(Self {
            id,
            origin,
            bytes,
            source,
            head: method == "HEAD",
            persistent: !fields.close,
            deadline: request
                .deadline
                .map_or(NEVER, |most| now.saturating_add(most)),
            timer: Deadline::default(),
        })
    }
}

fn origin(scheme: Scheme, authority: &str) -> Option<Origin> {
    let (host, port) = host_and_port(authority)?;
    let secure = scheme == Scheme::Https;
    let usual = if secure { 443 } else { 80 };
    let port = port.unwrap_or(usual);
    (port != 0).then(|| Origin {
        secure,
        host: host.to_ascii_lowercase(),
        port,
    })
}

/// What the fields of a request say about its framing.
struct Fields {
    /// How many bytes of content, where that is known.
    length: Option<u64>,
    close: bool,
}

impl Fields {
    fn read(request: &Request, known: Option<u64>) -> Result<Self, &'static str> {
        let (mut said, mut close) = (None, false);
        for (name, value) in &request.fields {
            if !fields::is_token(name.as_bytes()) {
                return Err("a field name that is not a token");
            }
            if !fields::is_value(value) {
                return Err("a field value that can't be sent");
            }
            if name.eq_ignore_ascii_case("connection") {
                close |= fields::members(value).any(|member| member.eq_ignore_ascii_case(b"close"));
            } else if name.eq_ignore_ascii_case("content-length") {
                let number = fields::decimal(value).ok_or("a malformed Content-Length")?;
                if said.is_some_and(|before| before != number) {
                    return Err("several Content-Lengths");
                }
                said = Some(number);
            }
        }
        match (said, known) {
            (Some(said), Some(known)) if said != known => {
                Err("Content-Length does not agree with the content")
            }
            _ => Ok(Self {
                length: known.or(said),
                close,
            }),
        }
    }

    fn write(&self, request: &Request) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(request.method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(request.path.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        line(&mut out, b"host", request.authority.as_bytes());
        for (name, value) in &request.fields {
            if !is_ours(name) && !fields::has_member(&request.fields, "connection", name) {
                line(&mut out, name.as_bytes(), value);
            }
        }
        match self.length {
            // RFC 9110, 8.6: none is said where none is expected.
            Some(0) if !expects_content(&request.method) => {}
            Some(length) => {
                out.extend_from_slice(b"content-length: ");
                decimal(&mut out, length);
                out.extend_from_slice(b"\r\n");
            }
            None => line(&mut out, b"transfer-encoding", b"chunked"),
        }
        if self.close {
            line(&mut out, b"connection", b"close");
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// Fields that the component says itself, or leaves out.
fn is_ours(name: &str) -> bool {
    name.eq_ignore_ascii_case("host")
        || name.eq_ignore_ascii_case("content-length")
        || fields::is_connection_specific(name)
}

fn expects_content(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

impl Origin {
    /// The name of the server, as the host looks it up and checks its certificate.
    pub fn name(&self) -> String {
        self.host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    fn request(method: &str, path: &str, list: &[(&str, &str)], content: &[u8]) -> Request {
        Request {
            method: method.to_owned(),
            scheme: Scheme::Http,
            authority: "Example.org:8080".to_owned(),
            path: path.to_owned(),
            fields: list
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            content: OutgoingContent::Inline(content.to_vec()),
            deadline: None,
        }
    }

    #[test]
    fn a_request_is_framed_and_gets_a_host() {
        let list = [
            ("X", "y"),
            ("Host", "other"),
            ("Connection", "close, x-hop"),
            ("X-Hop", "1"),
        ];
        let job = Job::new(1, request("POST", "/a?b", &list, b"hi"), 16, 0).unwrap();
        let text = String::from_utf8(job.bytes).unwrap();
        assert_eq!(
            text,
            "POST /a?b HTTP/1.1\r\nhost: Example.org:8080\r\nX: y\r\ncontent-length: 2\r\n\
             connection: close\r\n\r\nhi"
        );
        assert!(!job.persistent);
        assert_eq!(
            (job.origin.name().as_str(), job.origin.port),
            ("example.org", 8080)
        );
    }

    #[test]
    fn a_length_of_0_is_said_where_content_is_expected() {
        for (method, said) in [("GET", false), ("POST", true), ("DELETE", false)] {
            let job = Job::new(1, request(method, "/", &[], b""), 16, 0).unwrap();
            let text = String::from_utf8(job.bytes).unwrap();
            assert_eq!(text.contains("content-length: 0"), said, "{method}");
        }
    }

    #[test]
    fn what_can_not_be_sent_is_refused() {
        for wrong in [
            request("G T", "/", &[], b""),
            request("CONNECT", "/", &[], b""),
            request("GET", "a", &[], b""),
            request("GET", "*", &[], b""),
            request("GET", "/ ", &[], b""),
            request("GET", "/#", &[], b""),
            request("GET", "/", &[("a b", "")], b""),
            request("GET", "/", &[("a", "b\nc")], b""),
            request("POST", "/", &[("content-length", "3")], b"hi"),
            request("POST", "/", &[], b"12345678901234567"),
        ] {
            assert!(Job::new(1, wrong, 16, 0).is_err());
        }
    }
}
