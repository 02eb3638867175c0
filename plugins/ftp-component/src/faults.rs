//! What the features of a faulty build do to its replies (`guest_kit::faults`).

use crate::bindings::exports::component::ftp::control::{Refusal, RefusalReason, Response};
use crate::bindings::wasi::clocks::monotonic_clock::now;
use guest_kit::faults;

/// A response with what is wrong with it.
pub fn spoilt(response: Response) -> Response {
    if cfg!(feature = "fault-delay") {
        faults::wait(now, 100_000_000);
    }
    if cfg!(feature = "fault-leak") {
        faults::leak(1 << 18);
    }
    if cfg!(feature = "fault-failures") && faults::is_due(25) {
        return Response::Refused(Refusal {
            reason: RefusalReason::Storage,
            message: Default::default(),
        });
    }
    response
}
