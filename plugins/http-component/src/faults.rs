//! What the features of a faulty build do to its answers (`guest_kit::faults`).

use crate::bindings::exports::component::http::server::Response;
use crate::bindings::wasi::clocks::monotonic_clock::now;
use guest_kit::faults;

/// A response with what is wrong with it.
pub fn spoilt(mut response: Response) -> Response {
    if cfg!(feature = "fault-failures") && faults::is_due(50) {
        response.status = 500;
    }
    if cfg!(feature = "fault-delay") {
        faults::wait(now, 30_000_000);
    }
    if cfg!(feature = "fault-leak") {
        faults::leak(1 << 16);
    }
    response
}
