//! Schemas that refer to others.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::Context;
use serde_json::{Value as Json, json};
use tether_api::data::{Schema, SchemaBuilder, Struct, Type, Value};
use tether_reference_tests::Verdicts;

use super::super::Pair;
use super::{CLASS, Side};

const INNER: &str =
    r#"{"type":"record","name":"I","namespace":"a","fields":[{"name":"x","type":"int"}]}"#;
const MIDDLE: &str = r#"{"type":"record","name":"M","namespace":"a","fields":[{"name":"i","type":"I"},{"name":"more","type":["null","a.I"],"default":null}]}"#;
/// Of a record of this name.
fn outer_text(name: &str) -> String {
    format!(
        r#"{{"type":"record","name":"{name}","namespace":"b","fields":[{{"name":"m","type":"a.M"}},{{"name":"i","type":"a.I"}}]}}"#
    )
}

/// Data of the outer one: `{m: {i: {x: 1}, more: {x: 2}}, i: {x: 3}}`.
const DATA: &[u8] = &[2, 2, 4, 6];

fn reference(name: &str, subject: &str) -> Json {
    json!({"name": name, "subject": subject, "version": 1})
}

/// The bodies of requests that register them, by subject; the last one is that
/// of the outer schema.
fn schemas(name: &str, subject: &str) -> [(String, Json); 3] {
    let (inner, middle) = (format!("{subject}-inner"), format!("{subject}-middle"));
    let references = json!([reference("a.M", &middle), reference("a.I", &inner)]);
    let inner_alone = json!([reference("a.I", &inner)]);
    [
        (inner, json!({"schema": INNER})),
        (middle, json!({"schema": MIDDLE, "references": inner_alone})),
        (
            subject.to_owned(),
            json!({"schema": outer_text(name), "references": references}),
        ),
    ]
}

/// A record of the outer schema.
fn outer(name: &str) -> anyhow::Result<(tether_api::data::SchemaRef, Value)> {
    let inner = SchemaBuilder::structure()
        .name("a.I")
        .field("x", Schema::primitive(Type::Int32, false))
        .build();
    let optional = inner.to_builder().optional().build();
    let middle = SchemaBuilder::structure()
        .name("a.M")
        .field("i", inner.clone())
        .field("more", optional.clone())
        .build();
    let outer = SchemaBuilder::structure()
        .name(format!("b.{name}"))
        .field("m", middle.clone())
        .field("i", inner.clone())
        .build();
    let of = |schema: &tether_api::data::SchemaRef, values| {
        Struct::from_values(schema.clone(), values).map(Value::from)
    };
    let more = of(&optional, vec![2i32.into()])?;
    let m = of(&middle, vec![of(&inner, vec![1i32.into()])?, more])?;
    let value = of(&outer, vec![m, of(&inner, vec![3i32.into()])?])?;
    Ok((outer, value))
}

#[test]
fn references_are_followed_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let mut id = 0;
    for (subject, body) in schemas("R", "t-value") {
        id = side.registry.register_body(&subject, &body);
    }
    let record = [&[0], &u32::try_from(id)?.to_be_bytes()[..], DATA].concat();
    side.compare_read(&[], Some(&record))?;
    side.compare_read(&[("use.latest.version", "true")], Some(&record))?;
    // One that is not there.
    let lost = json!({"schema": outer_text("R"), "references": [reference("a.M", "nowhere")]});
    let lost = side.registry.register_body("t-value", &lost);
    let record = [&[0], &u32::try_from(lost)?.to_be_bytes()[..], DATA].concat();
    side.compare_read(&[], Some(&record))?;
    side.finish()
}

#[test]
fn data_is_written_with_a_schema_that_refers_to_others_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    for (subject, body) in schemas("R", "t-value") {
        side.registry.register_body(&subject, &body);
    }
    let (schema, value) = outer("R")?;
    let config = [
        ("auto.register.schemas", "false"),
        ("use.latest.version", "true"),
        // Metadata is no part of what was registered.
        ("connect.meta.data", "false"),
    ];
    let bytes = side.compare_written(&config, Some(&schema), &value)?;
    anyhow::ensure!(bytes.is_some_and(|bytes| bytes[5..] == *DATA), "no record");
    side.finish()
}

/// Sends a request to a registry; its answer.
fn post(url: &str, path: &str, body: &Json) -> anyhow::Result<Json> {
    let address = url.strip_prefix("http://").context("no http address")?;
    let (host, base) = address.split_at(address.find('/').unwrap_or(address.len()));
    let body = body.to_string();
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "POST {base}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let json = answer
        .find('{')
        .and_then(|start| Some(&answer[start..=answer.rfind('}')?]));
    serde_json::from_str(json.context("no JSON")?).with_context(|| answer.clone())
}

/// A real registry resolves references itself, and demands that they are there.
#[test]
fn a_real_registry_serves_references_to_both() -> anyhow::Result<()> {
    let url = tether_services::shared::registry_url()?;
    // The names of this process do not clash with those of others.
    let name = format!("R{}", std::process::id());
    let mut id = 0;
    for (subject, body) in schemas(&name, &format!("b.{name}")) {
        let answer = post(&url, &format!("/subjects/{subject}/versions"), &body)?;
        id = u32::try_from(answer["id"].as_u64().context(answer.to_string())?)?;
    }
    let record = [&[0], &id.to_be_bytes()[..], DATA].concat();
    let pair = Pair {
        class: CLASS,
        config: &[
            ("schema.registry.url", url.as_str()),
            ("auto.register.schemas", "false"),
            ("use.latest.version", "true"),
            ("connect.meta.data", "false"),
            (
                "value.subject.name.strategy",
                "io.confluent.kafka.serializers.subject.RecordNameStrategy",
            ),
        ],
    };
    let mut verdicts = Verdicts::new();
    pair.compare_to_connect(&mut verdicts, Some(&record))?;
    let (schema, value) = outer(&name)?;
    let bytes = pair.compare_from_connect(&mut verdicts, Some(&schema), &value)?;
    anyhow::ensure!(bytes.as_deref() == Some(&*record), "another record");
    verdicts.finish().map(drop)
}
