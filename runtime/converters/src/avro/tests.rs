use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::converter::{Decoded, Encoded};
use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Text, Type,
    Value, logical,
};
use tether_api::testing::data::{Features, data};

use super::*;
use crate::registry::{
    MemoryRegistry, RegisteredText, SchemaKind, SchemaReference, SchemaRegistry,
};

/// A converter with a registry of its own.
pub(super) struct Fixture {
    converter: Arc<dyn Converter>,
    registry: Arc<MemoryRegistry>,
}

impl Fixture {
    pub(super) fn new(config: &[(&str, &str)]) -> Self {
        static SCOPES: AtomicUsize = AtomicUsize::new(0);
        let scope = format!("avro-tests-{}", SCOPES.fetch_add(1, Ordering::Relaxed));
        Self::of_scope(&scope, config)
    }

    fn of_scope(scope: &str, config: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut config: ConfigMap = config.iter().map(owned).collect();
        config.insert("schema.registry.url".to_owned(), format!("mock://{scope}"));
        Self {
            converter: converter(&config, ConverterKind::Value).unwrap(),
            registry: MemoryRegistry::of_scope(scope),
        }
    }

    pub(super) fn write(&self, schema: Option<&SchemaRef>, value: &Value) -> Result<Option<Bytes>> {
        let mut out = Vec::new();
        let mut encoded = self.converter.from_connect("t", schema, value, &mut out)?;
        if encoded == Encoded::Unprepared {
            assert!(out.is_empty());
            wait(self.converter.prepare_from_connect("t", schema))?;
            encoded = self.converter.from_connect("t", schema, value, &mut out)?;
        }
        assert_ne!(encoded, Encoded::Unprepared);
        Ok((encoded == Encoded::Written).then(|| out.into()))
    }

