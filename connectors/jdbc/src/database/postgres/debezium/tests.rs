use tether_api::data::{SchemaBuilder, SchemaRef, Struct};

use super::*;
use crate::change_event::Row;
use crate::config::SinkConfig;
use crate::database::postgres::catalog::BaseType;
use crate::database::postgres::codec::Codec;
use crate::fields::Fields;
use crate::fixture::{config, structure};
use crate::table::TableId;
use crate::time::Clock;

fn debezium() -> SinkConfig {
    config(&[("type.mapping", "debezium")])
}

fn field(schema: SchemaRef) -> SinkField {
    let row = structure(&[("a", schema)]);
    let table = TableId::named("t");
    let fields = Fields::of(&debezium(), "topic", &table, None, Some(Row::value(&row)));
    fields.unwrap().others.remove(0)
}

fn codec(schema: SchemaRef, sql_name: &str) -> Codec {
    let column = PostgresType {
        oid: 0,
        sql_name: sql_name.to_owned(),
        base: match sql_name {
            "timestamp with time zone" => BaseType::Timestamptz,
            _ => BaseType::Other,
        },
        modifier: -1,
        has_exact_equality: true,
    };
    Codec::of(&field(schema), &column)
}

fn pushed(codec: Codec, value: impl Into<Value>) -> Result<Vec<u8>, Misfit> {
    let mut out = Vec::new();
    codec.push(&value.into(), &Clock::new(&debezium().time), &mut out)?;
    Ok(out)
}

fn text(codec: Codec, value: impl Into<Value>) -> String {
    String::from_utf8(pushed(codec, value).unwrap()).unwrap()
}

fn named(kind: Type, name: &str) -> SchemaRef {
    SchemaBuilder::new(kind)
        .name(format!("io.debezium.{name}"))
        .build()
}

fn parts(name: &str, fields: &[(&str, Type)], values: Vec<Value>) -> (SchemaRef, Value) {
    let builder = SchemaBuilder::structure().name(format!("io.debezium.data.{name}"));
    let builder = fields.iter().fold(builder, |builder, (name, kind)| {
        builder.field(*name, SchemaBuilder::new(*kind).optional().build())
    });
    let schema = builder.build();
    let value = Struct::from_values(schema.clone(), values).unwrap();
    (schema, value.into())
}

#[test]
fn times() {
    let bytes = |number: i64| Ok(number.to_be_bytes().to_vec());
    let micros = codec(named(Type::Int64, "time.MicroTime"), "time");
    assert_eq!(pushed(micros, 86_400_000_000i64), bytes(86_400_000_000));
    assert!(pushed(micros, 86_400_000_001i64).is_err());
    assert!(pushed(micros, -1i64).is_err());
    let nanos = codec(named(Type::Int64, "time.NanoTimestamp"), "timestamp");
    assert_eq!(pushed(nanos, 946_684_800_000_001_000i64), bytes(1));
    let millis = named(Type::Int64, "time.Timestamp");
    let instant = codec(millis.clone(), "timestamp with time zone");
    assert_eq!(
        instant,
        Codec::Debezium(DebeziumCodec::Instant(Unit::Millis))
    );
    assert_eq!(pushed(instant, 946_684_800_001i64), bytes(1000));
    assert!(pushed(codec(millis, "timestamp"), i64::MAX).is_err());
    let date = codec(named(Type::Int32, "time.Date"), "date");
    assert_eq!(pushed(date, 10_958i32), Ok(vec![0, 0, 0, 1]));
    let duration = codec(named(Type::Int64, "time.MicroDuration"), "interval");
    assert_eq!(
        pushed(duration, 1i64),
        Ok([[0; 7].to_vec(), vec![1], vec![0; 8]].concat())
    );
    assert_eq!(pushed(date, "soon"), Err(Misfit::WrongType));
}

