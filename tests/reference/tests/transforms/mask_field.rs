//! `MaskField`.

use tether_api::data::{Decimal, Schema, SchemaRef, Type, Value, logical};
use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{
    any_part, changing_schemas, compare_configs, compare_generated, map_record, records, schema_of,
    struct_record,
};

const KEY: &str = "org.apache.kafka.connect.transforms.MaskField$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.MaskField$Value";

#[test]
fn generated_records_are_masked_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 5] = [
        &[("fields", "f0,f1")],
        &[("fields", "f0"), ("replacement", "***")],
        &[("fields", "f1"), ("replacement", "-12.75")],
        &[("fields", "f2,x"), ("replace.null.with.default", "false")],
        &[("fields", "f2"), ("replacement", "300")],
    ];
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 200))
}

#[test]
fn replacements_are_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let plain = |value: Value, kind| (Schema::primitive(kind, false), value);
    let values: Vec<(SchemaRef, Value)> = vec![
        plain(1i8.into(), Type::Int8),
        plain(1i16.into(), Type::Int16),
        plain(1i32.into(), Type::Int32),
        plain(1i64.into(), Type::Int64),
        plain(1f32.into(), Type::Float32),
        plain(1f64.into(), Type::Float64),
        plain("x".into(), Type::String),
        plain(true.into(), Type::Boolean),
        (logical::decimal_schema(2), Decimal::new(123, 2).into()),
        (logical::date_schema(), Value::Date(5)),
        (logical::time_schema(), Value::Time(5)),
        (logical::timestamp_schema(), Value::Timestamp(5)),
    ];
    for (schema, value) in values {
        let schema = schema_of(&[("a", schema)]);
        for replacement in [
            "x",
            "0",
            "-1",
            "300",
            "1.5",
            "1e3",
            "1e400",
            "99999999999999999999",
            " 7 ",
            "1e-5",
            "+5",
            "0x1",
            "NaN",
            "1E+20",
            "é",
        ] {
            let config = [("fields", "a"), ("replacement", replacement)];
            let structure = struct_record(&schema, vec![value.clone()]);
            let map = map_record(vec![("a", value.clone())]);
            compare_records(&mut verdicts, VALUE, &config, vec![structure])?;
            compare_records(&mut verdicts, VALUE, &config, vec![map])?;
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let config = [("fields", "id,note,at")];
    compare_records(&mut verdicts, VALUE, &config, changing_schemas())?;
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        VALUE,
        &[
            &[],
            &[("fields", "")],
            &[("fields", "a,")],
            &[("fields", "a"), ("replacement", "")],
            &[("fields", "a"), ("replacement", " ")],
            &[("fields", "a,a")],
        ],
    )
}
