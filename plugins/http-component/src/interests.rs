//! What this component waits for, and where its contract has what `guest_kit::interests` needs.

use guest_kit::interests;

pub use guest_kit::interests::Watch;

guest_kit::poll_set!(bindings: crate::bindings);

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
