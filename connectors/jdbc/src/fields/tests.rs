use tether_api::data::SchemaBuilder;

use super::*;
use crate::fixture::{config, int, record, struct_of, structure, text};

fn fields(
    entries: &[(&str, &str)],
    key: Option<&SchemaRef>,
    value: Option<&SchemaRef>,
) -> Result<Fields> {
    Fields::of(
        &config(entries),
        "topic",
        &TableId::named("t"),
        key,
        value.map(Row::value),
    )
}

fn names<'a>(fields: impl IntoIterator<Item = &'a SinkField>) -> Vec<&'a str> {
    fields.into_iter().map(|field| &*field.name).collect()
}

fn error(entries: &[(&str, &str)], key: Option<&SchemaRef>, value: Option<&SchemaRef>) -> String {
    fields(entries, key, value)
        .map(|_| ())
        .unwrap_err()
        .to_string()
}

fn value_schema() -> SchemaRef {
    structure(&[("a", int()), ("b", text()), ("c", text())])
}

#[test]
fn without_a_key_all_fields_are_written() {
    let found = fields(&[], None, Some(&value_schema())).unwrap();
    assert!(found.keys.is_empty());
    assert_eq!(names(&found.others), ["a", "b", "c"]);
    let found = fields(&[("fields.whitelist", "c,a")], None, Some(&value_schema())).unwrap();
    assert_eq!(names(&found.others), ["a", "c"]);
    let reason = error(&[("fields.whitelist", "x")], None, Some(&value_schema()));
    assert_eq!(
        reason,
        "No fields found using key and value schemas for table: t"
    );
    assert_eq!(
        error(&[], None, Some(&int())),
        "Value schema must be of type Struct or String"
    );
}

#[test]
fn coordinates_as_key() {
    let mode = ("pk.mode", "kafka");
    let found = fields(&[mode], None, Some(&value_schema())).unwrap();
    assert_eq!(names(&found.keys), KAFKA_KEY_COLUMNS);
    assert_eq!(
        names(found.in_table_order()),
        [
            "__connect_topic",
            "__connect_partition",
            "__connect_offset",
            "a",
            "b",
            "c"
        ]
    );
    let found = fields(&[mode, ("pk.fields", "z,y,x")], None, Some(&value_schema())).unwrap();
    assert_eq!(names(found.all()), ["z", "y", "x", "a", "b", "c"]);
    assert_eq!(
        names(found.in_table_order()),
        ["a", "b", "c", "x", "y", "z"]
    );
    let reason = error(&[mode, ("pk.fields", "x,y")], None, Some(&value_schema()));
    assert_eq!(
        reason,
        "PK mode for table 't' is KAFKA so there should either be no field names defined for \
         defaults [__connect_topic, __connect_partition, __connect_offset] to be applicable, or \
         exactly 3, defined fields are: [x, y]"
    );
    let row = record(7, (None, Value::Null), (Some(&value_schema()), Value::Null));
    let values: Vec<_> = found
        .keys
        .iter()
        .map(|key| key.value(&row).unwrap().into_owned())
        .collect();
    assert_eq!(
        values,
        [Value::from("topic"), Value::Int32(0), Value::Int64(7)]
    );
}

#[test]
fn primitive_key() {
    let mode = ("pk.mode", "record_key");
    let found = fields(
        &[mode, ("pk.fields", "id")],
        Some(&text()),
        Some(&value_schema()),
    )
    .unwrap();
    assert_eq!(names(&found.keys), ["id"]);
    // A key column is never null, whatever its schema says.
    assert!(!found.keys[0].is_optional());
    assert_eq!(names(found.in_table_order()), ["a", "b", "c", "id"]);
    for wrong in ["", "x,y"] {
        let reason = error(
            &[mode, ("pk.fields", wrong)],
            Some(&int()),
            Some(&value_schema()),
        );
        assert!(reason.starts_with(
            "Need exactly one PK column defined since the key schema for records is a primitive \
             type, defined columns are: ["
        ));
    }
    let reason = error(&[mode], None, Some(&value_schema()));
    assert_eq!(
        reason,
        "PK mode for table 't' is RECORD_KEY, but record key schema is missing"
    );
    let array = SchemaBuilder::array(int()).build();
    let reason = error(&[mode], Some(&array), Some(&value_schema()));
    assert_eq!(
        reason,
        "Key schema must be primitive type or Struct, but is of type: ARRAY"
    );
}

