//! `Cast`.

use tether_api::data::{Decimal, Schema, SchemaRef, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::corpus::{
    any_part, changing_schemas, compare_configs, compare_generated, map_record, records,
};
use super::{compare, compare_records};

const KEY: &str = "org.apache.kafka.connect.transforms.Cast$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.Cast$Value";

const TYPES: [&str; 8] = [
    "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string",
];

#[test]
fn generated_records_are_cast_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 8] = [
        &[("spec", "f0:int8,f1:int32,f2:string")],
        &[("spec", "f0:string,f1:string,f2:string,f3:string,f4:string")],
        &[("spec", "f0:int64,f3:boolean")],
        &[
            ("spec", "f1:float32"),
            ("replace.null.with.default", "false"),
        ],
        &[("spec", "f0:float64,f2:int16")],
        &[("spec", "string")],
        &[("spec", " INT64 ")],
        &[
            ("spec", "f0:boolean"),
            ("replace.null.with.default", "false"),
        ],
    ];
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 320))
}

/// Values at the edges of types, and texts of numbers.
fn values() -> Vec<(SchemaRef, Value)> {
    let plain = |value: Value, kind| (Schema::primitive(kind, false), value);
    let mut values = vec![
        (logical::date_schema(), Value::Date(19_782)),
        (logical::date_schema(), Value::Date(0)),
        (logical::time_schema(), Value::Time(45_296_789)),
        (
            logical::timestamp_schema(),
            Value::Timestamp(1_709_210_096_789),
        ),
        (logical::timestamp_schema(), Value::Timestamp(86_400_000)),
        (logical::timestamp_schema(), Value::Timestamp(-5)),
        plain(true.into(), Type::Boolean),
        plain(false.into(), Type::Boolean),
        plain(127i8.into(), Type::Int8),
        plain((-129i16).into(), Type::Int16),
        plain(70_000i32.into(), Type::Int32),
        plain(i32::MIN.into(), Type::Int32),
        plain(i64::MAX.into(), Type::Int64),
        plain((1i64 << 40 | 7).into(), Type::Int64),
        plain(
            tether_api::data::Bytes::from_static(b"\x00\xff").into(),
            Type::Bytes,
        ),
    ];
    for number in [
        0.0,
        -0.0,
        0.5,
        -1.5,
        1e20,
        -1e20,
        300.7,
        1e7,
        1e-5,
        f64::MAX,
    ] {
        values.push(plain(Value::Float64(number), Type::Float64));
        values.push(plain(Value::Float32(number as f32), Type::Float32));
    }
    for (unscaled, scale) in [
        (1299i128, 2),
        (-5, 1),
        (1 << 65 | 3, 0),
        (5, -3),
        (5, -70),
        (1, 400),
        (123_456_789_012_345_678_901_234_567_890, 10),
    ] {
        values.push((
            logical::decimal_schema(scale),
            Decimal::new(unscaled, scale).into(),
        ));
    }
    for text in [
        "",
        " ",
        "0",
        "-0",
        "+5",
        "127",
        "128",
        "-32769",
        "2147483648",
        "1.5",
        " 1",
        "1 ",
        "1e3",
        "1.5f",
        "1.5D",
        ".5",
        "5.",
        "NaNx",
        "Infinity",
        "-Infinity",
        "+1e400",
        "1e-400",
        "inf",
        "infinity",
        "true",
        "TRUE",
        "True ",
        "yes",
        "1_000",
        "1,000",
        "--1",
        "e",
        "99999999999999999999",
        "0x10",
        "3.4028236e38",
        "1.17549435E-38",
    ] {
        values.push(plain(text.into(), Type::String));
    }
    values
}

#[test]
fn values_at_the_edges_are_cast_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (schema, value) in values() {
        for kind in TYPES {
            let config = [("spec", kind)];
            compare(&mut verdicts, VALUE, &config, Some(&schema), &value)?;
            compare(&mut verdicts, VALUE, &config, None, &value)?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn fields_of_maps_are_cast_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (_, value) in values() {
        for kind in TYPES {
            let spec = format!("a:{kind}");
            let record = map_record(vec![("a", value.clone()), ("b", 1i8.into())]);
            compare_records(&mut verdicts, VALUE, &[("spec", &spec)], vec![record])?;
        }
    }
    let missing = map_record(vec![("b", 1i8.into())]);
    compare_records(&mut verdicts, VALUE, &[("spec", "a:int8")], vec![missing])?;
    verdicts.finish().map(drop)
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for spec in ["id:string", "at:string,id:int8,gone:int8", "note:boolean"] {
        compare_records(&mut verdicts, VALUE, &[("spec", spec)], changing_schemas())?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn defaults_are_cast_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (kind, optional, default) in [
        (Type::String, false, Value::from("12")),
        (Type::String, true, "x".into()),
        (Type::Int64, true, 500i64.into()),
        (Type::Float64, false, 2.5.into()),
    ] {
        let field = super::corpus::with_default(kind, optional, default);
        let schema = super::corpus::schema_of(&[("a", field.clone())]);
        let record = super::corpus::struct_record(&schema, vec![Value::Null]);
        for replace in ["true", "false"] {
            for kind in TYPES {
                let spec = format!("a:{kind}");
                let config = [("spec", &*spec), ("replace.null.with.default", replace)];
                compare_records(&mut verdicts, VALUE, &config, vec![record.clone()])?;
                let whole = [("spec", kind), ("replace.null.with.default", replace)];
                let value = field.default_value().cloned().unwrap_or_default();
                compare(&mut verdicts, VALUE, &whole, Some(&field), &value)?;
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        VALUE,
        &[
            &[],
            &[("spec", "")],
            &[("spec", "int8")],
            &[("spec", "a:int8,int8")],
            &[("spec", "int8,int16")],
            &[("spec", "int8,a:int8")],
            &[("spec", "a:b:c")],
            &[("spec", "a:foo")],
            &[("spec", " foo ")],
            &[("spec", "a:")],
            &[("spec", ":int8")],
            &[("spec", "a:int8,")],
            &[("spec", "bytes")],
            &[("spec", "a:struct")],
            &[("spec", "a : Int8 , b:STRING")],
            &[("spec", "int8"), ("replace.null.with.default", "perhaps")],
        ],
    )
}

#[test]
fn tombstones_pass() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let schema = Schema::primitive(Type::Int64, true);
    let records = vec![
        ConnectRecord::new("t"),
        ConnectRecord::new("t").value(Some(schema.clone()), Value::Null),
        ConnectRecord::new("t").value(Some(schema), 5i64),
    ];
    compare_records(&mut verdicts, VALUE, &[("spec", "int8")], records)?;
    verdicts.finish().map(drop)
}
