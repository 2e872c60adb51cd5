//! Spans of `tracing` around what a system does. Whoever collects traces sees one for each
//! decision, each step of a process, each telling of another system, and what is published and
//! received; without a collector they cost next to nothing.
//!
//! What is done at once for somebody is a child of their span. What is done later because of
//! something that is recorded, perhaps after days, is a span of its own with a link to the trace
//! of what began it: a trace that is open for days is no use to anybody.

use std::sync::OnceLock;
use tracing::Span;

/// The target of all these spans; their level is `DEBUG`.
pub const TARGET: &str = "fait::spans";

/// How a span belongs to one that was before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It is part of it, and done while somebody waits.
    Child,
    /// It comes of it.
    Link,
}

/// Joins a span to a trace by its `traceparent`.
#[doc(hidden)]
pub type Join = fn(&Span, &str, Tie);

static JOIN: OnceLock<Join> = OnceLock::new();

/// Says how spans are joined: `tracing` itself knows of no other programs. Said once; later words
/// change nothing.
#[doc(hidden)]
pub fn join_with(join: Join) {
    // A second collector in one program joins them in the same way.
    let _ = JOIN.set(join);
}

/// The span, joined to a trace if there is one and somebody collects it.
pub(crate) fn joined(span: Span, traceparent: Option<&str>, tie: Tie) -> Span {
    if let (false, Some(join), Some(trace)) = (span.is_disabled(), JOIN.get(), traceparent) {
        join(&span, trace, tie);
    }
    span
}