#[test]
fn struct_key() {
    let mode = ("pk.mode", "record_key");
    let key = structure(&[("k2", int()), ("k1", int()), ("b", text())]);
    let found = fields(&[mode], Some(&key), Some(&value_schema())).unwrap();
    assert_eq!(names(found.all()), ["k2", "k1", "b", "a", "c"]);
    assert_eq!(names(found.in_table_order()), ["a", "b", "c", "k1", "k2"]);
    assert_eq!(found.keys[2].source, Source::KeyField(2));
    let found = fields(
        &[mode, ("pk.fields", "k1,k1")],
        Some(&key),
        Some(&value_schema()),
    )
    .unwrap();
    assert_eq!(names(found.all()), ["k1", "a", "b", "c"]);
    let reason = error(
        &[mode, ("pk.fields", "k1,x")],
        Some(&key),
        Some(&value_schema()),
    );
    assert_eq!(
        reason,
        "PK mode for table 't' is RECORD_KEY with configured PK fields [k1, x], but record key \
         schema does not contain field: x"
    );
    // A deletion needs nothing but the key.
    assert_eq!(
        names(fields(&[mode], Some(&key), None).unwrap().all()),
        ["k2", "k1", "b"]
    );
}

#[test]
fn key_within_the_value() {
    let mode = ("pk.mode", "record_value");
    let found = fields(&[mode, ("pk.fields", "b")], None, Some(&value_schema())).unwrap();
    assert_eq!(names(found.all()), ["b", "a", "c"]);
    assert_eq!(names(found.in_table_order()), ["a", "b", "c"]);
    let found = fields(&[mode], None, Some(&value_schema())).unwrap();
    assert!(found.others.is_empty());
    let found = fields(
        &[mode, ("pk.fields", "a"), ("fields.whitelist", "c")],
        None,
        Some(&value_schema()),
    );
    assert_eq!(names(found.unwrap().all()), ["a", "c"]);
    let reason = error(&[mode, ("pk.fields", "x")], None, Some(&value_schema()));
    assert!(reason.ends_with("but record value schema does not contain field: x"));
    let reason = error(&[mode], None, None);
    assert_eq!(
        reason,
        "PK mode for table 't' is RECORD_VALUE, but record value schema is missing"
    );
    let reason = error(&[mode], None, Some(&text()));
    assert_eq!(
        reason,
        "pk.mode record_value is not supported with String value schemas"
    );
}

#[test]
fn a_text_value_has_one_column() {
    let found = fields(&[], None, Some(&text())).unwrap();
    assert_eq!(names(found.all()), ["record_value"]);
    assert!(found.others[0].is_optional());
    let entries = [
        ("pk.mode", "record_key"),
        ("pk.fields", "v"),
        ("string.output.value.column.name", "v"),
    ];
    assert_eq!(
        error(&entries, Some(&int()), Some(&text())),
        "Configured string.output.value.column.name 'v' conflicts with a primary key column for \
         table 't'"
    );
}

#[test]
fn defaults_stand_in_for_null() {
    let with_default = Schema::builder(Type::String)
        .optional()
        .default_value("x".into())
        .build();
    let schema = structure(&[("a", with_default)]);
    let row = record(
        0,
        (None, Value::Null),
        (Some(&schema), struct_of(&schema, vec![Value::Null])),
    );
    for (setting, expected) in [("true", Value::from("x")), ("false", Value::Null)] {
        let found = fields(
            &[("replace.null.with.default", setting)],
            None,
            Some(&schema),
        )
        .unwrap();
        assert_eq!(*found.others[0].value(&row).unwrap(), expected);
        let found = fields(
            &[
                ("replace.null.with.default", setting),
                ("pk.mode", "record_value"),
            ],
            None,
            Some(&schema),
        );
        assert_eq!(
            *found.unwrap().keys[0].value(&row).unwrap(),
            Value::from("x")
        );
    }
}

#[test]
fn epoch_fields_are_plain_integers_and_texts() {
    let timestamp = tether_api::data::logical::timestamp_schema();
    let long = Schema::primitive(Type::Int64, false);
    let schema = structure(&[
        ("a", long),
        ("b", text()),
        ("c", int()),
        ("d", timestamp),
        ("e", text()),
    ]);
    let found = fields(&[("timestamp.fields.list", "a,b,c,d")], None, Some(&schema)).unwrap();
    let flags: Vec<_> = found.others.iter().map(|field| field.is_epoch).collect();
    assert_eq!(flags, [true, true, false, false, false]);
}

#[test]
fn fields_are_shown_as_the_reference_does() {
    let found = fields(&[], None, Some(&value_schema())).unwrap();
    assert_eq!(
        shown(&[&found.others[0]]),
        "[SinkRecordField{schema=Schema{INT32}, name='a', isPrimaryKey=false}]"
    );
}
