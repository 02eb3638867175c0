//! TLS (RFC 2228, RFC 4217): AUTH, PBSZ, PROT, and what of it is refused.

use super::commands::bad;
use super::*;
use crate::addresses::decimal;
use crate::bindings::exports::component::ftp::control::TlsPolicy;

impl Connection {
    /// AUTH: who was logged in is so no more (RFC 2228, 3).
    pub(super) fn authenticate(&mut self, core: &mut Core, mechanism: &str) -> Answer {
        if core.settings.tls == TlsPolicy::Off {
            return Answer::refused(534, ErrorKind::Denied, "There is no TLS here.");
        }
        let mechanism = mechanism.to_ascii_uppercase();
        if !matches!(mechanism.as_str(), "TLS" | "TLS-C") {
            return bad(504, "The mechanism here is TLS.");
        }
        if self.protection.secure {
            return bad(503, "There is TLS already.");
        }
        self.log_out(core);
        self.agreed = Agreed::default();
        self.channel.close(&mut core.interests, self.owner.slot);
        self.protection.begins = true;
        Answer::new(234, "Begin TLS.")
    }

    /// Begins TLS, when the reply to AUTH is gone.
    pub(super) fn begin_tls(&mut self, core: &mut Core) -> Result<bool, Error> {
        if !self.wire.is_drained(core.now)? {
            return Ok(false);
        }
        let begun = self.wire.secure(&mut core.interests, self.owner.slot);
        match &begun {
            Ok(()) => core.securing.ends(),
            Err(failure) => core
                .securing
                .begins("connections are closed for want of TLS", failure),
        }
        begun?;
        self.held.clear();
        self.protection.begins = false;
        self.protection.secure = true;
        Ok(true)
    }

    /// PBSZ: TLS has a size of its own (RFC 4217, 9).
    pub(super) fn buffer_size(&mut self, argument: &str) -> Answer {
        if !self.protection.secure {
            return bad(503, "AUTH comes first.");
        }
        match decimal(argument) {
            Some(size) if size <= u64::from(u32::MAX) => {
                self.protection.sized = true;
                Answer::new(200, "PBSZ=0")
            }
            _ => bad(501, "That is no size."),
        }
    }

    pub(super) fn protect(&mut self, core: &Core, argument: &str) -> Answer {
        if !self.protection.sized {
            return bad(503, "PBSZ comes first.");
        }
        match argument.to_ascii_uppercase().as_str() {
            "P" => {
                self.protection.private = true;
                Answer::new(200, "Data go with TLS.")
            }
            "C" if core.settings.tls == TlsPolicy::Everything => {
                Answer::refused(534, ErrorKind::Denied, "Data go with TLS alone.")
            }
            "C" => {
                self.protection.private = false;
                Answer::new(200, "Data go without TLS.")
            }
            "S" | "E" => bad(536, "TLS has the levels C and P."),
            _ => bad(504, "That is no level."),
        }
    }

    /// What TLS has no use for, and CCC, which would take it away.
    pub(super) fn other_protection(&self, verb: Verb) -> Answer {
        match (self.protection.secure, verb) {
            (true, Verb::Ccc) => Answer::refused(534, ErrorKind::Denied, "TLS stays."),
            (true, Verb::Mic | Verb::Conf | Verb::Enc) => bad(537, "TLS protects all commands."),
            (true, _) => bad(503, "TLS needs no data of its own here."),
            (false, _) => bad(503, "AUTH comes first."),
        }
    }
}
