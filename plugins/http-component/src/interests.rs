//! What this component waits for, and where its contract has what `guest_kit::interests` needs.

use crate::bindings::runner::host::readiness::PollSet;
use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll::Pollable;
use alloc::vec::Vec;
use guest_kit::interests;

pub use guest_kit::interests::Watch;

pub type Interests = interests::Interests<PollSet, Part>;
pub type Ready = interests::Ready<Part>;

/// What may be waited for at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the peer.
    Input,
    /// Room for bytes to the peer.
    Output,
    /// Bytes of a source of the host.
    Source,
    /// Room in a sink of the host.
    Sink,
    /// A socket that listens or connects, or addresses of a name.
    Progress,
}

impl interests::Part for Part {
    const ALL: &'static [Self] = &[
        Self::Input,
        Self::Output,
        Self::Source,
        Self::Sink,
        Self::Progress,
    ];

    fn position(self) -> u64 {
        self as u64
    }
}

impl interests::PollSet for PollSet {
    type Pollable = Pollable;

    fn empty() -> Self {
        Self::new()
    }

    fn put(&self, key: u64, pollable: Pollable) {
        self.add(key, pollable);
    }

    fn drop_key(&self, key: u64) {
        self.remove(key);
    }

    fn ready(&self, rearm: &[u64], max: u32) -> Vec<u64> {
        self.take(rearm, max)
    }

    fn pollable(&self) -> Pollable {
        self.subscribe()
    }

    fn at(time: u64) -> Pollable {
        monotonic_clock::subscribe_instant(time)
    }
}
