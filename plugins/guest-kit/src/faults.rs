//! What is wrong with builds that a rollout has to find out: none of them is shipped, and no other build has this.

use core::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Whether it is the turn of one in `every`.
pub fn is_due(every: u32) -> bool {
    COUNT.fetch_add(1, Ordering::Relaxed) % every == every - 1
}

/// Does nothing for so many nanoseconds of a clock.
pub fn wait(now: fn() -> u64, nanoseconds: u64) {
    let end = now() + nanoseconds;
    while now() < end {}
}

/// Forgets so many bytes.
pub fn leak(bytes: usize) {
    core::mem::forget(alloc::vec![1u8; bytes]);
}
