//! The types of `type.mapping=extended`, with a connector that has none of them by default.

use anyhow::Result;
use tether_api::data::logical::decimal_schema;
use tether_api::data::{Decimal, MapValue, SchemaBuilder, SchemaRef, Struct, Type, Value};

use super::server::Server;
use super::sink::{Settings, Sink};
use super::topic::{Topic, required, structure};

const EXTENDED: Settings = &[("type.mapping", "extended"), ("auto.create", "true")];

fn named(name: &str, kind: Type) -> SchemaRef {
    SchemaBuilder::new(kind).optional().name(name).build()
}

fn variable_scale() -> SchemaRef {
    SchemaBuilder::structure()
        .name("io.debezium.data.VariableScaleDecimal")
        .optional()
        .field("scale", required(Type::Int32))
        .field("value", required(Type::Bytes))
        .build()
}

fn schema() -> SchemaRef {
    structure(&[
        ("id", named("io.debezium.data.Uuid", Type::String)),
        ("doc", named("io.debezium.data.Json", Type::String)),
        ("exact", variable_scale()),
        ("price", decimal_schema(2)),
        (
            "moment",
            named("io.debezium.time.ZonedTimestamp", Type::String),
        ),
        (
            "wall",
            named("io.debezium.time.MicroTimestamp", Type::Int64),
        ),
        ("parts", structure(&[("x", required(Type::Int32))])),
        (
            "pairs",
            SchemaBuilder::map(required(Type::String), required(Type::Int64)).build(),
        ),
        (
            "rows",
            SchemaBuilder::array(structure(&[("y", variable_scale())])).build(),
        ),
    ])
}

fn values(schema: &SchemaRef) -> Result<[Value; 9]> {
    let of = |schema: &SchemaRef, values| -> Result<Value> {
        Ok(Struct::from_values(schema.clone(), values)?.into())
    };
    // 12345678901234567890.1, which is more than a double holds.
    let digits = Decimal::new(123_456_789_012_345_678_901i128, 1);
    let bytes = digits.to_be_bytes().to_vec();
    let exact = of(
        &variable_scale(),
        vec![1i32.into(), Value::Bytes(bytes.into())],
    )?;
    let fields = schema.fields();
    let rows = fields[8].schema.value_schema().cloned();
    let row = of(&rows.unwrap_or_else(variable_scale), vec![exact.clone()])?;
    Ok([
        "00000000-0000-0000-0000-00000000000A".into(),
        r#"{"a": 1}"#.into(),
        exact,
        Decimal::from_i64(-105, 2).into(),
        "2020-02-03T04:05:06.789012Z".into(),
        1_580_702_706_789_012i64.into(),
        of(&fields[6].schema, vec![7i32.into()])?,
        Value::Map(MapValue::from_iter([("k".into(), 8i64.into())]).into()),
        Value::Array(vec![row].into()),
    ])
}

/// The table and its row.
fn written(server: &Server) -> Result<(Vec<String>, Vec<String>)> {
    let mut sink = Sink::with_url(&server.url(), &[EXTENDED])?;
    let (schema, mut topic) = (schema(), Topic::new("t", Type::Int32));
    sink.put(&[topic.record(1i32, &schema, values(&schema)?)])?;
    Ok((server.definition("t")?, server.rows("SELECT * FROM t")?))
}

#[test]
fn nothing_is_lost_on_postgres() -> Result<()> {
    let (definition, rows) = written(&Server::postgres()?)?;
    assert_eq!(
        definition,
        [
            "id uuid",
            "doc json",
            "exact numeric",
            "price numeric(38,2) NOT NULL",
            "moment timestamp(6) with time zone",
            "wall timestamp(6) without time zone",
            "parts jsonb NOT NULL",
            "pairs jsonb NOT NULL",
            "rows jsonb NOT NULL",
        ]
    );
    assert_eq!(
        rows,
        [
            "00000000-0000-0000-0000-00000000000a|{\"a\": 1}|12345678901234567890.1|-1.05|\
             2020-02-03 04:05:06.789012+00|2020-02-03 04:05:06.789012|{\"x\": 7}|{\"k\": 8}|\
             [{\"y\": {\"scale\": 1, \"value\": \"BrFOn4EvNmw1\"}}]"
        ]
    );
    Ok(())
}

#[test]
fn nothing_is_lost_on_mariadb() -> Result<()> {
    let (definition, rows) = written(&Server::mariadb()?)?;
    assert_eq!(
        definition,
        [
            "id longtext",
            "doc longtext",
            "exact decimal(65,30)",
            "price decimal(65,2) NOT NULL",
            "moment timestamp(6)",
            "wall datetime(6)",
            "parts longtext NOT NULL",
            "pairs longtext NOT NULL",
            "rows longtext NOT NULL",
        ]
    );
    let exact = format!("12345678901234567890.1{}", "0".repeat(29));
    assert!(
        rows[0].starts_with(&format!(
            "00000000-0000-0000-0000-00000000000A|{{\"a\": 1}}|{exact}|-1.05|"
        )),
        "{rows:?}"
    );
    let end = "|2020-02-03 04:05:06.789012|{\"x\":7}|{\"k\":8}|\
               [{\"y\":{\"scale\":1,\"value\":\"BrFOn4EvNmw1\"}}]";
    assert!(rows[0].ends_with(end), "{rows:?}");
    Ok(())
}

#[test]
fn sqlite_has_texts() -> Result<()> {
    let (definition, rows) = written(&Server::sqlite()?)?;
    assert_eq!(
        definition,
        [
            "id TEXT",
            "doc TEXT",
            "exact NUMERIC",
            "price NUMERIC NOT NULL",
            "moment TEXT",
            "wall TEXT",
            "parts TEXT NOT NULL",
            "pairs TEXT NOT NULL",
            "rows TEXT NOT NULL",
        ]
    );
    let end = "|-1.05|2020-02-03T04:05:06.789012Z|2020-02-03 04:05:06.789012|{\"x\":7}|{\"k\":8}|\
               [{\"y\":{\"scale\":1,\"value\":\"BrFOn4EvNmw1\"}}]";
    assert!(rows[0].ends_with(end), "{rows:?}");
    Ok(())
}
