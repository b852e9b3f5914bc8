//! Values with parts, where the configuration says what becomes of them.

use anyhow::{Context, Result};
use tether_api::data::logical::{date_schema, decimal_schema, timestamp_schema};
use tether_api::data::{Decimal, MapValue, SchemaBuilder, SchemaRef, Struct, Type, Value};

use super::server::Server;
use super::sink::{BY_KEY, Settings, Sink};
use super::topic::{Topic, optional, required, structure};

const CREATE: Settings = &[("auto.create", "true"), ("auto.evolve", "true")];

/// `address` with an optional part, `labels`, and `items`.
fn schema() -> SchemaRef {
    let geo = structure(&[("lat", required(Type::Float64))]);
    let geo = geo.to_builder().optional().build();
    let line = structure(&[
        ("sku", required(Type::String)),
        ("n", required(Type::Int32)),
    ]);
    structure(&[
        (
            "address",
            structure(&[("street", required(Type::String)), ("geo", geo)]),
        ),
        (
            "labels",
            SchemaBuilder::map(required(Type::String), required(Type::Int32)).build(),
        ),
        ("items", SchemaBuilder::array(line).build()),
    ])
}

fn of(schema: &SchemaRef, values: Vec<Value>) -> Result<Value> {
    Ok(Struct::from_values(schema.clone(), values)?.into())
}

/// Values of the schema: with a latitude, or without.
fn values(schema: &SchemaRef, latitude: Option<f64>) -> Result<[Value; 3]> {
    let [address, labels, lines] = schema.fields() else {
        anyhow::bail!("three fields are expected");
    };
    debug_assert_eq!(labels.schema.kind(), Type::Map);
    let geo = &address.schema.fields()[1].schema;
    let geo = match latitude {
        Some(latitude) => of(geo, vec![latitude.into()])?,
        None => Value::Null,
    };
    let line = lines.schema.value_schema().context("elements")?;
    let labels = MapValue::from_iter([("it's".into(), 1i32.into())]);
    Ok([
        of(&address.schema, vec!["a \\ \"b\"".into(), geo])?,
        Value::Map(labels.into()),
        Value::Array(vec![of(line, vec!["x".into(), 2i32.into()])?].into()),
    ])
}

fn servers() -> Result<[Server; 3]> {
    Ok([Server::postgres()?, Server::mariadb()?, Server::sqlite()?])
}

/// The text at a path of a column of JSON.
fn at(server: &Server, column: &str, path: &[&str]) -> String {
    match server {
        Server::Postgres(_) => format!("{column} #>> '{{{}}}'", path.join(",")),
        Server::MariaDb(_) | Server::Sqlite(_) => {
            let path: String = path
                .iter()
                .map(|step| match step.parse::<u8>() {
                    Ok(index) => format!("[{index}]"),
                    Err(_) => format!(".\"{step}\""),
                })
                .collect();
            let path = path.replace('\'', "''");
            let function = match server {
                Server::Sqlite(_) => "json_extract",
                _ => "json_value",
            };
            format!("{function}({column}, '${path}')")
        }
    }
}

fn json_type(server: &Server) -> &'static str {
    match server {
        Server::Postgres(_) => "jsonb",
        // Another name of the same.
        Server::MariaDb(_) => "longtext",
        Server::Sqlite(_) => "TEXT",
    }
}

#[test]
fn columns_of_json() -> Result<()> {
    for server in servers()? {
        let json: Settings = &[("nested.mode", "json"), ("insert.mode", "upsert")];
        let mut sink = Sink::with_url(&server.url(), &[&BY_KEY, CREATE, json])?;
        let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
        sink.put(&[
            topic.record(1i32, &schema, values(&schema, Some(1.5))?),
            topic.record(2i32, &schema, values(&schema, None)?),
        ])?;
        let kind = json_type(&server);
        let definition = server.definition("t")?;
        assert_eq!(
            definition[..3],
            ["address", "labels", "items"].map(|name| format!("{name} {kind} NOT NULL")),
            "{}",
            server.name()
        );
        let [street, latitude, label, sku] = [
            at(&server, "address", &["street"]),
            at(&server, "address", &["geo", "lat"]),
            match server {
                Server::Postgres(_) => "labels ->> 'it''s'".to_owned(),
                _ => at(&server, "labels", &["it's"]),
            },
            at(&server, "items", &["0", "sku"]),
        ];
        assert_eq!(
            server.rows(&format!(
                "SELECT id, {street}, coalesce({latitude}, 'none'), {label}, {sku} FROM t ORDER BY id"
            ))?,
            ["1|a \\ \"b\"|1.5|1|x", "2|a \\ \"b\"|none|1|x"],
            "{}",
            server.name()
        );
    }
    Ok(())
}