    pub(super) fn read(&self, bytes: &Bytes) -> Result<SchemaAndValue> {
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

    /// Registers a schema under a subject.
    pub(super) fn register(
        &self,
        subject: &str,
        text: &str,
        references: Vec<SchemaReference>,
    ) -> i32 {
        let text = RegisteredText {
            kind: SchemaKind::Avro,
            text: text.into(),
            references,
        };
        wait(self.registry.register(subject, &text, false)).unwrap()
    }

    /// Reads data of a schema that is registered for it.
    fn read_as(&self, schema: &str, data: &[u8]) -> Result<SchemaAndValue> {
        let id = self.register("t-value", schema, Vec::new());
        self.read(&record(id, data))
    }

    fn registered(&self, id: i32) -> String {
        let text = wait(self.registry.by_id(None, id)).unwrap();
        text.text.to_string()
    }
}

pub(super) fn record(id: i32, data: &[u8]) -> Bytes {
    [&[0], &id.to_be_bytes()[..], data].concat().into()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

pub(super) fn primitive(kind: Type) -> SchemaRef {
    Schema::primitive(kind, false)
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn records_begin_with_a_zero_and_the_id() {
    let fixture = Fixture::new(&[]);
    let string = primitive(Type::String);
    let bytes = fixture.write(Some(&string), &"ab".into()).unwrap().unwrap();
    assert_eq!(&bytes[..], [0, 0, 0, 0, 1, 4, 0x61, 0x62]);
    let raw = Bytes::from_static(&[1, 2]);
    let bytes = primitive(Type::Bytes);
    let bytes = fixture
        .write(Some(&bytes), &raw.clone().into())
        .unwrap()
        .unwrap();
    assert_eq!(&bytes[..], [0, 0, 0, 0, 2, 1, 2]);
    assert_eq!(fixture.read(&bytes).unwrap().value, raw.into());
}

#[test]
fn null_is_no_record() {
    let fixture = Fixture::new(&[]);
    let optional = Schema::primitive(Type::String, true);
    assert_eq!(fixture.write(Some(&optional), &Value::Null).unwrap(), None);
    assert_eq!(fixture.write(None, &Value::Null).unwrap(), None);
    let required = primitive(Type::String);
    assert_eq!(
        message(fixture.write(Some(&required), &Value::Null)),
        "Found null value for non-optional schema"
    );
    let decoded = fixture.converter.to_connect("t", None).unwrap();
    assert_eq!(decoded, Decoded::Data(SchemaAndValue::NULL));
}

#[test]
fn what_is_no_record_is_refused() {
    let fixture = Fixture::new(&[]);
    let read = |bytes: &'static [u8]| message(fixture.read(&Bytes::from_static(bytes)));
    let prefix = "Failed to deserialize data for topic t to Avro: ";
    assert_eq!(read(&[1]), format!("{prefix}: Unknown magic byte!"));
    assert!(read(&[]).starts_with(prefix));
    assert!(read(&[0, 0, 0]).contains("3 bytes"));
    let unknown = read(&[0, 0, 0, 0, 9]);
    assert!(
        unknown.contains("id 9") && unknown.contains("40403"),
        "{unknown}"
    );
    let bytes = fixture.write(Some(&primitive(Type::Int64)), &1i64.into());
    let bytes = bytes.unwrap().unwrap();
    assert!(message(fixture.read(&bytes.slice(..5))).contains("id 1"));
}

#[test]
fn subjects_follow_their_strategy() {
    let schema = SchemaBuilder::structure().name("a.B").build();
    let value: Value = Struct::new(schema.clone()).unwrap().into();
    for (strategy, subject) in [
        ("TopicNameStrategy", "t-value"),
        ("RecordNameStrategy", "a.B"),
        ("TopicRecordNameStrategy", "t-a.B"),
    ] {
        let class = format!("io.confluent.kafka.serializers.subject.{strategy}");
        let fixture = Fixture::new(&[("value.subject.name.strategy", &class)]);
        let bytes = fixture.write(Some(&schema), &value).unwrap().unwrap();
        assert_eq!(
            wait(fixture.registry.latest(subject)).unwrap().id,
            1,
            "{strategy}"
        );
        assert!(fixture.read(&bytes).is_ok(), "{strategy}");
    }
    let config = [("schema.registry.url".to_owned(), "mock://keys".to_owned())].into();
    let keys = converter(&config, ConverterKind::Key).unwrap();
    wait(keys.prepare_from_connect("t", Some(&schema))).unwrap();
    assert!(wait(MemoryRegistry::of_scope("keys").latest("t-key")).is_ok());
    let class = "io.confluent.kafka.serializers.subject.RecordNameStrategy";
    let fixture = Fixture::new(&[("value.subject.name.strategy", class)]);
    let error = message(fixture.write(Some(&primitive(Type::Int32)), &1i32.into()));
    assert!(
        error.ends_with("the message value must only be a record schema"),
        "{error}"
    );
}

#[test]
fn schemas_may_have_to_be_there_already() {
    let unregistering = ("auto.register.schemas", "false");
    let schema = primitive(Type::Int32);
    let fixture = Fixture::new(&[unregistering]);
    let error = message(fixture.write(Some(&schema), &1i32.into()));
    assert!(
        error.contains("t-value") && error.contains("40401"),
        "{error}"
    );
    fixture.register("t-value", "\"int\"", Vec::new());
    assert!(
        fixture
            .write(Some(&schema), &1i32.into())
            .unwrap()
            .is_some()
    );
    let strict = [("use.latest.version", "true"), ("use.schema.id", "1")];
    for other in strict {
        let fixture = Fixture::new(&[unregistering, other]);
        fixture.register("t-value", r#"["null","int"]"#, Vec::new());
        let bytes = fixture.write(Some(&schema), &1i32.into()).unwrap().unwrap();
        assert_eq!(&bytes[..], [0, 0, 0, 0, 1, 2, 2]);
        let error = message(fixture.write(Some(&primitive(Type::String)), &"x".into()));
        assert!(error.contains("Incompatible schema"), "{error}");
    }
}

#[test]
fn unions_become_optional_or_structs() {
    let fixture = Fixture::new(&[]);
    let optional = Schema::primitive(Type::Int32, true);
    for union in [r#"["null","int"]"#, r#"["int","null"]"#] {
        let null = u8::from(union.starts_with("[\"int")) * 2;
        let data = fixture.read_as(union, &[2 - null, 2]).unwrap();
        assert_eq!(
            data,
            SchemaAndValue::new(optional.clone(), 1i32.into()),
            "{union}"
        );
        assert_eq!(fixture.read_as(union, &[null]).unwrap().value, Value::Null);
    }
    let union = r#"["null","int",{"type":"enum","name":"a.E","symbols":["X","Y"]}]"#;
    let data = fixture.read_as(union, &[4, 2]).unwrap();
    let schema = data.schema.unwrap();
    assert_eq!(schema.name(), Some("io.confluent.connect.avro.Union"));
    assert_eq!(data.value.as_struct().unwrap().get("E"), Some(&"Y".into()));
    // Without enhanced support the enumeration would become a string.
    let enhanced = Fixture::new(&[("enhanced.avro.schema.support", "true")]);
    let data = enhanced.read_as(union, &[4, 2]).unwrap();
    assert_eq!(
        data.value.as_struct().unwrap().get("a.E"),
        Some(&"Y".into())
    );
    let bytes = enhanced
        .write(data.schema.as_ref(), &data.value)
        .unwrap()
        .unwrap();
    assert_eq!(bytes[5..], [4, 2]);
    assert!(
        enhanced
            .registered(i32::from(bytes[4]))
            .contains(r#""symbols":["X","Y"]"#)
    );
}

#[test]
fn references_are_followed() {
    let fixture = Fixture::new(&[]);
    let reference = |name: &str, subject: &str| SchemaReference {
        name: name.to_owned(),
        subject: subject.to_owned(),
        version: 1,
    };
    fixture.register(
        "inner",
        r#"{"type":"record","name":"a.I","fields":[{"name":"x","type":"int"}]}"#,
        Vec::new(),
    );
    fixture.register(
        "middle",
        r#"{"type":"record","name":"a.M","fields":[{"name":"i","type":"a.I"}]}"#,
        vec![reference("a.I", "inner")],
    );
    let id = fixture.register(
        "t-value",
        r#"{"type":"record","name":"a.O","fields":[{"name":"m","type":"M"},{"name":"i","type":"I"}]}"#,
        vec![reference("a.M", "middle"), reference("a.I", "inner")],
    );
    let data = fixture.read(&record(id, &[2, 4])).unwrap();
    assert_eq!(
        data.value.to_string(),
        "Struct{m=Struct{i=Struct{x=1}},i=Struct{x=2}}"
    );
}

#[test]
fn records_may_contain_themselves() {
    let fixture = Fixture::new(&[]);
    let list = concat!(
        r#"{"type":"record","name":"a.List","fields":[{"name":"x","type":"int"},"#,
        r#"{"name":"next","type":["null","List"],"default":null},"#,
        r#"{"name":"more","type":{"type":"array","items":"List"}}]}"#
    );
    let data = fixture
        .read_as(list, &[2, 2, 4, 0, 0, 2, 6, 0, 0, 0])
        .unwrap();
    assert_eq!(
        data.value.to_string(),
        "Struct{x=1,next=Struct{x=2,more=[]},more=[Struct{x=3,more=[]}]}"
    );
    assert!(data.value.as_struct().unwrap().validate().is_ok());
    let bytes = fixture
        .write(data.schema.as_ref(), &data.value)
        .unwrap()
        .unwrap();
    assert_eq!(bytes[5..], [2, 2, 4, 0, 0, 2, 6, 0, 0, 0]);
    assert_eq!(
        fixture.read(&bytes).unwrap().value.to_string(),
        data.value.to_string()
    );
    // Each record in the next, too deep to be true.
    let deep: Vec<u8> = [2, 2].repeat(100_000);
    assert!(message(fixture.read_as(list, &deep)).contains("nested too deeply"));
}

#[test]
fn a_short_schema_may_not_describe_too_much() {
    let mut text =
        r#"{"type":"record","name":"R0","fields":[{"name":"x","type":"int"}]}"#.to_owned();
    for level in 1..25 {
        let inner = format!("R{}", level - 1);
        text = format!(
            r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":{text}}},{{"name":"b","type":"{inner}"}}]}}"#
        );
    }
    let error = message(Fixture::new(&[]).read_as(&text, &[]));
    assert!(
        error.contains("parts") || error.contains("recursion"),
        "{error}"
    );
}

#[test]
fn maps_with_other_keys_are_arrays_of_entries() {
    let fixture = Fixture::new(&[]);
    let schema = SchemaBuilder::map(
        primitive(Type::Int32),
        Schema::primitive(Type::String, true),
    )
    .version(1)
    .build();
    let map: MapValue = [(1i32.into(), "a".into()), (2i32.into(), Value::Null)]
        .into_iter()
        .collect();
    let bytes = fixture
        .write(Some(&schema), &map.clone().into())
        .unwrap()
        .unwrap();
    assert_eq!(bytes[5..], [4, 2, 2, 2, b'a', 4, 0, 0]);
    assert_eq!(
        fixture.read(&bytes).unwrap(),
        SchemaAndValue::new(schema, map.into())
    );
}

#[test]
fn enumerations_and_fixed_types_are_described() {
    let fixture = Fixture::new(&[]);
    let data = fixture
        .read_as(
            r#"{"type":"enum","name":"a.E","doc":"d","symbols":["X"],"default":"X"}"#,
            &[0],
        )
        .unwrap();
    let schema = data.schema.unwrap();
    let parameters: Vec<(&str, &str)> = schema
        .parameters()
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    assert_eq!(
        parameters,
        [
            ("io.confluent.connect.avro.enum.doc.E", "d"),
            ("io.confluent.connect.avro.enum.default.E", "X"),
            ("io.confluent.connect.avro.Enum", "a.E"),
            ("io.confluent.connect.avro.Enum.X", "X"),
        ]
    );
    assert_eq!((schema.name(), data.value), (Some("a.E"), "X".into()));
    let data = fixture
        .read_as(r#"{"type":"fixed","name":"F","size":2}"#, &[1, 2])
        .unwrap();
    let schema = data.schema.unwrap();
    assert_eq!(
        schema.parameters().get("connect.fixed.size"),
        Some(&Text::from("2"))
    );
    let bytes = fixture.write(Some(&schema), &data.value).unwrap().unwrap();
    assert_eq!(bytes[5..], [1, 2]);
    let decimal = concat!(
        r#"{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9,"scale":2,"#,
        r#""connect.version":1}"#
    );
    let data = fixture.read_as(decimal, &[0xff, 0xff, 0xff, 0x9c]).unwrap();
    assert_eq!(data.value, Decimal::new(-100, 2).into());
    let bytes = fixture.write(data.schema.as_ref(), &data.value);
    // A decimal has no name of its own in Avro, so its bytes are not fixed there.
    assert!(bytes.is_ok() || message(bytes).contains("fixed"));
}

#[test]
fn names_are_checked_or_scrubbed() {
    let schema = SchemaBuilder::structure()
        .name("a-b.C d")
        .field("9x", primitive(Type::Int32))
        .build();
    let value: Value = Struct::from_values(schema.clone(), vec![1i32.into()])
        .unwrap()
        .into();
    let error = message(Fixture::new(&[]).write(Some(&schema), &value));
    assert_eq!(error, "Illegal character in: C d");
    let fixture = Fixture::new(&[("scrub.invalid.names", "true")]);
    fixture.write(Some(&schema), &value).unwrap();
    let text = fixture.registered(1);
    assert!(text.contains(r#""name":"C_d","namespace":"a_b""#), "{text}");
    assert!(text.contains(r#""name":"x9x""#), "{text}");
}

proptest! {
    #[test]
    fn data_round_trips(
        (schema, value) in data(Features { metadata: true, ..Features::PLAIN }),
    ) {
        let fixture = Fixture::new(&[("ignore.default.for.nullables", "true")]);
        // The version of the whole is that of the registry.
        let schema = SchemaBuilder::structure().name("whole").version(1).field("x", schema).build();
        let value: Value = Struct::from_values(schema.clone(), vec![value]).unwrap().into();
        let bytes = fixture.write(Some(&schema), &value).unwrap().unwrap();
        prop_assert_eq!(fixture.read(&bytes).unwrap(), SchemaAndValue::new(schema, value));
    }

    #[test]
    fn schemaless_data_round_trips((_, value) in data(Features { any_keys: true, ..Features::PLAIN })) {
        let fixture = Fixture::new(&[]);
        if let Ok(Some(bytes)) = fixture.write(None, &value) {
            let back = fixture.read(&bytes).unwrap();
            prop_assert_eq!(back.schema, None);
            // Small integers have become larger ones.
            prop_assert_eq!(back.value.to_string(), value.to_string());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        (schema, _) in data(Features { any_keys: true, ..Features::PLAIN }),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let fixture = Fixture::new(&[]);
        let avro = from_connect::from_connect(Some(&schema), fuzz::OPTIONS).unwrap();
        if let Ok(text) = avro.to_text() {
            fuzz::fuzz_data(&text, &bytes);
        }
        let _ = fixture.read(&bytes.into());
    }

    #[test]
    fn any_schema_text_is_read_or_refused(
        text in r#"\{"type":("(int|bytes|record|enum|fixed|array|map|null)"|\["null","int"\])(,"(name|fields|symbols|size|items|values|logicalType|scale|precision|connect\.(type|name|version|default|parameters))":("a"|"decimal"|"date"|1|-1|\[\]|\["A"\]|\{\}|null|"int"|\[\{"name":"a","type":"int","default":1\}\])){0,4}\}"#,
    ) {
        fuzz::fuzz_schema(&text);
        fuzz::fuzz_data(&text, &[0, 0, 0]);
    }
}

#[test]
fn decimals_and_instants_are_logical_types() {
    let fixture = Fixture::new(&[]);
    for (schema, value, logical) in [
        (
            logical::decimal_schema(2),
            Value::from(Decimal::new(1230, 2)),
            "decimal",
        ),
        (logical::date_schema(), Value::Date(3), "date"),
        (logical::time_schema(), Value::Time(3), "time-millis"),
        (
            logical::timestamp_schema(),
            Value::Timestamp(-3),
            "timestamp-millis",
        ),
    ] {
        let bytes = fixture.write(Some(&schema), &value).unwrap().unwrap();
        let text = fixture.registered(i32::from(bytes[4]));
        assert!(
            text.contains(&format!("\"logicalType\":\"{logical}\"")),
            "{text}"
        );
        let back = fixture.read(&bytes);
        // A logical type on its own has version 1, whatever the registry says.
        match back {
            Ok(back) => assert_eq!(back.value, value),
            Err(error) => assert!(error.to_string().contains("Mismatched versions")),
        }
    }
}
