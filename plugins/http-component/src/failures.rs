//! What errors of sockets, streams and TLS mean to who asked for HTTP, and how errors are made.

guest_kit::failures!(bindings: crate::bindings, component: component::http);
