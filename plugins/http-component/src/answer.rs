//! The head of an answer (RFC 9112, 4 and 6): what may be sent, and the bytes of it.

use crate::bindings::component::http::types::{Field, Version};
use crate::fields;
use alloc::vec::Vec;

/// What is to be known of the request.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub version: Version,
    /// Whether the method was HEAD.
    pub head: bool,
}

/// How the content of an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimited {
    /// None is sent, whatever the fields say.
    Nothing,
    Length(u64),
    Chunked,
    /// The end of the connection.
    Close,
}

/// What the host's answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    pub delimited: Delimited,
    /// The Content-Length to send, where the component says one.
    pub length: Option<u64>,
    /// Whether the host wants the connection closed.
    pub close: bool,
    /// Whether there is a Date field.
    dated: bool,
    /// Whether there is a Connection field, which may name others.
    connected: bool,
}

/// Looks an answer over: `known` is how many bytes the content has, where that is known.
///
/// Fails with a reason where it can't be sent.
pub fn plan(
    asked: Asked,
    status: u16,
    list: &[Field],
    known: Option<u64>,
) -> Result<Plan, &'static str> {
    if !(200..=599).contains(&status) {
        return Err("a status that is not from 200 to 599");
    }
    let (mut said, mut close, mut dated, mut connected) = (None, false, false, false);
    for (name, value) in list {
        if !fields::is_token(name.as_bytes()) {
            return Err("a field name that is not a token");
        }
        if !fields::is_value(value) {
            return Err("a field value that can't be sent");
        }
        match name.len() {
            4 => dated |= name.eq_ignore_ascii_case("date"),
            10 if name.eq_ignore_ascii_case("connection") => {
                connected = true;
                close |= fields::members(value).any(|member| member.eq_ignore_ascii_case(b"close"));
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let number = fields::decimal(value).ok_or("a malformed Content-Length")?;
                if said.is_some_and(|before| before != number) {
                    return Err("several Content-Lengths");
                }
                said = Some(number);
            }
            _ => {}
        }
    }
    let bodiless = matches!(status, 204 | 304);
    if bodiless && known.unwrap_or(1) != 0 {
        return Err("content with a status that has none");
    }
    if bodiless || asked.head {
        // What a GET would have got may be said (RFC 9110, 8.6), of 204 nothing.
        let length = match (said, known) {
            (Some(said), Some(known)) if known != 0 && said != known => {
                return Err("Content-Length does not agree with the content")
            }
            _ if status == 204 => None,
            (Some(said), _) => Some(said),
            (None, Some(known)) if known != 0 && !bodiless => Some(known),
            _ => None,
        };
        return Ok(Plan {
            delimited: Delimited::Nothing,
            length,
            close,
            dated,
            connected,
        });
    }
    let length = match (said, known) {
        (Some(said), Some(known)) if said != known => {
            return Err("Content-Length does not agree with the content")
        }
        (said, known) => known.or(said),
    };
    let delimited = match (length, asked.version) {
        (Some(length), _) => Delimited::Length(length),
        (None, Version::Http11) => Delimited::Chunked,
        (None, Version::Http10) => Delimited::Close,
    };
    Ok(Plan {
        delimited,
        length,
        close,
        dated,
        connected,
    })
}

