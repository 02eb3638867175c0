//! What guests have in common that needs no host: memory, buffers, deadlines, dates.
//!
//! Nothing here knows a contract or a protocol.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod buffer;
pub mod calendar;
pub mod faults;
pub mod interests;
#[cfg(target_arch = "wasm32")]
mod rt;
pub mod timers;
