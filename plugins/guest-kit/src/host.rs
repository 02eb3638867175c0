//! What guests do with parts of the host that each of them has bindings of its own for.
//!
//! The code is the same for all, and the types have the same names, but they are others: so these are macros, each to
//! be called in a module by itself. `bindings` is the module of the generated bindings, `component` the one in it of the
//! component's contract.

/// What errors of sockets, streams and TLS mean to who asked for the protocol: `of_socket`, `of_tls_failure`, `lost`,
/// `detail`; and how errors of the contract are made: `error`, `error_with`.
#[macro_export]
macro_rules! failures {
    (bindings: $($bindings:ident)::+, component: $($component:ident)::+) => {
        use alloc::string::{String, ToString};
        use $($bindings)::+::$($component)::+::types::{Error, ErrorKind};
        use $($bindings)::+::runner::host::tls;
        use $($bindings)::+::wasi::io::streams::StreamError;
        use $($bindings)::+::wasi::sockets::network::ErrorCode;

        /// What an error of a socket means to the host.
        pub fn of_socket(code: ErrorCode) -> Error {
            let kind = match code {
                ErrorCode::AccessDenied => ErrorKind::Denied,
                ErrorCode::AddressInUse
                | ErrorCode::OutOfMemory
                | ErrorCode::TemporaryResolverFailure
                | ErrorCode::RemoteUnreachable
                | ErrorCode::ConnectionRefused
                | ErrorCode::ConnectionReset
                | ErrorCode::ConnectionAborted => ErrorKind::Transient,
                ErrorCode::NewSocketLimit => ErrorKind::Exhausted,
                ErrorCode::Timeout => ErrorKind::Timeout,
                ErrorCode::InvalidArgument => ErrorKind::InvalidArgument,
                _ => ErrorKind::Permanent,
            };
            error_with(kind, code.name(), code.message())
        }

        /// TLS that could not be begun.
        pub fn of_tls_failure(failure: tls::Error) -> Error {
            error_with(of_tls(failure.kind), "TLS", &failure.message)
        }

        /// Why a stream of a peer has come to its end.
        pub fn lost(failure: StreamError) -> Error {
            let StreamError::LastOperationFailed(failure) = failure else {
                return error(ErrorKind::Closed, "the peer has closed the connection");
            };
            match tls::stream_failure(&failure) {
                Some(found) => error_with(of_tls(found.kind), "TLS", &found.message),
                None => {
                    let detail = failure.to_debug_string();
                    error_with(ErrorKind::Closed, "the connection was lost", &detail)
                }
            }
        }

        /// What went wrong with a source or sink of the host.
        pub fn detail(failure: &StreamError) -> String {
            match failure {
                StreamError::LastOperationFailed(failure) => failure.to_debug_string(),
                StreamError::Closed => String::from("it is closed"),
            }
        }

        /// The kind of an error of TLS.
        fn of_tls(kind: tls::ErrorKind) -> ErrorKind {
            match kind {
                tls::ErrorKind::Transient => ErrorKind::Transient,
                tls::ErrorKind::Permanent => ErrorKind::Permanent,
                tls::ErrorKind::Timeout => ErrorKind::Timeout,
                tls::ErrorKind::InvalidArgument => ErrorKind::InvalidArgument,
                tls::ErrorKind::Denied => ErrorKind::Denied,
            }
        }

        /// An error of this component.
        pub fn error(kind: ErrorKind, message: impl ToString) -> Error {
            Error {
                kind,
                message: message.to_string(),
            }
        }

        /// The same with what the system or the host says.
        pub fn error_with(kind: ErrorKind, message: &str, detail: &str) -> Error {
            let mut text = String::from(message);
            text.push_str(": ");
            text.push_str(detail);
            Error {
                kind,
                message: text,
            }
        }
    };
}

/// What an operator is told: `Trouble`, of a server as a whole, each when it begins.
#[macro_export]
macro_rules! journal {
    (bindings: $($bindings:ident)::+, component: $($component:ident)::+) => {
        use alloc::string::ToString;
        use $($bindings)::+::$($component)::+::types::Error;
        use $($bindings)::+::runner::host::logging::{log, Context, Level, Value};

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
    };
}

/// The host's poll set as `interests` needs it.
#[macro_export]
macro_rules! poll_set {
    (bindings: $($bindings:ident)::+) => {
        use alloc::vec::Vec;
        use $($bindings)::+::runner::host::readiness::PollSet;
        use $($bindings)::+::wasi::clocks::monotonic_clock;
        use $($bindings)::+::wasi::io::poll::Pollable;

        impl $crate::interests::PollSet for PollSet {
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
    };
}
