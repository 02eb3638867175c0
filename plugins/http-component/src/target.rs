//! Request targets and authorities (RFC 9112, 3.2; RFC 3986, 3.2): which resource a request is for, read in one way only.

use crate::refusal::Refusal;
use alloc::borrow::ToOwned;
use alloc::string::String;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port of an absolute-form.
    pub authority: Option<String>,
    pub path: String,
    pub query: Option<String>,
}

impl Target {
    /// Reads the target of a request whose method is not CONNECT.
    pub fn parse(method: &str, target: &str) -> Result<Self, Refusal> {
        if !target.bytes().all(is_target_byte) {
            return Err(Refusal::bad("a character that no request target has"));
        }
        if target == "*" {
            return match method {
                "OPTIONS" => Ok(Self::of(None, "*")),
                _ => Err(Refusal::bad("only OPTIONS may ask for *")),
            };
        }
        if target.starts_with('/') {
            return Ok(Self::of(None, target));
        }
        let Some(rest) = without_scheme(target) else {
            return Err(Refusal::bad("a request target of no known form"));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || !is_authority(authority.as_bytes()) {
            return Err(Refusal::bad("a malformed authority in the request target"));
        }
        let mut found = Self::of(Some(authority.to_owned()), path);
        if found.path.is_empty() {
            // RFC 9112, 3.2.4: OPTIONS with an absolute-form without a path is for the server as a whole.
            let whole = method == "OPTIONS" && found.query.is_none();
            found.path = if whole { "*" } else { "/" }.to_owned();
        }
        Ok(found)
    }

    fn of(authority: Option<String>, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            authority,
            path: path.to_owned(),
            query,
        }
    }
}

/// What may stand in a target: visible ASCII without what delimits URIs, or begins a fragment.
pub fn is_target_byte(byte: u8) -> bool {
    (b'!'..=b'~').contains(&byte) && !b"\"#<>".contains(&byte)
}

fn without_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let begin = target.get(..scheme.len())?;
        begin
            .eq_ignore_ascii_case(scheme)
            .then(|| &target[scheme.len()..])
    })
}

/// Whether bytes are host and port, or nothing, as a Host field may have it; without user information.
pub fn is_authority(bytes: &[u8]) -> bool {
    let (host, port) = match bytes {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|&byte| byte == b']') else {
                return false;
            };
            let (literal, after) = (&rest[..end], &rest[end + 1..]);
            if literal.is_empty()
                || !literal
                    .iter()
                    .all(|&byte| is_host_byte(byte) || byte == b':')
            {
                return false;
            }
            (&b""[..], after)
        }
        _ => {
            let end = bytes.iter().position(|&byte| byte == b':');
            bytes.split_at(end.unwrap_or(bytes.len()))
        }
    };
    host.iter().all(|&byte| is_host_byte(byte))
        && match port {
            [] => true,
            [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
            _ => false,
        }
}

/// unreserved, pct-encoded and sub-delims of RFC 3986, 2, without the comma, which would join two of them.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=".contains(&byte)
}

/// Host and port of an authority, the brackets of an IPv6 address taken off; none if it is malformed or has no host.
pub fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if !is_authority(authority.as_bytes()) {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        None | Some("") => None,
        Some(digits) => Some(digits.parse().ok()?),
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, target: &str) -> (Option<String>, String, Option<String>) {
        let found = Target::parse(method, target).unwrap();
        (found.authority, found.path, found.query)
    }

    #[test]
    fn each_form_is_read() {
        let owned = |text: &str| Some(text.to_owned());
        assert_eq!(parts("GET", "/a?b?c"), (None, "/a".into(), owned("b?c")));
        assert_eq!(parts("GET", "/?"), (None, "/".into(), owned("")));
        assert_eq!(parts("OPTIONS", "*"), (None, "*".into(), None));
        assert_eq!(
            parts("GET", "HTTP://h:8/p"),
            (owned("h:8"), "/p".into(), None)
        );
        assert_eq!(
            parts("GET", "http://h?q"),
            (owned("h"), "/".into(), owned("q"))
        );
        assert_eq!(
            parts("OPTIONS", "http://[::1]"),
            (owned("[::1]"), "*".into(), None)
        );
    }

    #[test]
    fn what_has_no_form_is_refused() {
        for target in [
            "",
            "a",
            "*",
            "/#f",
            "/\u{e9}",
            "/<",
            "ftp://h/",
            "http://",
            "http:///x",
            "http://u@h/",
            "http://h:x/",
            "http://[::1/",
        ] {
            assert!(Target::parse("GET", target).is_err(), "{target:?}");
        }
    }

    #[test]
    fn authorities_are_a_host_and_a_port() {
        assert_eq!(host_and_port("[::1]:80"), Some(("::1", Some(80))));
        assert_eq!(host_and_port("example.org"), Some(("example.org", None)));
        for wrong in [
            "", ":80", "a:b", "a:70000", "[]", "a b", "a,b", "a/b", "a@b",
        ] {
            assert_eq!(host_and_port(wrong), None, "{wrong:?}");
        }
    }
}
