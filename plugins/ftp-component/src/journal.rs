//! What an operator is told: troubles of a session as a whole, each when it begins. What concerns one command is in
//! its report.

use crate::bindings::component::ftp::types::Error;
use crate::bindings::runner::host::logging::{log, Context, Level, Value};
use alloc::string::ToString;

/// Whether a trouble is going on.
#[derive(Default)]
pub struct Trouble(bool);

impl Trouble {
    /// It is going on; tells of it if it was not before.
    pub fn begins(&mut self, message: &str, reason: &Error) {
        if !core::mem::replace(&mut self.0, true) {
            let context = Context {
                scope: None,
                request: None,
            };
            let field = ("reason".to_string(), Value::Text(reason.message.clone()));
            log(Level::Warn, &context, message, &[field]);
        }
    }

    /// It is over.
    pub fn ends(&mut self) {
        self.0 = false;
    }
}
