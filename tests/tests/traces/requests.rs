//! Requests, also those that go on to another worker.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use tether_tests::names::unique;
use tether_tests::worker::Worker;
use tether_tests::worker_process::WorkerProcess;

use super::collector::Collector;
use super::options;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[test]
fn a_trace_goes_on_from_a_client_through_two_workers() -> Result<()> {
    let name = unique("traces");
    let collector = Collector::start()?;
    let mut workers = Vec::new();
    for service in ["one", "two"] {
        let options = options(&name, &collector)?
            .variable("OTEL_SERVICE_NAME", service)
            .variable(
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test",
            )
            .variable("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=abc%20123");
        workers.push(WorkerProcess::distributed(&options)?);
    }
    let rebalance = collector.wait_for("a rebalance of both", |span| {
        span.name == "rebalance" && span.service() == "two"
    })?;
    let leader = rebalance.get("leader");
    let leads = |worker: &WorkerProcess| leader.starts_with(worker.url());
    let follower = workers.iter().position(|worker| !leads(worker));
    let follower = follower.context("one follows")?;
    let (asked, answering) = [("one", "two"), ("two", "one")][follower];

    // Only the leader stores configurations.
    let config = json!({
        "connector.class": "FileStreamSource", "file": "/missing/lines", "topic": "none",
    });
    let answer = put_within_trace(&workers[follower], "/connectors/my-lines/config", &config)?;
    ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let first = collector.wait_for("the request", |span| {
        span.trace == TRACE && span.parent == PARENT
    })?;
    assert_eq!(first.name, "PUT /connectors/{connector}/config");
    assert_eq!((first.kind, first.service()), (SpanKind::Server, asked));
    assert_eq!(first.get("http.request.method"), "PUT");
    assert_eq!(first.get("http.route"), "/connectors/{connector}/config");
    assert_eq!(first.get("http.response.status_code"), "201");
    assert_eq!(first.get("url.path"), "/connectors/my-lines/config");
    assert_eq!(first.get("request"), "my-request");
    assert_eq!(first.resource["deployment.environment.name"], "test");
    ensure!(!first.resource["service.instance.id"].is_empty());

    let operation = collector.wait_for("what was asked for", |span| span.parent == first.id)?;
    assert_eq!(operation.name, "configure connector");
    let call = collector.wait_for("the call of the leader", |span| {
        span.trace == TRACE && span.kind == SpanKind::Client
    })?;
    assert_eq!((&*call.name, call.service()), ("PUT", asked));
    assert_eq!(call.parent, first.id);
    let second = collector.wait_for("the leader's answer", |span| span.parent == call.id)?;
    assert_eq!(second.name, first.name);
    assert_eq!(
        (second.kind, second.service()),
        (SpanKind::Server, answering)
    );
    assert_eq!(second.get("request"), "my-request");
    assert_eq!((&*second.trace, second.has_failed), (TRACE, false));

    let spans = collector.spans();
    ensure!(
        spans
            .iter()
            .all(|span| !span.name.starts_with("GET /health")),
        "probes are not traced"
    );

    assert_eq!(collector.header("x-api-key"), "abc 123");
    for worker in &mut workers {
        worker.stop()?;
        let log = worker.log();
        ensure!(log.contains("Sending traces"), "{log}");
        ensure!(!log.contains("abc 123") && !log.contains("abc%20123"));
    }
    Ok(())
}

/// Sends a request that is a part of a trace, and returns the answer's first line.
fn put_within_trace(
    worker: &WorkerProcess,
    path: &str,
    body: &serde_json::Value,
) -> Result<String> {
    let address = worker.address();
    let mut stream = TcpStream::connect(&address)?;
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\nX-Request-Id: my-request\r\n\
         traceparent: 00-{TRACE}-{PARENT}-01\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
