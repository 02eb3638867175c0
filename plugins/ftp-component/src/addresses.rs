//! Addresses in commands and replies: PORT and PASV (RFC 959), EPRT and EPSV (RFC 2428).

use crate::bindings::wasi::sockets::network::{
    IpSocketAddress, Ipv4Address, Ipv4SocketAddress, Ipv6SocketAddress,
};
use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

/// An address in a form in which it can be compared, and a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    V4([u8; 4]),
    V6([u16; 8]),
}

impl Host {
    /// The address without the port.
    pub fn of(address: &IpSocketAddress) -> Self {
        match address {
            IpSocketAddress::Ipv4(found) => {
                let (a, b, c, d) = found.address;
                Self::V4([a, b, c, d])
            }
            IpSocketAddress::Ipv6(found) => {
                let (a, b, c, d, e, f, g, h) = found.address;
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// The protocol in EPRT and EPSV.
    pub fn protocol(&self) -> u8 {
        match self {
            Self::V4(_) => 1,
            Self::V6(_) => 2,
        }
    }
}

/// The same address with another port.
pub fn with_port(address: &IpSocketAddress, port: u16) -> IpSocketAddress {
    match *address {
        IpSocketAddress::Ipv4(found) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port, ..found }),
        IpSocketAddress::Ipv6(found) => IpSocketAddress::Ipv6(Ipv6SocketAddress { port, ..found }),
    }
}

pub fn port_of(address: &IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(found) => found.port,
        IpSocketAddress::Ipv6(found) => found.port,
    }
}

/// What PORT says: four numbers of an address and two of a port.
pub fn parse_port(argument: &str) -> Option<(Host, u16)> {
    let mut numbers = [0; 6];
    let mut parts = argument.split(',');
    for number in &mut numbers {
        *number = decimal(parts.next()?)?.try_into().ok()?;
    }
    if parts.next().is_some() {
        return None;
    }
    let [a, b, c, d, high, low] = numbers;
    Some((Host::V4([a, b, c, d]), u16::from_be_bytes([high, low])))
}

/// What EPRT says.
#[derive(Debug, PartialEq, Eq)]
pub enum Extended {
    Address(Host, u16),
    /// A protocol that nobody here knows.
    Protocol,
    Malformed,
}

/// Reads the argument of EPRT: protocol, address and port between delimiters.
pub fn parse_eprt(argument: &str) -> Extended {
    let mut chars = argument.chars();
    let Some(delimiter @ '!'..='~') = chars.next() else {
        return Extended::Malformed;
    };
    let Some(rest) = chars.as_str().strip_suffix(delimiter) else {
        return Extended::Malformed;
    };
    let mut parts = rest.split(delimiter);
    let (Some(protocol), Some(address), Some(port), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Extended::Malformed;
    };
    let port = decimal(port).and_then(|port| u16::try_from(port).ok());
    let host = match decimal(protocol) {
        Some(1) => address
            .parse::<Ipv4Addr>()
            .ok()
            .map(|host| Host::V4(host.octets())),
        Some(2) => address
            .parse::<Ipv6Addr>()
            .ok()
            .map(|host| Host::V6(host.segments())),
        Some(_) => return Extended::Protocol,
        None => None,
    };
    match (host, port) {
        (Some(host), Some(port)) => Extended::Address(host, port),
        _ => Extended::Malformed,
    }
}

/// The text of the reply to PASV (227).
pub fn passive(address: Ipv4Address, port: u16) -> String {
    let (a, b, c, d) = address;
    let [high, low] = port.to_be_bytes();
    format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low}).")
}

/// The text of the reply to EPSV (229).
pub fn extended_passive(port: u16) -> String {
    format!("Entering Extended Passive Mode (|||{port}|)")
}

/// A number in decimal digits, and nothing else.
pub fn decimal(text: &str) -> Option<u64> {
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_six_numbers() {
        let parsed = parse_port("127,0,0,1,4,210");
        assert_eq!(parsed, Some((Host::V4([127, 0, 0, 1]), 1234)));
        for text in [
            "",
            "127,0,0,1,4",
            "127,0,0,1,4,210,1",
            "127,0,0,256,4,210",
            "127,0,0,1,4,",
            "127,0,0,1,+4,1",
            " 127,0,0,1,4,1",
            "127.0.0.1.4.1",
        ] {
            assert_eq!(parse_port(text), None, "{text}");
        }
    }

    #[test]
    fn eprt_has_any_delimiter() {
        let v4 = Extended::Address(Host::V4([132, 235, 1, 2]), 6275);
        assert_eq!(parse_eprt("|1|132.235.1.2|6275|"), v4);
        assert_eq!(parse_eprt("!1!132.235.1.2!6275!"), v4);
        let segments = [0x1080, 0, 0, 0, 8, 0x800, 0x200c, 0x417a];
        let v6 = Extended::Address(Host::V6(segments), 5282);
        assert_eq!(parse_eprt("|2|1080::8:800:200C:417A|5282|"), v6);
    }

    #[test]
    fn other_eprt_is_refused() {
        assert_eq!(parse_eprt("|3|x|1|"), Extended::Protocol);
        for text in [
            "",
            "|",
            "||||",
            "|1|1.2.3.4|5",
            "|1|1.2.3.4|5|6|",
            "|1|1.2.3.4|65536|",
            "|1|::1|5|",
            "|2|1.2.3.4|5|",
            "|x|1.2.3.4|5|",
            "\u{e4}1\u{e4}1.2.3.4\u{e4}5\u{e4}",
            " 1 1.2.3.4 5 ",
            "|1|1.2.3|5|",
        ] {
            assert_eq!(parse_eprt(text), Extended::Malformed, "{text}");
        }
    }

    #[test]
    fn a_port_of_a_reply_is_in_two_halves() {
        assert_eq!(
            passive((10, 0, 0, 1), 50_000),
            "Entering Passive Mode (10,0,0,1,195,80)."
        );
    }
}
