//! What an operator is told: troubles of a session as a whole, each when it begins. What concerns one command is in
//! its report.

guest_kit::journal!(bindings: crate::bindings, component: component::ftp);
