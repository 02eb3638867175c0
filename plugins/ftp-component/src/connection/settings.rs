//! Commands that agree on what follows, and those that say what there is.

use super::commands::bad;
use super::*;
use crate::addresses::{self, decimal, Extended};
use crate::bindings::component::ftp::types::ErrorKind;
use crate::bindings::exports::component::ftp::control::TlsPolicy;
use crate::bindings::wasi::sockets::network::IpSocketAddress as Address;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;

/// The lowest port to which data connections are made: below are the services of others (RFC 2577, 3).
const LOWEST: u16 = 1024;
/// Names of commands in one line of HELP.
const COLUMNS: usize = 9;

impl Connection {
    pub(super) fn set_type(&mut self, argument: &str) -> Answer {
        let upper = argument.to_ascii_uppercase();
        let (code, ascii) = match upper.as_str() {
            "A" | "A N" => (200, true),
            "I" | "L 8" => (200, false),
            "E" | "E N" | "A T" | "A C" | "E T" | "E C" => (504, false),
            _ if upper.strip_prefix("L ").and_then(decimal).is_some() => (504, false),
            _ => (501, false),
        };
        match code {
            200 => {
                self.agreed.ascii = ascii;
                Answer::new(200, format!("The type is {upper}."))
            }
            504 => bad(504, "The types here are A, I and L 8."),
            _ => bad(501, "That is no type."),
        }
    }

    pub(super) fn set_structure(&mut self, argument: &str) -> Answer {
        match argument.to_ascii_uppercase().as_str() {
            "F" => Answer::new(200, "The structure is F."),
            "R" | "P" => bad(504, "The structure here is F."),
            _ => bad(501, "That is no structure."),
        }
    }

    pub(super) fn set_mode(&mut self, argument: &str) -> Answer {
        match argument.to_ascii_uppercase().as_str() {
            "S" => Answer::new(200, "The mode is S."),
            "B" | "C" => bad(504, "The mode here is S."),
            _ => bad(501, "That is no mode."),
        }
    }

    pub(super) fn set_offset(&mut self, argument: &str) -> Answer {
        match decimal(argument) {
            Some(offset) if offset > 0 && self.agreed.ascii => bad(504, "REST is for type I."),
            Some(offset) => {
                self.agreed.offset = offset;
                Answer::new(350, format!("The next transfer begins at {offset}."))
            }
            None => bad(501, "That is no offset."),
        }
    }

    pub(super) fn allocate(&self, argument: &str) -> Answer {
        let mut words = argument.split(' ');
        let size = words.next().and_then(decimal);
        let record = match words.next() {
            None => true,
            Some(word) if word.eq_ignore_ascii_case("R") => {
                words.next().and_then(decimal).is_some()
            }
            Some(_) => false,
        };
        match size.is_some() && record && words.next().is_none() {
            true => Answer::new(202, "There is nothing to allocate."),
            false => bad(501, "That is no number of bytes."),
        }
    }