#[test]
fn bits() {
    let bits = |length: &str| {
        let schema = SchemaBuilder::new(Type::Bytes)
            .name("io.debezium.data.Bits")
            .parameter("length", length)
            .build();
        codec(schema, "bit")
    };
    let bytes = || Value::Bytes(vec![0b101, 1].into());
    assert_eq!(text(bits("9"), bytes()), "100000101");
    assert_eq!(text(bits("2147483647"), bytes()), "100000101");
    assert_eq!(
        pushed(bits("2147483646"), bytes()),
        Err(Misfit::TooManyBits)
    );
    let flag = codec(SchemaBuilder::new(Type::Boolean).build(), "\"bit\"");
    assert_eq!(text(flag, true), "1");
}

#[test]
fn pairs_of_maps_and_of_json() {
    let json = codec(named(Type::String, "data.Json"), "public.hstore");
    assert_eq!(
        text(json, r#"{"a\"":"b\\","c":null,"d":1}"#),
        r#""a\"" => "b\\", "c" => NULL, "d" => NULL"#
    );
    assert_eq!(pushed(json, "[]"), Err(Misfit::NotAnObject));
    assert_eq!(
        codec(named(Type::String, "data.Json"), "jsonb"),
        Codec::Text
    );
}

#[test]
fn structs() {
    let (schema, value) = parts(
        "VariableScaleDecimal",
        &[("scale", Type::Int32), ("value", Type::Bytes)],
        vec![2i32.into(), Value::Bytes(vec![1, 0].into())],
    );
    let number = pushed(codec(schema, "numeric"), value).unwrap();
    let mut expected = Vec::new();
    numeric::push(&tether_api::data::Decimal::new(256, 2), &mut expected).unwrap();
    assert_eq!(number, expected);

    let (schema, value) = parts(
        "geometry.Point",
        &[("x", Type::Float64), ("y", Type::Float64)],
        vec![1.5f64.into(), (-2f64).into()],
    );
    assert_eq!(text(codec(schema, "point"), value), "(1.5,-2.0)");
    let (schema, value) = parts(
        "geometry.Line",
        &[
            ("a", Type::Float64),
            ("b", Type::Float64),
            ("c", Type::Float64),
        ],
        vec![1f64.into(), 2f64.into(), 3f64.into()],
    );
    assert_eq!(text(codec(schema, "line"), value), "{1.0,2.0,3.0}");
    let (schema, value) = parts(
        "geometry.Geometry",
        &[("wkb", Type::Bytes), ("srid", Type::Int32)],
        vec![Value::Bytes(vec![1, 1, 0, 0, 0].into()), 4326i32.into()],
    );
    let geometry = codec(schema.clone(), "geometry");
    assert_eq!(text(geometry, value), "0101000020e6100000");
    let broken = vec![Value::Bytes(vec![1].into()), Value::Null];
    let broken = Struct::from_values(schema, broken).unwrap();
    assert_eq!(
        pushed(geometry, Value::from(broken)),
        Err(Misfit::NotAGeometry)
    );
    assert_eq!(
        codec(structure(&[]), "geometry"),
        Codec::Unsupported,
        "a struct without a name"
    );
}

#[test]
fn arrays() {
    let array = |elements| SchemaBuilder::array(elements).build();
    let elements = |values: Vec<Value>| Value::Array(values.into());
    let dates = codec(array(named(Type::Int32, "time.Date")), "date[]");
    assert_eq!(
        text(dates, elements(vec![0i32.into(), Value::Null])),
        "{\"1970-01-01\",NULL}"
    );
    let times = array(array(named(Type::Int64, "time.MicroTimestamp")));
    let times = codec(times, "timestamp[]");
    let inner = elements(vec![1i64.into()]);
    assert_eq!(
        text(times, elements(vec![inner.clone(), inner])),
        "{{\"1970-01-01 00:00:00.000001\"},{\"1970-01-01 00:00:00.000001\"}}"
    );
    let bytes = codec(array(SchemaBuilder::new(Type::Bytes).build()), "bytea[]");
    let value = elements(vec![Value::Bytes(vec![1, 0xff].into())]);
    assert_eq!(text(bytes, value), r#"{"\\x01ff"}"#);
    let vector = codec(
        SchemaBuilder::array(SchemaBuilder::new(Type::Float64).build())
            .name("io.debezium.data.DoubleVector")
            .build(),
        "vector",
    );
    assert_eq!(text(vector, elements(vec![1f64.into()])), "[1.0]");
}
