//! A collector: it takes spans with OTLP over HTTP, as the real ones do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use tether_tests::eventually::eventually;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A span that has arrived.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) has_failed: bool,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty for the first one of a trace.
    pub(super) parent: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// What the process is that it comes from.
    pub(super) resource: BTreeMap<String, String>,
}

impl Span {
    /// An attribute, empty if there is none.
    pub(super) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }

    /// The service that it comes from.
    pub(super) fn service(&self) -> &str {
        &self.resource["service.name"]
    }
}

/// A collector on a port of 127.0.0.1. Nobody listens there any more once it is dropped.
pub(super) struct Collector {
    address: SocketAddr,
    state: Arc<State>,
    server: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    spans: Mutex<Vec<Span>>,
    /// The headers of the last request.
    headers: Mutex<BTreeMap<String, String>>,
    is_over: AtomicBool,
}

impl Collector {
    /// One on a free port.
    pub(super) fn start() -> Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// One at this address.
    pub(super) fn start_at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let server = std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming().flatten() {
                    if state.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Err(error) = answer(stream, &state) {
                        panic!("the worker has sent what no collector takes: {error:#}");
                    }
                }
            }
        });
        Ok(Self {
            address,
            state,
            server: Some(server),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.state.spans.lock().unwrap().clone()
    }

    /// A header of the last request, empty if it has none.
    pub(super) fn header(&self, name: &str) -> String {
        let headers = self.state.headers.lock().unwrap();
        headers.get(name).cloned().unwrap_or_default()
    }

    /// Waits for a span and returns the first one.
    pub(super) fn wait_for(&self, what: &str, is: impl Fn(&Span) -> bool) -> Result<Span> {
        eventually(what, || {
            let spans = self.spans();
            let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
            let found = spans.iter().find(|span| is(span));
            found.cloned().with_context(|| format!("{names:?}"))
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // Wakes the server from its wait for a client.
        let _ = TcpStream::connect(self.address);
        let ended = self.server.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap_or(Ok(())).expect("no bad requests");
        }
    }
}

/// Takes one request and closes the connection.
fn answer(mut stream: TcpStream, state: &State) -> Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = || -> Result<String> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let request = line()?;
    let mut headers = BTreeMap::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    ensure!(request == "POST /v1/traces HTTP/1.1", "{request}");
    ensure!(
        headers["content-type"] == "application/x-protobuf",
        "{headers:?}"
    );
    let mut body = vec![0; headers["content-length"].parse()?];
    reader.read_exact(&mut body)?;
    let spans = spans_of(ExportTraceServiceRequest::decode(&*body)?)?;
    state.spans.lock().unwrap().extend(spans);
    *state.headers.lock().unwrap() = headers;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    Ok(())
}

fn spans_of(request: ExportTraceServiceRequest) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for of_process in request.resource_spans {
        let resource = of_process.resource.context("no resource")?;
        let resource = attributes(resource.attributes);
        let of_scopes = of_process.scope_spans.into_iter();
        for span in of_scopes.flat_map(|of_scope| of_scope.spans) {
            ensure!(
                span.start_time_unix_nano <= span.end_time_unix_nano,
                "{span:?}"
            );
            spans.push(Span {
                kind: span.kind(),
                has_failed: span.status.unwrap_or_default().code() == StatusCode::Error,
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                attributes: attributes(span.attributes),
                resource: resource.clone(),
            });
        }
    }
    Ok(spans)
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs.map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
