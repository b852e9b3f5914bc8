use tether_api::data::{MapValue, SchemaRef};

use super::*;
use crate::fixture::{config, int, record, struct_of, structure, text};

fn value_schema() -> SchemaRef {
    structure(&[("a", int())])
}

fn value() -> Value {
    struct_of(&value_schema(), vec![Value::Int32(1)])
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Struct,
    Text,
    Number,
    Null,
    Schemaless,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Struct,
        Self::Text,
        Self::Number,
        Self::Null,
        Self::Schemaless,
    ];

    fn data(self) -> (Option<SchemaRef>, Value) {
        match self {
            Self::Struct => (Some(value_schema()), value()),
            Self::Text => (Some(text()), "x".into()),
            Self::Number => (Some(int()), Value::Int32(1)),
            Self::Null => (None, Value::Null),
            Self::Schemaless => (None, Value::from(MapValue::default())),
        }
    }
}

fn outcome(entries: &[(&str, &str)], key: Part, value: Part) -> Result<Intent, String> {
    let ((key_schema, key), (schema, value)) = (key.data(), value.data());
    let mut record = record(3, (key_schema.as_ref(), key), (schema.as_ref(), value));
    record.record.timestamp = Some(5);
    checked(&config(entries), &record).map_err(|error| error.to_string())
}

fn checked(config: &SinkConfig, record: &SinkRecord) -> Result<Intent> {
    let schema = record.record.value_schema.as_ref();
    let shape = schema.map_or(Shape::Row, |schema| {
        change_event::Shape::of(&config.values, schema)
    });
    check(config, shape, record)
}

#[test]
fn every_mode_and_shape() {
    type Case<'a> = (&'a [(&'a str, &'a str)], bool, bool);
    let modes: [Case; 5] = [
        (&[("pk.mode", "none")], false, false),
        (&[("pk.mode", "kafka")], false, false),
        (&[("pk.mode", "record_value")], false, false),
        (&[("pk.mode", "record_key")], true, false),
        (
            &[("pk.mode", "record_key"), ("delete.enabled", "true")],
            true,
            true,
        ),
    ];
    for (entries, needs_key, deletes) in modes {
        for key in Part::ALL {
            for value in Part::ALL {
                let has_key = matches!(key, Part::Struct | Part::Text | Part::Number);
                let expected = match value {
                    _ if needs_key && !has_key => None,
                    Part::Struct | Part::Text => Some(Intent::Write),
                    Part::Null if deletes => Some(Intent::Delete),
                    Part::Null | Part::Number | Part::Schemaless => None,
                };
                let found = outcome(entries, key, value).ok();
                assert_eq!(found, expected, "{entries:?} {key:?} {value:?}");
            }
        }
    }
}

#[test]
fn texts_are_the_references() {
    let tombstone = outcome(&[], Part::Null, Part::Null).unwrap_err();
    assert!(
        tombstone.starts_with(
            "Sink connector 'sink' is configured with 'delete.enabled=false' and 'pk.mode=none' \
             and therefore requires records with a non-null Struct or String value and non-null \
             Struct or String schema, but found record at \
             (topic='topic',partition=0,offset=3,timestamp=5) with a null value and null value \
             schema."
        ),
        "{tombstone}"
    );
    let schemaless = outcome(&[], Part::Null, Part::Schemaless).unwrap_err();
    assert!(
        schemaless.contains("with a HashMap value and null value schema."),
        "{schemaless}"
    );
    let number = outcome(&[], Part::Null, Part::Number).unwrap_err();
    assert!(
        number.contains("with a Integer value and int32 value schema."),
        "{number}"
    );
    let key = outcome(&[("pk.mode", "record_key")], Part::Null, Part::Struct).unwrap_err();
    assert_eq!(
        key,
        "Sink connector 'sink' is configured with 'delete.enabled=false' and 'pk.mode=record_key' \
         and therefore requires records with a non-null key and non-null Struct or primitive key \
         schema, but found record at (topic='topic',partition=0,offset=3,timestamp=5) with a null \
         key and null key schema."
    );
}

#[test]
fn text_values_and_field_options_exclude_each_other() {
    let entries = [("fields.whitelist", "a"), ("timestamp.fields.list", "b")];
    assert_eq!(
        outcome(&entries, Part::Null, Part::Text).unwrap_err(),
        "Sink connector 'sink' is configured with field-level options that are not applicable to \
         String values: fields.whitelist, timestamp.fields.list. Remove these options, or have \
         the upstream producer emit Struct values instead."
    );
    assert_eq!(
        outcome(&entries, Part::Null, Part::Struct),
        Ok(Intent::Write)
    );
}

#[test]
fn a_struct_of_another_schema_is_refused() {
    let other = structure(&[("b", int())]);
    let row = record(0, (None, Value::Null), (Some(&other), value()));
    assert!(checked(&config(&[]), &row).is_err());
    let equal = value_schema();
    let row = record(0, (None, Value::Null), (Some(&equal), value()));
    assert!(checked(&config(&[]), &row).is_ok());
}