    pub(super) fn set_option(&mut self, argument: &str) -> Answer {
        let (name, value) = argument.split_once(' ').unwrap_or((argument, ""));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("UTF8" | "UTF-8", value) => match value.to_ascii_uppercase().as_str() {
                "" | "ON" => Answer::new(200, "Names are in UTF-8."),
                "OFF" => bad(504, "Names are always in UTF-8."),
                _ => bad(501, "That is no value of the option."),
            },
            ("MLST", facts) => {
                self.agreed.facts = Facts::parse(facts);
                Answer::new(200, self.agreed.facts.chosen())
            }
            _ => bad(501, "There is no such option."),
        }
    }

    // Data connections

    pub(super) fn port(&mut self, core: &mut Core, argument: &str) -> Answer {
        match addresses::parse_port(argument) {
            Some((host, port)) => self.name(core, host, port),
            None => bad(501, "That is no address."),
        }
    }

    pub(super) fn extended_port(&mut self, core: &mut Core, argument: &str) -> Answer {
        match addresses::parse_eprt(argument) {
            Extended::Address(host, port) if host.protocol() == self.peer.protocol() => {
                self.name(core, host, port)
            }
            Extended::Address(..) | Extended::Protocol => self.wrong_protocol(),
            Extended::Malformed => bad(501, "That is no address."),
        }
    }

    /// Notes where the client expects the data connection: nowhere but with itself (RFC 2577, 3).
    fn name(&mut self, core: &mut Core, host: Host, port: u16) -> Answer {
        if !core.settings.active {
            return no_way("Only the client connects here: EPSV or PASV.");
        }
        if self.agreed.epsv_only {
            return bad(503, "After EPSV ALL there is EPSV alone.");
        }
        if host != self.peer || port < LOWEST {
            let text = "Data go to your own address, from port 1024 on.";
            return Answer::refused(504, ErrorKind::Denied, text);
        }
        self.channel.close(&mut core.interests, self.owner.slot);
        self.channel = Channel::Named(addresses::with_port(&self.peer_address, port));
        Answer::new(200, "I'll connect there.")
    }

    pub(super) fn passive(&mut self, core: &mut Core) -> Answer {
        let Some(ports) = &core.settings.passive else {
            return no_way("Only the server connects here: EPRT or PORT.");
        };
        if self.agreed.epsv_only {
            return bad(503, "After EPSV ALL there is EPSV alone.");
        }
        let Address::Ipv4(local) = self.local else {
            return bad(425, "PASV is for IPv4 alone: EPSV.");
        };
        let address = ports.public_address.unwrap_or(local.address);
        match self.listen(core) {
            Ok(port) => Answer::new(227, addresses::passive(address, port)),
            Err(answer) => answer,
        }
    }

    pub(super) fn extended_passive(&mut self, core: &mut Core, argument: Option<&str>) -> Answer {
        if core.settings.passive.is_none() {
            return no_way("Only the server connects here: EPRT or PORT.");
        }
        let own = self.peer.protocol();
        match argument {
            None => {}
            Some(word) if word.eq_ignore_ascii_case("ALL") => {
                self.agreed.epsv_only = true;
                return Answer::new(200, "There is EPSV alone from now on.");
            }
            Some(word) => match decimal(word) {
                Some(protocol) if protocol == u64::from(own) => {}
                Some(_) => return self.wrong_protocol(),
                None => return bad(501, "That is no protocol."),
            },
        }
        match self.listen(core) {
            Ok(port) => Answer::new(229, addresses::extended_passive(port)),
            Err(answer) => answer,
        }
    }

    fn listen(&mut self, core: &mut Core) -> Result<u16, Answer> {
        self.channel.close(&mut core.interests, self.owner.slot);
        let Some(ports) = &core.settings.passive else {
            return Err(bad(425, "No port can be had."));
        };
        match self.channel.listen(&core.network, &self.local, ports) {
            Ok(port) => {
                core.listening.ends();
                Ok(port)
            }
            Err(failure) => {
                core.listening
                    .begins("no port for data connections can be had", &failure);
                Err(Answer {
                    failure: Some(failure),
                    ..Answer::new(425, "No port can be had.")
                })
            }
        }
    }

    fn wrong_protocol(&self) -> Answer {
        let own = self.peer.protocol();
        bad(522, &format!("Network protocol not supported, use ({own})"))
    }

    // What there is

    pub(super) fn features(&self, core: &Core) -> Answer {
        let settings = &core.settings;
        let facts = self.agreed.facts.feature();
        let tls = settings.tls != TlsPolicy::Off;
        let table = [
            (tls, "AUTH TLS"),
            (settings.active, "EPRT"),
            (settings.passive.is_some(), "EPSV"),
            (true, "MDTM"),
            (true, facts.as_str()),
            (tls, "PBSZ"),
            (tls, "PROT"),
            (true, "REST STREAM"),
            (true, "SIZE"),
            (true, "UTF8"),
        ];
        let mut lines = vec!["Features:".to_string()];
        let offered = table.iter().filter(|(offered, _)| *offered);
        lines.extend(offered.map(|(_, name)| name.to_string()));
        lines.push("End.".to_string());
        Answer {
            code: 211,
            lines,
            failure: None,
        }
    }

    pub(super) fn help(&self, argument: Option<&str>) -> Answer {
        if let Some(name) = argument {
            return match verbs::find(name) {
                Some(spec) if spec.syntax.is_empty() => Answer::new(214, spec.name),
                Some(spec) => Answer::new(214, format!("{} {}", spec.name, spec.syntax)),
                None => bad(501, "There is no such command."),
            };
        }
        let names: Vec<_> = verbs::names().collect();
        let mut lines = vec!["Commands:".to_string()];
        lines.extend(names.chunks(COLUMNS).map(|row| row.join(" ")));
        lines.push("End.".to_string());
        Answer {
            code: 214,
            lines,
            failure: None,
        }
    }

    pub(super) fn site(&self, argument: &str) -> Answer {
        match argument.to_ascii_uppercase().as_str() {
            "HELP" => Answer::new(214, "SITE HELP"),
            _ => bad(504, "There is SITE HELP alone."),
        }
    }

    /// STAT without a path (RFC 959, 4.1.3).
    pub(super) fn status(&self) -> Answer {
        let on = |is: bool| if is { "on" } else { "off" };
        let user = match &self.login.user {
            Some(name) => format!("Logged in: {name}"),
            None => "Not logged in".to_string(),
        };
        let kind = if self.agreed.ascii { "A" } else { "I" };
        let transfer = match self
            .current
            .as_ref()
            .and_then(|current| current.transfer.as_ref())
        {
            Some(transfer) => {
                let count = transfer
                    .job
                    .as_ref()
                    .map_or(transfer.count, |job| job.count());
                format!("Transfer under way: {} bytes", count.moved)
            }
            None => "No transfer under way".to_string(),
        };
        let protection = &self.protection;
        Answer {
            code: 211,
            lines: vec![
                "Status:".to_string(),
                user,
                format!("TYPE {kind}, STRU F, MODE S"),
                format!(
                    "TLS: commands {}, data {}",
                    on(protection.secure),
                    on(protection.private)
                ),
                transfer,
                "End.".to_string(),
            ],
            failure: None,
        }
    }

    /// Answers STAT while another command is with the host.
    pub(super) fn answer_status(&mut self, core: &mut Core) {
        let answer = self.status();
        let id = core.number();
        self.reply(core, id, "STAT", core.now, answer, 0);
    }
}

/// What the host does not allow at all.
fn no_way(text: &str) -> Answer {
    Answer::refused(502, ErrorKind::Denied, text)
}
