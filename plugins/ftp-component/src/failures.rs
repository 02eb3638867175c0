//! What errors of sockets, streams and TLS mean to who asked for FTP.

use crate::bindings::component::ftp::types::{Error, ErrorKind};
use crate::bindings::runner::host::tls;
use crate::bindings::wasi::io::streams::StreamError;
use crate::bindings::wasi::sockets::network::ErrorCode;
use alloc::string::{String, ToString};

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
