//! Spans for OpenTelemetry.
//!
//! They have a target of their own, which the log passes over, so that what is traced does not depend on
//! what is logged. Without a collector nobody takes them, and a span costs the look at one flag.

use std::future::Future;

use tracing::{Instrument as _, Span};

/// The target of all spans that are for traces, and the name of the logger whose level says how much is
/// traced: requests and work of the herder at INFO, batches of tasks at DEBUG.
pub const TARGET: &str = "tether.traces";

/// The field that is true for spans in which nothing was to be done. They are not sent.
pub const IDLE: &str = "idle";

/// The span of a trace that is current, if one is.
pub fn current() -> Span {
    let span = Span::current();
    match span.metadata() {
        Some(metadata) if metadata.target() == TARGET => span,
        _ => Span::none(),
    }
}

/// Does work in a span that has the field `otel.status_code`, and notes there if it fails. Why it does is
/// in the log, which keeps secrets out.
pub async fn within<T, E>(span: Span, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let outcome = work.instrument(span.clone()).await;
    if outcome.is_err() {
        failed(&span);
    }
    outcome
}

/// Notes that what the span is of has failed.
pub fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// Notes that there was nothing to do.
pub(crate) fn idle(span: &Span) {
    span.record(IDLE, true);
}
