use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tether_api::converter::{Decoded, Encoded};
use tether_api::data::{
    Bytes, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value,
};
use tether_api::testing::data::{Features, data};

use super::fuzz::{fuzz_data, fuzz_schema};
use super::*;
use crate::registry::{MemoryRegistry, SchemaReference, SchemaRegistry};

/// A converter with a registry of its own.
struct Fixture {
    converter: Arc<dyn Converter>,
    registry: Arc<MemoryRegistry>,
}

impl Fixture {
    fn new(config: &[(&str, &str)]) -> Self {
        static SCOPES: AtomicUsize = AtomicUsize::new(0);
        let scope = format!("json-schema-{}", SCOPES.fetch_add(1, Ordering::Relaxed));
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut config: ConfigMap = config.iter().map(owned).collect();
        config.insert("schema.registry.url".to_owned(), format!("mock://{scope}"));
        Self {
            converter: converter(&config, ConverterKind::Value).unwrap(),
            registry: MemoryRegistry::of_scope(&scope),
        }
    }

    fn write(&self, schema: &SchemaRef, value: &Value) -> Result<Option<Bytes>> {
        let mut out = Vec::new();
        let mut encoded = self
            .converter
            .from_connect("t", Some(schema), value, &mut out)?;
        if encoded == Encoded::Unprepared {
            assert!(out.is_empty());
            wait(self.converter.prepare_from_connect("t", Some(schema)))?;
            encoded = self
                .converter
                .from_connect("t", Some(schema), value, &mut out)?;
        }
        assert_ne!(encoded, Encoded::Unprepared);
        Ok((encoded == Encoded::Written).then(|| out.into()))
    }

    fn read(&self, bytes: &Bytes) -> Result<SchemaAndValue> {
        let mut decoded = self.converter.to_connect("t", Some(bytes))?;
        if decoded == Decoded::Unprepared {
            wait(self.converter.prepare_to_connect("t", bytes))?;
            decoded = self.converter.to_connect("t", Some(bytes))?;
        }
        match decoded {
            Decoded::Data(data) => Ok(data),
            Decoded::Unprepared => panic!("still unprepared"),
        }
    }

    fn register(&self, subject: &str, text: &str, references: Vec<SchemaReference>) -> i32 {
        let text = RegisteredText {
            kind: SchemaKind::Json,
            text: text.into(),
            references,
        };
        wait(self.registry.register(subject, &text, false)).unwrap()
    }

    fn registered(&self, id: i32) -> String {
        let text = wait(self.registry.by_id(None, id)).unwrap();
        text.text.to_string()
    }

    /// Reads data of a schema that is registered for it.
    fn read_as(&self, schema: &str, data: &str) -> Result<SchemaAndValue> {
        let id = self.register("t-value", schema, Vec::new());
        self.read(&record(id, data.as_bytes()))
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn record(id: i32, data: &[u8]) -> Bytes {
    [&[0], &id.to_be_bytes()[..], data].concat().into()
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        message = format!("{message} <- {next}");
        cause = next.source();
    }
    message
}

const LIST: &str = r##"{"title":"node","type":"object","properties":{
    "value":{"type":"integer","connect.index":0},
    "next":{"connect.index":1,"oneOf":[{"type":"null"},{"$ref":"#/definitions/node"}]}},
    "definitions":{"node":{"title":"node","type":"object","properties":{
        "value":{"type":"integer","connect.index":0},
        "next":{"connect.index":1,"oneOf":[{"type":"null"},{"$ref":"#/definitions/node"}]}}}}}"##;