#[test]
fn fields_of_structs_as_columns() -> Result<()> {
    for server in servers()? {
        let flatten: Settings = &[
            ("nested.mode", "flatten"),
            ("nested.delimiter", "__"),
            ("pk.mode", "record_value"),
            ("pk.fields", "address__street"),
            ("fields.whitelist", "address,labels"),
        ];
        let mut sink = Sink::with_url(&server.url(), &[CREATE, flatten])?;
        let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
        sink.put(&[topic.record(1i32, &schema, values(&schema, None)?)])?;
        let (key, double) = match server {
            Server::Postgres(_) => ("text", "double precision"),
            Server::MariaDb(_) => ("varchar(255)", "double"),
            Server::Sqlite(_) => ("TEXT", "REAL"),
        };
        assert_eq!(
            server.definition("t")?,
            [
                format!("address__street {key} NOT NULL"),
                format!("address__geo__lat {double}"),
                format!("labels {} NOT NULL", json_type(&server)),
                "key address__street".to_owned(),
            ],
            "{}",
            server.name()
        );
        assert_eq!(
            server.rows("SELECT address__street, coalesce(address__geo__lat, -1) FROM t")?,
            ["a \\ \"b\"|-1"],
            "{}",
            server.name()
        );
    }
    Ok(())
}

#[test]
fn arrays_of_any_type() -> Result<()> {
    let array = |elements: SchemaRef| SchemaBuilder::array(elements).optional().build();
    let schema = structure(&[
        ("texts", array(optional(Type::String))),
        ("bytes", array(required(Type::Bytes))),
        ("numbers", array(decimal_schema(2))),
        ("days", array(date_schema())),
        ("moments", array(timestamp_schema())),
    ]);
    let list = |values: Vec<Value>| Value::Array(values.into());
    let values = [
        list(vec!["a\"\\,{}".into(), Value::Null, "NULL".into()]),
        list(vec![Value::Bytes(vec![0, 255].into())]),
        list(vec![Value::from(Decimal::from_i64(-105, 2))]),
        list(vec![Value::Date(-1), Value::Date(1)]),
        list(vec![Value::Timestamp(1)]),
    ];
    for server in servers()? {
        // PostgreSQL has types for them, the others have JSON.
        let json: Settings = &[("nested.mode", "json")];
        let mut sink = Sink::with_url(&server.url(), &[CREATE, json])?;
        let mut topic = Topic::new("t", Type::Int32);
        sink.put(&[topic.record(1i32, &schema, values.clone())])?;
        let expected = match server {
            Server::Postgres(_) => {
                assert_eq!(
                    server.definition("t")?,
                    [
                        "texts text[]",
                        "bytes bytea[]",
                        "numbers numeric[]",
                        "days date[]",
                        "moments timestamp without time zone[]",
                    ]
                );
                "{\"a\\\"\\\\,{}\",NULL,\"NULL\"}|{\"\\\\x00ff\"}|{-1.05}|\
                 {1969-12-31,1970-01-02}|{\"1970-01-01 00:00:00.001\"}"
            }
            _ => {
                "[\"a\\\"\\\\,{}\",null,\"NULL\"]|[\"AP8=\"]|[-1.05]|\
                 [\"1969-12-31\",\"1970-01-02\"]|[\"1970-01-01T00:00:00.001Z\"]"
            }
        };
        assert_eq!(
            server.rows("SELECT * FROM t")?,
            [expected],
            "{}",
            server.name()
        );
    }
    Ok(())
}

#[test]
fn json_goes_to_the_columns_that_there_are() -> Result<()> {
    let server = Server::postgres()?;
    server.rows(
        "CREATE TABLE t (address json, labels text, items jsonb, list jsonb); \
         INSERT INTO t VALUES ('{}', '', '{}', '{}')",
    )?;
    let json: Settings = &[("nested.mode", "json")];
    let mut sink = Sink::with_url(&server.url(), &[json])?;
    let nested = schema();
    let list = SchemaBuilder::array(required(Type::Int32)).build();
    let fields = nested.fields().iter();
    let fields = fields.map(|field| (&*field.name, field.schema.clone()));
    let schema = structure(&fields.chain([("list", list)]).collect::<Vec<_>>());
    let [address, labels, lines] = values(&nested, None)?;
    let list = Value::Array(vec![1i32.into(), 2i32.into()].into());
    let mut topic = Topic::new("t", Type::Int32);
    let mut record = |labels: Value| {
        let values = [address.clone(), labels, lines.clone(), list.clone()];
        topic.record(1i32, &schema, values)
    };
    sink.put(&[record(labels)])?;
    assert_eq!(
        server
            .rows("SELECT address ->> 'geo' IS NULL, labels, list -> 1 FROM t WHERE labels > ''")?,
        ["t|{\"it's\":1}|2"]
    );
    let nul = MapValue::from_iter([("a\0".into(), 1i32.into())]);
    let error = sink.refused(&[record(Value::Map(nul.into()))])?;
    assert!(error.contains("cannot store NUL characters"), "{error}");
    Ok(())
}
