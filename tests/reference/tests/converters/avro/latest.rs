//! Data that is written with, and read as, the latest schema of its subject.

use tether_api::data::{Schema, SchemaBuilder, Struct, Type, Value};
use tether_reference_tests::Config;

use super::Side;

/// Schemas of records, data of them, and later schemas that it is read as.
const EVOLVED: &[(&str, &[u8], &str)] = &[
    // A field more, and one less.
    (
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"y","type":"string"}]}"#,
        &[2, 2, b'y'],
        r#"{"type":"record","name":"R","fields":[{"name":"z","type":["null","long"],"default":null},{"name":"x","type":"int"},{"name":"d","type":"string","default":"dd"}]}"#,
    ),
    // Other numbers, and text as bytes.
    (
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"},{"name":"c","type":"long"},{"name":"d","type":"float"},{"name":"e","type":"string"},{"name":"f","type":"bytes"}]}"#,
        &[2, 4, 6, 0, 0, 0xc0, 0x3f, 2, b'e', 2, b'f'],
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"double"},{"name":"c","type":"float"},{"name":"d","type":"double"},{"name":"e","type":"bytes"},{"name":"f","type":"string"}]}"#,
    ),
    // From and to unions.
    (
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","int"]},{"name":"c","type":["int","string"]},{"name":"d","type":"int"}]}"#,
        &[2, 2, 4, 2, 2, b'c', 8],
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","int"]},{"name":"b","type":"int"},{"name":"c","type":["string","null","long"]},{"name":"d","type":["string","long"]}]}"#,
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":["null","int"]}]}"#,
        &[0],
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":"int"}]}"#,
    ),
    // Nested records, of which some are gone.
    (
        r#"{"type":"record","name":"R","fields":[{"name":"gone","type":{"type":"array","items":{"type":"record","name":"G","fields":[{"name":"g","type":{"type":"map","values":"int"}},{"name":"again","type":["null","G"]}]}}},{"name":"n","type":{"type":"record","name":"N","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}},{"name":"x","type":{"type":"enum","name":"E","symbols":["A","B"]}}]}"#,
        &[2, 2, 2, b'k', 2, 0, 2, 0, 0, 0, 2, 4, 2],
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":["B","C"],"default":"C"}},{"name":"n","type":["null",{"type":"record","name":"N","fields":[{"name":"b","type":"int"},{"name":"c","type":"int","default":3}]}],"default":null}]}"#,
    ),
    // What cannot be read.
    (
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}"#,
        &[2],
        r#"{"type":"record","name":"R","fields":[{"name":"y","type":"int"}]}"#,
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"string"}]}"#,
        &[2, b'x'],
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}"#,
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":["A","B"]}}]}"#,
        &[0],
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":["B"]}}]}"#,
    ),
];

#[test]
fn data_is_read_as_the_latest_schema_alike() -> anyhow::Result<()> {
    let latest = ("use.latest.version", "true");
    let configs: [Config<'_>; 2] = [
        &[latest],
        &[latest, ("enhanced.avro.schema.support", "true")],
    ];
    for (written, data, read_as) in EVOLVED {
        // A subject of its own for each, and the versions in their order.
        let mut side = Side::new()?;
        let record = side.record(written, data)?;
        side.registry.register("t-value", read_as);
        for config in configs {
            side.compare_read(config, Some(&record))?;
        }
        side.finish()?;
    }
    Ok(())
}

#[test]
fn data_is_written_with_the_latest_schema_alike() -> anyhow::Result<()> {
    let schema = SchemaBuilder::structure()
        .name("R")
        .field("x", Schema::primitive(Type::Int32, false))
        .field("y", Schema::primitive(Type::String, true))
        .build();
    let value: Value = Struct::from_values(schema.clone(), vec![1i32.into(), "y".into()])
        .unwrap()
        .into();
    let latest = [
        // The same fields, in the same order: the reference goes by place.
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"y","type":["null","string"],"default":null}]}"#,
        r#"{"type":"record","name":"R","doc":"d","fields":[{"name":"x","type":["null","int"]},{"name":"y","type":["null","string"]}]}"#,
        // These do not fit.
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"string"},{"name":"y","type":["null","string"]}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"y","type":["null","string"]},{"name":"z","type":"int"}]}"#,
    ];
    let unregistering = ("auto.register.schemas", "false");
    for (index, text) in latest.iter().enumerate() {
        let mut side = Side::new()?;
        side.registry.register("t-value", text);
        for more in [("use.latest.version", "true"), ("use.schema.id", "1")] {
            // A field that is left out is not written by either; the reference
            // writes what is at its place.
            if index != 2 {
                side.compare_written(&[unregistering, more], Some(&schema), &value)?;
            }
        }
        side.finish()?;
    }
    Ok(())
}
