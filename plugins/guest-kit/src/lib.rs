//! What guests have in common: memory, buffers, deadlines, dates, and how they meet the host.
//!
//! Nothing here knows a protocol; bindings are those of who uses it.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod buffer;
pub mod calendar;
pub mod faults;
mod host;
pub mod interests;
#[cfg(target_arch = "wasm32")]
mod rt;
pub mod timers;