/// Writes the head of an answer that `plan` has found good. `persistent`: whether the connection goes on.
pub fn write_head(
    out: &mut Vec<u8>,
    asked: Asked,
    status: u16,
    list: &[Field],
    plan: &Plan,
    persistent: bool,
    date: &[u8],
) {
    let size: usize = list
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    out.reserve(size + 160);
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in list {
        if is_ours(name) || plan.connected && is_named(name, list) {
            continue;
        }
        line(out, name.as_bytes(), value);
    }
    if !plan.dated {
        line(out, b"date", date);
    }
    if let Some(length) = plan.length {
        out.extend_from_slice(b"content-length: ");
        decimal(out, length);
        out.extend_from_slice(b"\r\n");
    }
    if plan.delimited == Delimited::Chunked {
        line(out, b"transfer-encoding", b"chunked");
    }
    match (persistent, asked.version) {
        (false, _) => line(out, b"connection", b"close"),
        (true, Version::Http10) => line(out, b"connection", b"keep-alive"),
        (true, Version::Http11) => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Fields that the component says itself, or leaves out.
fn is_ours(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-length") || fields::is_connection_specific(name)
}

/// Whether a Connection field names a field, which then is of the connection too.
fn is_named(name: &str, list: &[Field]) -> bool {
    fields::has_member(list, "connection", name)
}

/// Puts a field line behind others.
pub fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Puts a number in decimal digits behind others.
pub fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The reason phrase of a status (RFC 9110, 15); empty for those that have none there.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    const GET: Asked = Asked {
        version: Version::Http11,
        head: false,
    };
    const HEAD: Asked = Asked {
        version: Version::Http11,
        head: true,
    };

    fn list(fields: &[(&str, &str)]) -> Vec<Field> {
        fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect()
    }

    fn text(
        asked: Asked,
        status: u16,
        fields: &[(&str, &str)],
        known: Option<u64>,
        go_on: bool,
    ) -> String {
        let list = list(fields);
        let plan = plan(asked, status, &list, known).unwrap();
        let mut out = Vec::new();
        write_head(&mut out, asked, status, &list, &plan, go_on, b"D");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_component_frames_what_the_host_answers() {
        assert_eq!(
            text(
                GET,
                200,
                &[("x", "y"), ("Connection", "x-hop"), ("x-hop", "1")],
                Some(12),
                true
            ),
            "HTTP/1.1 200 OK\r\nx: y\r\ndate: D\r\ncontent-length: 12\r\n\r\n"
        );
        assert_eq!(
            text(
                GET,
                299,
                &[("Date", "E"), ("Transfer-Encoding", "gzip")],
                None,
                false
            ),
            "HTTP/1.1 299 \r\nDate: E\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_length_that_the_host_says_stands_for_one_that_is_not_known() {
        let fields = list(&[("Content-Length", "7")]);
        let found = plan(GET, 200, &fields, None).unwrap();
        assert_eq!(found.delimited, Delimited::Length(7));
        assert!(plan(GET, 200, &fields, Some(8)).is_err());
    }

    #[test]
    fn an_answer_without_content_may_say_how_long_it_would_have_been() {
        let fields = list(&[("content-length", "7")]);
        for (asked, status, known, length) in [
            (HEAD, 200, Some(0), Some(7)),
            (HEAD, 200, None, Some(7)),
            (GET, 304, Some(0), Some(7)),
            (GET, 204, Some(0), None),
        ] {
            let found = plan(asked, status, &fields, known).unwrap();
            assert_eq!(
                (found.delimited, found.length),
                (Delimited::Nothing, length)
            );
        }
        assert_eq!(plan(HEAD, 200, &[], Some(9)).unwrap().length, Some(9));
        assert!(plan(GET, 204, &[], Some(1)).is_err());
    }

    #[test]
    fn what_would_break_the_message_is_refused() {
        for field in [
            ("a b", ""),
            ("", ""),
            ("a", "b\r\nc: d"),
            ("a", "\0"),
            ("content-length", "x"),
        ] {
            assert!(
                plan(GET, 200, &list(&[field]), Some(0)).is_err(),
                "{field:?}"
            );
        }
        for status in [0, 100, 199, 600, 999] {
            assert!(plan(GET, status, &[], Some(0)).is_err());
        }
    }

    #[test]
    fn http_1_0_is_told_that_the_connection_goes_on_and_gets_no_chunks() {
        let old = Asked {
            version: Version::Http10,
            head: false,
        };
        assert!(text(old, 200, &[], Some(0), true).contains("connection: keep-alive\r\n"));
        assert_eq!(
            plan(old, 200, &[], None).unwrap().delimited,
            Delimited::Close
        );
    }
}
