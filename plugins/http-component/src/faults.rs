//! What is wrong with builds that are meant to be found out, by feature; none of them is shipped.

use crate::bindings::exports::component::http::server::Response;
use core::sync::atomic::{AtomicU32, Ordering};

static ANSWERS: AtomicU32 = AtomicU32::new(0);

/// A response with what the features of the build do to it.
pub fn spoilt(mut response: Response) -> Response {
    let count = ANSWERS.fetch_add(1, Ordering::Relaxed);
    if cfg!(feature = "fault-failures") && count % 50 == 49 {
        response.status = 500;
    }
    if cfg!(feature = "fault-delay") {
        wait(30_000_000);
    }
    if cfg!(feature = "fault-leak") {
        core::mem::forget(alloc::vec![1u8; 1 << 16]);
    }
    response
}

/// Does nothing for so many nanoseconds.
fn wait(nanoseconds: u64) {
    use crate::bindings::wasi::clocks::monotonic_clock::now;
    let end = now() + nanoseconds;
    while now() < end {}
}
