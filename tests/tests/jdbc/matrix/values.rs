//! Every shape of value with every connector on every database.

use anyhow::{Context, Result, ensure};
use tether_api::data::{SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::record::SinkRecord;

use super::super::server::Server;
use super::super::sink::Sink;
use super::super::topic::{Topic, optional, required, structure};
use super::cell::{FLAVOURS, Flavour};

/// A value: its name, which is that of its topic as well, and what it is.
type Shape = (&'static str, Option<SchemaRef>, Value);

fn shapes() -> Result<Vec<Shape>> {
    let inner = structure(&[("x", required(Type::Int32))]);
    let nested = structure(&[("s", inner.clone())]);
    let envelope = SchemaBuilder::structure()
        .name("server.t.Envelope")
        .field("after", inner.clone())
        .field("op", required(Type::String))
        .build();
    let array = SchemaBuilder::array(required(Type::Int32)).build();
    let numbers = structure(&[("n", array)]);
    let row = Value::from(Struct::from_values(inner, vec![1i32.into()])?);
    let of = |schema: &SchemaRef, values| -> Result<Value> {
        Ok(Struct::from_values(schema.clone(), values)?.into())
    };
    Ok(vec![
        ("text", Some(optional(Type::String)), "x".into()),
        ("number", Some(required(Type::Int32)), 1i32.into()),
        ("schemaless", None, Value::Map(Default::default())),
        (
            "nested",
            Some(nested.clone()),
            of(&nested, vec![row.clone()])?,
        ),
        (
            "numbers",
            Some(numbers.clone()),
            of(&numbers, vec![Value::Array(vec![1i32.into()].into())])?,
        ),
        (
            "envelope",
            Some(envelope.clone()),
            of(&envelope, vec![row, "c".into()])?,
        ),
    ])
}

/// What a value is refused with; `None` if it is written.
fn reason(server: &Server, flavour: Flavour, shape: &str) -> Option<&'static str> {
    let no_type = Some("type doesn't have a mapping to the SQL database column type");
    match (shape, flavour) {
        ("text", Flavour::Confluent) => None,
        ("numbers", _) if matches!(server, Server::Postgres(_)) => None,
        ("nested" | "numbers", _) => no_type,
        ("envelope", Flavour::Debezium) => None,
        ("envelope", _) => no_type,
        _ => Some("requires records with a non-null Struct or String value"),
    }
}

#[test]
fn shapes_of_values() -> Result<()> {
    for server in [Server::postgres()?, Server::mariadb()?, Server::sqlite()?] {
        for flavour in FLAVOURS {
            let settings = flavour.settings(&server, "record_key", "id");
            let settings: Vec<_> = settings
                .iter()
                .map(|(key, value)| (*key, &**value))
                .collect();
            let mut sink = Sink::with_url(&server.url(), &[&settings])?;
            for (shape, schema, value) in shapes()? {
                let name = format!("{flavour:?}_{shape}").to_lowercase();
                let key = Some(required(Type::Int32));
                let record = Topic::new(&name, Type::Int32).raw(key, 1i32.into(), schema, value);
                outcome(&server, flavour, shape, &mut sink, record)
                    .with_context(|| format!("{name} on {}", server.name()))?;
            }
        }
    }
    Ok(())
}

fn outcome(
    server: &Server,
    flavour: Flavour,
    shape: &str,
    sink: &mut Sink,
    record: SinkRecord,
) -> Result<()> {
    match reason(server, flavour, shape) {
        Some(reason) => {
            let error = sink.refused(&[record])?;
            ensure!(error.contains(reason), "{error}");
        }
        None => {
            let count = format!("SELECT count(*) FROM {}", record.record.topic);
            sink.put(&[record])?;
            ensure!(server.rows(&count)? == ["1"]);
        }
    }
    Ok(())
}