#[test]
fn structs_may_contain_themselves() {
    let fixture = Fixture::new(&[]);
    let text = r#"{"value":1,"next":{"value":2,"next":{"value":3,"next":null}}}"#;
    let read = fixture.read_as(LIST, text).unwrap();
    let mut values = Vec::new();
    let mut place = &read.value;
    while let Some(node) = place.as_struct() {
        values.push(node.get("value").and_then(Value::as_i64).unwrap());
        place = node.get("next").unwrap();
    }
    assert_eq!(values, [1, 2, 3]);
    // They are written as they were, with a schema that refers to itself.
    let schema = read.schema.unwrap();
    let written = fixture.write(&schema, &read.value).unwrap().unwrap();
    assert_eq!(&written[5..], text.as_bytes());
    let id = i32::from_be_bytes(*written[1..].first_chunk().unwrap());
    let registered = fixture.registered(id);
    assert!(registered.contains(r##""$ref":"#id1""##), "{registered}");
}

#[test]
fn what_contains_itself_otherwise_is_refused() {
    let fixture = Fixture::new(&[]);
    for schema in [
        r##"{"type":"array","items":{"$ref":"#"}}"##,
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"type":"object","connect.type":"map","additionalProperties":{"$ref":"#"}}"##,
        r##"{"oneOf":[{"$ref":"#"},{"type":"string"}]}"##,
    ] {
        assert!(fixture.read_as(schema, "[]").is_err(), "{schema}");
    }
}

#[test]
fn schemas_that_grow_without_end_are_refused() {
    let fixture = Fixture::new(&[]);
    // Each definition is twice the next one.
    let mut definitions = String::new();
    for level in 0..40 {
        let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
        definitions += &format!(
            r#""d{level}":{{"oneOf":[{{"type":"array","items":{next}}},{{"type":"array","items":{next}}}]}},"#
        );
    }
    let schema = format!(
        r##"{{"definitions":{{{definitions}"d40":{{"type":"string"}}}},"type":"array","items":{{"$ref":"#/definitions/d0"}}}}"##
    );
    let refused = message(fixture.read_as(&schema, "[]"));
    assert!(refused.contains("more than"), "{refused}");
    let deep = format!("{}{{}}{}", r#"{"not":"#.repeat(5000), "}".repeat(5000));
    assert!(fixture.read_as(&deep, "1").is_err());
    let count = r#"{"type":"array","items":{"type":"string"},"minItems":99999999999999999999}"#;
    assert!(fixture.read_as(count, "[]").is_err());
}

#[test]
fn defaults_of_structs_are_read() {
    let fixture = Fixture::new(&[]);
    let schema = r#"{"type":"object","properties":{"o":{"type":"object","default":{"k":"v"},"properties":{"k":{"type":"string"}}}}}"#;
    let read = fixture.read_as(schema, "{}").unwrap();
    let inner = read.value.as_struct().unwrap().get("o").unwrap();
    assert_eq!(inner.as_struct().unwrap().get("k"), Some(&"v".into()));
}

#[test]
fn schemas_of_2019_are_read() {
    let fixture = Fixture::new(&[]);
    let schema = r##"{"$schema":"https://json-schema.org/draft/2019-09/schema","$defs":{"d":{"type":"integer","connect.type":"int8"}},"type":"array","items":{"$ref":"#/$defs/d"}}"##;
    let read = fixture.read_as(schema, "[1]").unwrap();
    assert_eq!(read.value, vec![Value::Int8(1)].into());
}

#[test]
fn referred_schemas_are_found() {
    let fixture = Fixture::new(&[]);
    fixture.register(
        "inner",
        r#"{"type":"integer","connect.type":"int16"}"#,
        Vec::new(),
    );
    let to = |name: &str, subject: &str| SchemaReference {
        name: name.to_owned(),
        subject: subject.to_owned(),
        version: 1,
    };
    let middle = r#"{"type":"array","items":{"$ref":"inner.json"}}"#;
    fixture.register("middle", middle, vec![to("inner.json", "inner")]);
    let outer = r#"{"type":"object","properties":{"l":{"$ref":"middle.json"}}}"#;
    let id = fixture.register("t-value", outer, vec![to("middle.json", "middle")]);
    let read = fixture.read(&record(id, br#"{"l":[7]}"#)).unwrap();
    let list = read.value.as_struct().unwrap().get("l");
    assert_eq!(list, Some(&vec![Value::Int16(7)].into()));
    let missing = message(fixture.read_as(r#"{"$ref":"nowhere.json"}"#, "1"));
    assert!(
        missing.contains("nowhere.json, which is neither"),
        "{missing}"
    );
}

#[test]
fn other_schemas_are_written_with() {
    let schema = SchemaBuilder::structure()
        .field("a", Schema::primitive(Type::Int32, false))
        .build();
    let value = Struct::from_values(schema.clone(), vec![1i32.into()]).unwrap();
    let latest = Fixture::new(&[
        ("auto.register.schemas", "false"),
        ("use.latest.version", "true"),
    ]);
    let text = r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#;
    let id = latest.register("t-value", text, Vec::new());
    let written = latest.write(&schema, &value.clone().into()).unwrap();
    assert_eq!(written, Some(record(id, br#"{"a":1}"#)));
    let unregistered = Fixture::new(&[("auto.register.schemas", "false")]);
    let refused = message(unregistered.write(&schema, &value.into()));
    assert!(
        refused.contains("Error retrieving JSON schema"),
        "{refused}"
    );
}

#[test]
fn what_does_not_match_is_not_written() {
    let fixture = Fixture::new(&[
        ("auto.register.schemas", "false"),
        ("use.latest.version", "true"),
        ("json.fail.invalid.schema", "true"),
    ]);
    let text = r#"{"type":"object","properties":{"a":{"type":"integer","minimum":5}}}"#;
    fixture.register("t-value", text, Vec::new());
    let schema = SchemaBuilder::structure()
        .field("a", Schema::primitive(Type::Int32, false))
        .build();
    let of = |number: i32| Struct::from_values(schema.clone(), vec![number.into()]).unwrap();
    assert!(fixture.write(&schema, &of(5).into()).is_ok());
    let refused = message(fixture.write(&schema, &of(4).into()));
    assert!(refused.contains("a: it is less than minimum"), "{refused}");
}

#[test]
fn foreign_records_are_refused() {
    let fixture = Fixture::new(&[]);
    let id = fixture.register("t-value", r#"{"type":"string"}"#, Vec::new());
    for (bytes, expected) in [
        (Bytes::from_static(b""), "0 bytes"),
        (Bytes::from_static(b"{}"), "Unknown magic byte!"),
        (record(id, b""), "no JSON after the schema id"),
        (record(id, b"\"\xff\""), "Invalid UTF-8"),
        (record(id, b"nope"), "Unexpected character"),
        (record(99, b"1"), "Error retrieving JSON schema for id 99"),
    ] {
        let refused = message(fixture.read(&bytes));
        assert!(refused.contains(expected), "{refused}");
    }
    let text = RegisteredText {
        kind: SchemaKind::Avro,
        text: "\"string\"".into(),
        references: Vec::new(),
    };
    let avro = wait(fixture.registry.register("t-value", &text, false)).unwrap();
    let refused = message(fixture.read(&record(avro, b"1")));
    assert!(refused.contains("AVRO and not JSON"), "{refused}");
}

proptest! {
    #[test]
    fn data_reads_back((schema, value) in data(Features::PLAIN)) {
        let whole = SchemaBuilder::structure().name("whole").field("x", schema).build();
        let value: Value = Struct::from_values(whole.clone(), vec![value]).unwrap().into();
        let fixture = Fixture::new(&[]);
        let written = fixture.write(&whole, &value)?.unwrap();
        let read = fixture.read(&written)?;
        // What was read has the version of the registry, and is written alike.
        let schema = read.schema.unwrap();
        prop_assert_eq!(schema.version(), Some(1));
        let again = fixture.write(&schema, &read.value)?.unwrap();
        prop_assert_eq!(&again[5..], &written[5..]);
    }

    #[test]
    fn any_record_is_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..60)) {
        let fixture = Fixture::new(&[]);
        let _ = fixture.read(&Bytes::from(data.clone()));
        let _ = fixture.read_as(LIST, &String::from_utf8_lossy(&data));
    }

    #[test]
    fn any_text_is_a_schema_or_not(
        keywords in proptest::collection::vec(
            proptest::sample::select(vec![
                r#""type":"object""#, r#""type":"string""#, r#""type":["integer","null"]"#,
                r#""items":{"type":"number"}"#, r#""items":[{}]"#, r##""$ref":"#/definitions/a""##,
                r##""$ref":"#""##, r#""enum":["a",1,null]"#, r#""const":1"#,
                r#""oneOf":[{"type":"null"},{"type":"string"}]"#,
                r##""allOf":[{"$ref":"#/definitions/a"}]"##, r#""anyOf":[]"#,
                r##""properties":{"a":{"type":"integer"},"b":{"$ref":"#"}}"##,
                r##""definitions":{"a":{"type":"object","properties":{"x":{"$ref":"#/definitions/a"}}}}"##,
                r#""default":{"a":1}"#, r#""title":"t""#, r#""connect.type":"map""#,
                r#""additionalProperties":{"type":"string"}"#, r#""required":["a"]"#,
                r#""$schema":"https://json-schema.org/draft/2020-12/schema""#,
                r#""$schema":"http://json-schema.org/draft-04/schema#""#, r#""not":{}"#,
                r#""connect.index":3"#, r#""minimum":1e999999999"#, r#""pattern":"^(a+)+$""#,
            ]),
            0..6,
        ),
        data in "[\\[\\]{}:,\"ab0-9.e truefalsn]{0,40}",
    ) {
        let schema = format!("{{{}}}", keywords.join(","));
        fuzz_schema(&schema);
        fuzz_data(&schema, &data);
    }
}
