//! Header fields (RFC 9110, 5): what names and values may be, and which belong to a connection and not to a message.

use crate::bindings::component::http::types::Field;

/// Whether bytes are a token (RFC 9110, 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether bytes can be sent as a value: no control characters but the tabulator, no white space at the ends.
pub fn is_value(bytes: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    bytes
        .iter()
        .all(|&byte| byte >= b' ' && byte != 0x7f || byte == b'\t')
        && !blank(bytes.first())
        && !blank(bytes.last())
}

/// Fields that are of one connection (RFC 9110, 7.6.1), which a message's sender leaves to the component.
pub fn is_connection_specific(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "connection",
        "proxy-connection",
        "keep-alive",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The values of a field, in order; names are compared in any case.
pub fn values<'a>(fields: &'a [Field], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// The members of a list (RFC 9110, 5.6.1), without the white space around them; empty ones are left out.
pub fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
}

/// Whether a list of options in fields of a name has a member, in any case.
pub fn has_member(fields: &[Field], name: &str, wanted: &str) -> bool {
    values(fields, name)
        .flat_map(members)
        .any(|member| member.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Bytes without spaces and tabulators around them.
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A number in decimal digits and nothing else; none where it is something else or too large.
pub fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then_some(u64::from(byte & 15))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "+1", "-1", "1 ", "0x1", "18446744073709551616", "1,1"] {
            assert_eq!(decimal(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn values_have_no_line_ends_and_no_blanks_around_them() {
        assert!(is_value(b"") && is_value(b"a \t b\xff"));
        for wrong in [&b"a\r\nb"[..], b"a\0", b" a", b"a\t", b"\x7f"] {
            assert!(!is_value(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn members_of_lists_are_found_in_any_case_and_over_several_fields() {
        let fields = [
            ("connection".to_string(), b"x, ,y".to_vec()),
            ("connection".to_string(), b"\tClose ".to_vec()),
        ];
        assert!(has_member(&fields, "connection", "close"));
        assert!(!has_member(&fields, "connection", "clos"));
    }
}
