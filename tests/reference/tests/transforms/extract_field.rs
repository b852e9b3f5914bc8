//! `ExtractField`.

use tether_api::data::{SchemaBuilder, Struct, Type, Value};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{
    any_part, changing_schemas, compare_configs, compare_generated, map, map_record, plain,
    records, schema_of, struct_record, with_default,
};

const KEY: &str = "org.apache.kafka.connect.transforms.ExtractField$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.ExtractField$Value";

#[test]
fn generated_records_are_extracted_alike() -> anyhow::Result<()> {
    let configs: [Config<'_>; 5] = [
        &[("field", "f0")],
        &[("field", "f1"), ("replace.null.with.default", "false")],
        &[("field", "f0.f0"), ("field.syntax.version", "V2")],
        &[("field", "f1.f0"), ("field.syntax.version", "v2")],
        &[("field", "f0.f0")],
    ];
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 160))
}

fn nested() -> ConnectRecord {
    let leaf = schema_of(&[
        ("c.d", plain(Type::Int32, true)),
        ("`e", with_default(Type::String, true, "x")),
    ]);
    let optional = leaf.to_builder().optional().build();
    let inner = SchemaBuilder::structure()
        .optional()
        .field("b", optional.clone())
        .field("none", optional.clone())
        .build();
    let outer = schema_of(&[("a", inner.clone()), ("plain", plain(Type::Int8, false))]);
    let b = Struct::from_values(optional, vec![5i32.into(), Value::Null]).unwrap();
    let a = Struct::from_values(inner, vec![b.into(), Value::Null]).unwrap();
    struct_record(&outer, vec![a.into(), 1i8.into()])
}

#[test]
fn paths_lead_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let deep = map_record(vec![
        (
            "a",
            map(vec![
                ("b", map(vec![("c.d", 5i32.into()), ("`e", Value::Null)])),
                ("none", Value::Null),
                ("", 7i8.into()),
            ]),
        ),
        ("plain", 1i8.into()),
        ("a.b", "dotted".into()),
        ("", map(vec![("", 8i8.into())])),
    ]);
    for field in [
        "a",
        "a.b",
        "a.b.`c.d`",
        "a.b.c.d",
        "a.none.`c.d`",
        "a.b.`e",
        "a.b.``e`",
        "plain",
        "plain.x",
        "a.b.x",
        "x",
        "x.y",
        "a.x.y",
        "a.",
        ".",
        "`a.b`",
        "`a`.b",
        "a.`b",
        "`a`b`.c",
        r"`a\`.b`.c",
        r"`a\`",
        "a..b",
    ] {
        for version in ["V1", "V2"] {
            for replace in ["true", "false"] {
                let config = [
                    ("field", field),
                    ("field.syntax.version", version),
                    ("replace.null.with.default", replace),
                ];
                for record in [nested(), deep.clone()] {
                    compare_records(&mut verdicts, VALUE, &config, vec![record])?;
                }
            }
        }
    }
    verdicts.finish().map(drop)
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for field in ["id", "at", "name", "note"] {
        compare_records(
            &mut verdicts,
            VALUE,
            &[("field", field)],
            changing_schemas(),
        )?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        VALUE,
        &[
            &[],
            &[("field", "")],
            &[("field", "a"), ("field.syntax.version", "V3")],
            &[("field", "`a"), ("field.syntax.version", "V2")],
            &[("field", "`a"), ("field.syntax.version", "V1")],
            &[("field", "a"), ("replace.null.with.default", "x")],
        ],
    )
}
