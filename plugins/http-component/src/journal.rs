//! What an operator is told: troubles of the listener as a whole, each when it begins. What concerns one exchange is in
//! its report.

guest_kit::journal!(bindings: crate::bindings, component: component::http);
