//! The head of a response (RFC 9112, 4): from its bytes, all there, to what it says.

use crate::bindings::component::http::types::{Field, Version};
use crate::framing::{self, Framing};
use crate::head::fields_of;
use crate::refusal::Refusal;
use alloc::vec::Vec;
use httparse::EMPTY_HEADER;

#[derive(Debug)]
pub struct ReplyHead {
    pub status: u16,
    pub version: Version,
    pub fields: Vec<Field>,
    pub framing: Framing,
    pub persistent: bool,
}

/// Reads a head with its empty line, in which there are `count` lines of fields. `head`: whether the method was HEAD.
pub fn parse_reply(data: &[u8], count: usize, head: bool) -> Result<ReplyHead, Refusal> {
    let mut headers = alloc::vec![EMPTY_HEADER; count];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(data) {
        Ok(httparse::Status::Complete(length)) if length == data.len() => {}
        _ => return Err(Refusal::bad("a malformed head of a response")),
    }
    let status = response.code.unwrap_or_default();
    if !(100..=999).contains(&status) {
        return Err(Refusal::bad("a malformed status code"));
    }
    if status == 101 {
        return Err(Refusal::bad("an upgrade that nobody asked for"));
    }
    let version = match response.version {
        Some(0) => Version::Http10,
        _ => Version::Http11,
    };
    let mut fields = fields_of(response.headers)?;
    let bodiless = head || status < 200 || matches!(status, 204 | 304);
    let framing = framing::of_response(&mut fields, version, bodiless)?;
    Ok(ReplyHead {
        status,
        version,
        persistent: framing::is_persistent(&fields, version) && framing != Framing::UntilClose,
        fields,
        framing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn parse(status: &str, lines: &str, head: bool) -> Result<ReplyHead, Refusal> {
        let text = format!("{status}\r\n{lines}\r\n");
        parse_reply(text.as_bytes(), lines.matches('\n').count(), head)
    }

    #[test]
    fn content_ends_as_the_fields_and_the_request_say() {
        let ok = "HTTP/1.1 200 OK";
        for (status, lines, head, framing) in [
            (ok, "Content-Length: 5\r\n", false, Framing::Length(5)),
            (ok, "Content-Length: 5\r\n", true, Framing::Length(0)),
            (
                ok,
                "Transfer-Encoding: chunked\r\n",
                false,
                Framing::Chunked,
            ),
            (ok, "", false, Framing::UntilClose),
            ("HTTP/1.1 204 No Content", "", false, Framing::Length(0)),
            (
                "HTTP/1.1 304 ",
                "Content-Length: 5\r\n",
                false,
                Framing::Length(0),
            ),
            ("HTTP/1.0 200", "", false, Framing::UntilClose),
        ] {
            let found = parse(status, lines, head).unwrap();
            assert_eq!(found.framing, framing, "{status} {lines:?}");
        }
    }

    #[test]
    fn malformed_responses_are_refused() {
        for (status, lines) in [
            ("HTTP/1.1 20 OK", ""),
            ("HTTP/2.0 200 OK", ""),
            ("HTTP/1.1 101 Switching Protocols", ""),
            ("hello", ""),
            ("HTTP/1.1 200 OK", "a : b\r\n"),
            ("HTTP/1.1 200 OK", "a: b\r\n c\r\n"),
            (
                "HTTP/1.1 200 OK",
                "Content-Length: 1\r\nContent-Length: 2\r\n",
            ),
            (
                "HTTP/1.1 200 OK",
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            ),
            ("HTTP/1.1 200 OK", "Transfer-Encoding: gzip\r\n"),
        ] {
            assert!(parse(status, lines, false).is_err(), "{status} {lines:?}");
        }
    }
}
