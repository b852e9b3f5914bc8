//! A task that waits for records polls again and again. Those polls are no part of a trace.

use std::time::Duration;

use opentelemetry::{Context, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tether_worker::traces::IDLE;

/// Leaves out spans in which nothing was to be done. They have no children that are sent.
#[derive(Debug)]
pub(super) struct WithoutIdle<P>(pub(super) P);

impl<P: SpanProcessor> SpanProcessor for WithoutIdle<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let mut attributes = span.attributes.iter();
        if !attributes.any(|pair| pair.key.as_str() == IDLE && pair.value == Value::Bool(true)) {
            self.0.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
