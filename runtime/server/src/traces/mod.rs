//! Traces for OpenTelemetry, sent to a collector if the environment names one.
//!
//! A span that has ended waits in a queue with a bound (`OTEL_BSP_MAX_QUEUE_SIZE`), and a thread of its own sends
//! it: nothing in the worker waits for the collector. Spans that do not fit in are dropped.

mod collector;
mod idle;
mod settings;

use std::future::Future;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue, global};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use collector::Collector;
use idle::WithoutIdle;
use settings::Settings;

/// How long the end of the process waits for the last spans to be sent.
const FLUSH_PATIENCE: Duration = Duration::from_secs(3);

/// What services are called that have no name (`OTEL_SERVICE_NAME`).
const SERVICE_NAME: &str = "tether";

/// Sends traces, if anybody wants them.
pub(crate) struct Traces(Option<Sending>);

struct Sending {
    provider: SdkTracerProvider,
    address: String,
}

impl Traces {
    /// Traces as the environment asks for them. It is called within the runtime that is to send them.
    ///
    /// # Errors
    /// What of the environment cannot be used, in a sentence.
    pub(crate) fn new(variables: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let Some(settings) = Settings::read(variables)? else {
            return Ok(Self::none());
        };
        let address = settings.address();
        let collector = Collector::new(&settings)
            .map_err(|error| format!("No client for the collector of traces: {error}"))?;
        // Headers, compression and limits are read from the environment by the library.
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(settings.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(settings.timeout)
            .with_http_client(collector)
            .build()
            .map_err(|error| format!("Traces cannot be sent: {error}"))?;
        let batches = BatchSpanProcessor::builder(exporter).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(WithoutIdle(batches))
            .with_resource(resource())
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self(Some(Sending { provider, address })))
    }

    /// None at all.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Where they are sent to, without what is secret in it.
    pub(crate) fn address(&self) -> Option<&str> {
        Some(&self.0.as_ref()?.address)
    }

    /// Takes spans.
    pub(crate) fn layer<S>(&self) -> Option<OpenTelemetryLayer<S, SdkTracer>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let scope = InstrumentationScope::builder("tether").with_version(tether_rest::VERSION);
        let tracer = self.0.as_ref()?.provider.tracer_with_scope(scope.build());
        let layer = OpenTelemetryLayer::new(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            // A span takes its name from its route, which is known only once it is entered.
            .with_context_activation(false);
        Some(layer)
    }

    /// Runs something to its end and then sends what is left.
    pub(crate) async fn flushed_after<T>(self, work: impl Future<Output = T>) -> T {
        let outcome = work.await;
        if let Some(Sending { provider, .. }) = self.0 {
            let flush = move || provider.shutdown_with_timeout(FLUSH_PATIENCE);
            let flushed = tokio::task::spawn_blocking(flush).await;
            if !matches!(flushed, Ok(Ok(()))) {
                tracing::warn!("The last traces could not be sent in time and are lost");
            }
        }
        outcome
    }
}

/// What this process is. The environment (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) knows better.
fn resource() -> Resource {
    let given = EnvResourceDetector::new().detect();
    let own = [
        KeyValue::new("service.name", SERVICE_NAME),
        KeyValue::new("service.version", tether_rest::VERSION),
        KeyValue::new("service.instance.id", Uuid::new_v4().to_string()),
    ];
    let given = given.iter();
    let given: Vec<_> = given
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    let name = std::env::var("OTEL_SERVICE_NAME").ok();
    let name = name.filter(|name| !name.is_empty());
    Resource::builder_empty()
        .with_attributes(own)
        .with_attributes(given)
        .with_attributes(name.map(|name| KeyValue::new("service.name", name)))
        .build()
}
