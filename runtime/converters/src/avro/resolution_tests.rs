//! Data of one schema as that of another.

use proptest::prelude::*;
use tether_api::data::{SchemaBuilder, Struct, Type, Value};
use tether_api::testing::data::{Features, data};

use super::binary::Input;
use super::decode::ReadPlan;
use super::from_connect::from_connect;
use super::fuzz::{self, OPTIONS};
use super::schema::Parser;
use super::tests::{Fixture, primitive, record};
use super::to_connect::{UnionNumbers, to_connect};

#[test]
fn fields_are_written_by_name_and_defaults_are_added() {
    let fixture = Fixture::new(&[
        ("auto.register.schemas", "false"),
        ("use.latest.version", "true"),
    ]);
    fixture.register(
        "t-value",
        concat!(
            r#"{"type":"record","name":"a.R","fields":["#,
            r#"{"name":"d","type":{"type":"array","items":["int","string"]},"default":[1,2]},"#,
            r#"{"name":"y","type":"string"},{"name":"x","type":"long"}]}"#
        ),
        Vec::new(),
    );
    let schema = SchemaBuilder::structure()
        .name("a.R")
        .field("x", primitive(Type::Int32))
        .field("gone", primitive(Type::Int32))
        .field("y", primitive(Type::String))
        .build();
    let values = vec![3i32.into(), 9i32.into(), "y".into()];
    let value = Struct::from_values(schema.clone(), values).unwrap().into();
    let bytes = fixture.write(Some(&schema), &value).unwrap().unwrap();
    assert_eq!(bytes[5..], [4, 0, 2, 0, 4, 0, 2, b'y', 6]);
}

#[test]
fn data_is_read_as_the_latest_schema() {
    let fixture = Fixture::new(&[("use.latest.version", "true")]);
    let written = concat!(
        r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":"int"},"#,
        r#"{"name":"gone","type":["null",{"type":"map","values":"a.R"}]},"#,
        r#"{"name":"y","type":"string"}]}"#
    );
    let id = fixture.register("t-value", written, Vec::new());
    fixture.register(
        "t-value",
        concat!(
            r#"{"type":"record","name":"a.R","fields":[{"name":"y","type":"string"},"#,
            r#"{"name":"d","type":"int","default":7},"#,
            r#"{"name":"x","type":["null","string","double"],"default":null}]}"#
        ),
        Vec::new(),
    );
    let data = [6, 2, 2, 2, b'k', 2, 0, 2, b'z', 0, 2, b'y'];
    let read = fixture.read(&record(id, &data)).unwrap();
    let value = read.value.as_struct().unwrap();
    assert_eq!(value.get("y"), Some(&"y".into()));
    assert_eq!(value.get("d"), Some(&7i32.into()));
    let union = value.get("x").unwrap().as_struct().unwrap();
    assert_eq!(union.get("double"), Some(&3.0f64.into()));
    // What is not there is no more readable as something else than before.
    assert!(fixture.read(&record(id, &data[..4])).is_err());
}

proptest! {
    #[test]
    fn data_is_read_as_its_own_schema_as_without_another(
        (schema, value) in data(Features { metadata: true, any_keys: true, ..Features::PLAIN }),
    ) {
        let fixture = Fixture::new(&[("ignore.default.for.nullables", "true")]);
        let schema = SchemaBuilder::structure().name("whole").field("x", schema).build();
        let value: Value = Struct::from_values(schema.clone(), vec![value]).unwrap().into();
        // Two types of one name are possible in Connect alone.
        let Ok(Some(bytes)) = fixture.write(Some(&schema), &value) else {
            return Ok(());
        };
        let avro = from_connect(Some(&schema), OPTIONS).unwrap();
        let avro = Parser::default().parse(&avro.to_text().unwrap()).unwrap();
        let schema = to_connect(&avro, Some(1), OPTIONS, &UnionNumbers::default()).unwrap().unwrap();
        prop_assert_eq!(avro.cannot_read(&avro), None);
        let plan = ReadPlan::new(&avro, Some(&schema), OPTIONS).unwrap();
        let resolved = ReadPlan::resolved(&avro, &avro, &schema, OPTIONS).unwrap();
        let read = |plan: &ReadPlan| plan.read(&mut Input::new(&bytes, 5));
        prop_assert_eq!(read(&plan), read(&resolved));
    }

    #[test]
    fn any_bytes_are_read_as_any_schema_or_refused(
        (written, _) in data(Features { any_keys: true, ..Features::PLAIN }),
        (wanted, _) in data(Features { any_keys: true, ..Features::PLAIN }),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let text = |schema| from_connect(Some(schema), OPTIONS).unwrap().to_text();
        if let (Ok(written), Ok(wanted)) = (text(&written), text(&wanted)) {
            fuzz::fuzz_resolve(&written, &wanted, &bytes);
        }
    }

    #[test]
    fn any_records_are_read_as_any_others_or_refused(
        fields in proptest::collection::vec((0..4usize, 0..TYPES.len(), any::<bool>()), 0..5),
        wanted in proptest::collection::vec((0..4usize, 0..TYPES.len(), any::<bool>()), 0..5),
        bytes in proptest::collection::vec(0..5u8, 0..40),
    ) {
        fuzz::fuzz_resolve(&record_of(&fields), &record_of(&wanted), &bytes);
    }
}

/// Types of fields with defaults.
const TYPES: [(&str, &str); 9] = [
    ("\"int\"", "1"),
    ("\"double\"", "1.5"),
    ("\"string\"", "\"s\""),
    (r#"["null","R"]"#, "null"),
    (r#"["int","string"]"#, "2"),
    (r#"["string","null","long"]"#, "\"t\""),
    (r#"{"type":"array","items":["null","R"]}"#, "[]"),
    (r#"{"type":"map","values":"long"}"#, r#"{"k":1}"#),
    (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, "\"B\""),
];

fn record_of(fields: &[(usize, usize, bool)]) -> String {
    let mut seen = std::collections::HashSet::new();
    let fields: Vec<String> = fields
        .iter()
        // Names of fields and enumerations are there once.
        .filter(|(name, kind, _)| seen.insert(*name) && (*kind != 8 || seen.insert(100)))
        .map(|(name, kind, with_default)| {
            let (kind, default) = TYPES[*kind];
            let default = if *with_default {
                format!(",\"default\":{default}")
            } else {
                String::new()
            };
            format!(r#"{{"name":"f{name}","type":{kind}{default}}}"#)
        })
        .collect();
    format!(
        r#"{{"type":"record","name":"R","fields":[{}]}}"#,
        fields.join(",")
    )
}
