//! Avro with a registry that both sides ask: bytes are only alike if the
//! schemas that both register are the same text.

mod latest;
mod names;
mod references;
mod sum_types;

use tether_api::data::{
    Bytes, Decimal, MapValue, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type,
    Value, logical,
};
use tether_api::testing::data::{Features, data};
use tether_reference_tests::{Config, StubRegistry, Verdicts};

use super::Pair;
use crate::cases::generate;

const CLASS: &str = "io.confluent.connect.avro.AvroConverter";

/// Maps have one entry at most: the reference does not keep their order.
const FEATURES: Features = Features {
    entries: 1,
    ..Features::ALL
};
const PLAIN: Features = Features {
    entries: 1,
    ..Features::PLAIN
};

/// A registry with both converters in front of it.
struct Side {
    registry: StubRegistry,
    verdicts: Verdicts,
}

impl Side {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            registry: StubRegistry::start()?,
            verdicts: Verdicts::new(),
        })
    }

    fn with_pair<T>(
        &mut self,
        config: Config<'_>,
        act: impl FnOnce(&Pair<'_>, &mut Verdicts) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let url = ("schema.registry.url", self.registry.url());
        let config: Vec<_> = [url].into_iter().chain(config.iter().copied()).collect();
        let pair = Pair {
            class: CLASS,
            config: &config,
        };
        act(&pair, &mut self.verdicts)
    }

    fn compare_written(
        &mut self,
        config: Config<'_>,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> anyhow::Result<Option<Bytes>> {
        let known = self.registry.len();
        let bytes = self.with_pair(config, |pair, verdicts| {
            pair.compare_from_connect(verdicts, schema, value)
        })?;
        // Both register their schema: one text if they are alike.
        let texts: Vec<_> = (known + 1..=self.registry.len())
            .map(|id| self.registry.text(id))
            .collect();
        anyhow::ensure!(texts.len() <= 1, "ours, then the reference's: {texts:#?}");
        Ok(bytes)
    }

    fn compare_read(&mut self, config: Config<'_>, bytes: Option<&[u8]>) -> anyhow::Result<()> {
        self.with_pair(config, |pair, verdicts| {
            pair.compare_to_connect(verdicts, bytes)
        })
    }

    /// Compares what is read of data of a schema.
    fn compare_read_as(
        &mut self,
        config: Config<'_>,
        schema: &str,
        data: &[u8],
    ) -> anyhow::Result<()> {
        let record = self.record(schema, data)?;
        self.compare_read(config, Some(&record))
    }

    fn record(&self, schema: &str, data: &[u8]) -> anyhow::Result<Vec<u8>> {
        let id = u32::try_from(self.registry.register("t-value", schema))?;
        Ok([&[0], &id.to_be_bytes()[..], data].concat())
    }

    /// What our converter reads of data of a schema.
    fn read_as(
        &self,
        config: Config<'_>,
        schema: &str,
        data: &[u8],
    ) -> anyhow::Result<SchemaAndValue> {
        let url = ("schema.registry.url", self.registry.url());
        let config: Vec<_> = [url].into_iter().chain(config.iter().copied()).collect();
        let record = self.record(schema, data)?;
        Ok(super::decode(CLASS, &config, Some(&record))?)
    }

    fn finish(self) -> anyhow::Result<()> {
        self.verdicts.finish().map(drop)
    }
}

#[test]
fn generated_data_is_written_and_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let features = Features {
        any_keys: false,
        ..FEATURES
    };
    for (schema, value) in generate(&data(features), 150) {
        let schema = SchemaBuilder::structure()
            .name("whole")
            .field("x", schema)
            .build();
        let value: Value = Struct::from_values(schema.clone(), vec![value])
            .unwrap()
            .into();
        let bytes = side.compare_written(&[], Some(&schema), &value)?;
        side.compare_read(&[], bytes.as_deref())?;
    }
    side.finish()
}

#[test]
fn options_change_schemas_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let configs: [Config<'_>; 4] = [
        &[("connect.meta.data", "false")],
        &[("enhanced.avro.schema.support", "true")],
        &[("ignore.default.for.nullables", "true")],
        &[("allow.optional.map.keys", "true")],
    ];
    let cases = generate(&data(FEATURES), 80);
    for (index, (schema, value)) in cases.iter().enumerate() {
        let config = configs[index % configs.len()];
        let bytes = side.compare_written(config, Some(schema), value)?;
        side.compare_read(config, bytes.as_deref())?;
    }
    side.finish()
}

#[test]
fn schemaless_data_is_written_and_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    for (_, value) in generate(&data(PLAIN), 60) {
        let bytes = side.compare_written(&[], None, &value)?;
        side.compare_read(&[], bytes.as_deref())?;
    }
    side.finish()
}

#[test]
fn chosen_schemas_are_written_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let primitive = |kind| Schema::primitive(kind, false);
    let structure = |fields: Vec<(&str, SchemaRef, Value)>| {
        let mut builder = SchemaBuilder::structure();
        let mut values = Vec::new();
        for (name, schema, value) in fields {
            builder = builder.field(name, schema);
            values.push(value);
        }
        let schema = builder.build();
        let value = Struct::from_values(schema.clone(), values).unwrap();
        (schema, Value::from(value))
    };
    let inner = structure(vec![("x", primitive(Type::Int32), 1i32.into())]);
    let optional_inner = inner.0.to_builder().optional().build();
    let optional_value: Value = Struct::from_values(optional_inner.clone(), vec![2i32.into()])
        .unwrap()
        .into();
    let int_keys = SchemaBuilder::map(
        primitive(Type::Int32),
        Schema::primitive(Type::String, true),
    );
    let map: MapValue = [(1i32.into(), "a".into())].into_iter().collect();
    let enumeration = Schema::builder(Type::String)
        .name("a.E")
        .parameter("io.confluent.connect.avro.Enum", "a.E")
        .parameter("io.confluent.connect.avro.Enum.X", "X")
        .parameter("io.confluent.connect.avro.Enum.Y", "Y");
    let fixed = Schema::builder(Type::Bytes)
        .name("a.F")
        .parameter("connect.fixed.size", "2");
    let union = SchemaBuilder::structure()
        .name("io.confluent.connect.avro.Union")
        .field("int", Schema::primitive(Type::Int32, true))
        .field("string", Schema::primitive(Type::String, true))
        .optional()
        .build();
    let union_value: Value = Struct::from_values(union.clone(), vec![Value::Null, "s".into()])
        .unwrap()
        .into();
    let decimal = |precision: &str, scale| {
        logical::decimal_builder(scale).parameter("connect.decimal.precision", precision)
    };
    let documented = SchemaBuilder::structure()
        .name("a.D")
        .parameter("io.confluent.connect.avro.record.doc", "the doc")
        .parameter("io.confluent.connect.avro.field.doc.x", "the field")
        .parameter("avro.java.string", "String")
        .field("x", primitive(Type::Int32))
        .build();
    let documented_value = Struct::from_values(documented.clone(), vec![1i32.into()]).unwrap();
    let two = structure(vec![
        ("a", inner.0.clone(), inner.1.clone()),
        ("b", optional_inner.clone(), optional_value.clone()),
        ("c", optional_inner, Value::Null),
        (
            "d",
            SchemaBuilder::array(inner.0.clone()).build(),
            vec![inner.1.clone()].into(),
        ),
    ]);
    let float = Schema::builder(Type::Float32)
        .default_value(0.1f32.into())
        .build();
    let defaults = structure(vec![
        ("f", float, 1.5f32.into()),
        (
            "i",
            Schema::builder(Type::Int64)
                .optional()
                .default_value(5i64.into())
                .build(),
            Value::Null,
        ),
        (
            "b",
            Schema::builder(Type::Bytes)
                .default_value(Bytes::from_static(b"\0\xff\"").into())
                .build(),
            Bytes::from_static(b"x").into(),
        ),
        (
            "d",
            logical::date_builder()
                .default_value(Value::Date(5))
                .build(),
            Value::Date(6),
        ),
        (
            "m",
            int_keys.default_value(map.clone().into()).build(),
            map.clone().into(),
        ),
    ]);
    let illegal = structure(vec![("a-b", primitive(Type::Int32), 1i32.into())]);
    let same_name = |field: &str| {
        SchemaBuilder::structure()
            .name("a.Same")
            .field(field, primitive(Type::Int32))
            .build()
    };
    let redefined = structure(vec![
        (
            "one",
            same_name("x"),
            Struct::from_values(same_name("x"), vec![1i32.into()])
                .unwrap()
                .into(),
        ),
        (
            "two",
            same_name("y"),
            Struct::from_values(same_name("y"), vec![1i32.into()])
                .unwrap()
                .into(),
        ),
    ]);
    let named_map = SchemaBuilder::map(primitive(Type::Int32), primitive(Type::Int8))
        .name("a.M")
        .build();
    let named_map_value: MapValue = [(1i32.into(), 2i8.into())].into_iter().collect();
    let cases: Vec<(Option<SchemaRef>, Value)> = vec![
        (None, Value::Null),
        (Some(primitive(Type::Int32)), Value::Null),
        (Some(Schema::primitive(Type::Int32, true)), Value::Null),
        (Some(primitive(Type::Int8)), 1i8.into()),
        (Some(primitive(Type::Int32)), "x".into()),
        (
            Some(primitive(Type::Bytes)),
            Bytes::from_static(b"\x01\x02").into(),
        ),
        (
            Some(Schema::primitive(Type::Bytes, true)),
            Bytes::from_static(b"\x01").into(),
        ),
        (
            Some(logical::decimal_schema(2)),
            Decimal::new(1230, 2).into(),
        ),
        (Some(logical::decimal_schema(2)), Decimal::new(1, 1).into()),
        (
            Some(logical::decimal_schema(-1)),
            Decimal::new(1, -1).into(),
        ),
        (Some(decimal("10", 2).build()), Decimal::new(5, 2).into()),
        (Some(decimal("1", 2).build()), Decimal::new(5, 2).into()),
        (Some(logical::time_schema()), Value::Time(86_400_001)),
        (Some(two.0), two.1),
        (Some(defaults.0), defaults.1),
        (Some(documented), documented_value.into()),
        (Some(enumeration.build()), "Y".into()),
        (Some(fixed.build()), Bytes::from_static(b"ab").into()),
        (Some(union), union_value),
        (Some(illegal.0), illegal.1),
        (Some(redefined.0), redefined.1),
        (Some(named_map), named_map_value.into()),
        (Some(inner.0), 1i32.into()),
    ];
    let configs: [Config<'_>; 5] = [
        &[],
        &[("enhanced.avro.schema.support", "true")],
        &[("connect.meta.data", "false")],
        &[("scrub.invalid.names", "true")],
        &[("discard.type.doc.default", "true")],
    ];
    for (schema, value) in &cases {
        for config in configs {
            let bytes = side.compare_written(config, schema.as_ref(), value)?;
            side.compare_read(config, bytes.as_deref())?;
        }
    }
    side.finish()
}

/// Schemas of others with data of them.
const FOREIGN: &[(&str, &[u8])] = &[
    (r#""null""#, &[]),
    (r#""boolean""#, &[1]),
    (r#""int""#, &[0x7f]),
    (r#""long""#, &[0x80, 1]),
    (r#""float""#, &[0, 0, 0xc0, 0x3f]),
    (r#""double""#, &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
    (r#""string""#, &[4, b'a', b'b']),
    (r#""bytes""#, &[1, 2, 3]),
    (r#"{"type":"int","connect.type":"int8"}"#, &[0x80, 4]),
    (r#"{"type":"int","connect.type":"int9"}"#, &[2]),
    (r#"{"type":"int","logicalType":"date"}"#, &[2]),
    (r#"{"type":"int","logicalType":"time-millis"}"#, &[2]),
    (
        r#"{"type":"long","logicalType":"timestamp-millis","connect.version":1}"#,
        &[2],
    ),
    (r#"{"type":"long","logicalType":"timestamp-micros"}"#, &[2]),
    (r#"{"type":"string","logicalType":"uuid"}"#, &[2, b'x']),
    (
        r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2,"connect.version":1}"#,
        &[5],
    ),
    (
        r#"{"type":"bytes","logicalType":"decimal","precision":64,"scale":2,"connect.version":1}"#,
        &[5],
    ),
    (
        r#"{"type":"enum","name":"E","namespace":"a","doc":"d","symbols":["X","Y"],"default":"Y"}"#,
        &[2],
    ),
    (r#"{"type":"enum","name":"E","symbols":["X"]}"#, &[0]),
    (r#"{"type":"fixed","name":"F","size":2}"#, &[1, 2]),
    (r#"{"type":"array","items":"int"}"#, &[4, 2, 4, 0]),
    (r#"{"type":"array","items":"int"}"#, &[3, 4, 2, 4, 0]),
    (
        r#"{"type":"map","values":["null","int"]}"#,
        &[2, 2, b'k', 2, 2, 0],
    ),
    (r#"["null","int"]"#, &[2, 2]),
    (r#"["int","null"]"#, &[0, 2]),
    (r#"["int"]"#, &[0, 2]),
    (r#"["null","int","string"]"#, &[4, 2, b'x']),
    (
        r#"["int",{"type":"record","name":"a.R","fields":[{"name":"x","type":"int"}]}]"#,
        &[2, 2],
    ),
    (
        r#"["int","string",{"type":"fixed","name":"F","size":1},{"type":"enum","name":"E","symbols":["X"]}]"#,
        &[6, 0],
    ),
    (
        r#"["int","string",{"type":"fixed","name":"F","size":1},{"type":"enum","name":"E","symbols":["X"]}]"#,
        &[4, 9],
    ),
    (
        r#"{"type":"record","name":"R","namespace":"a.b","doc":"rd","fields":[{"name":"x","type":"int","doc":"fd","default":7},{"name":"y","type":["null","string"],"default":null},{"name":"z","type":["string","null"],"default":"q"}]}"#,
        &[2, 2, 2, b's', 2],
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"b","type":"bytes","default":"\u00ff\u0001"},{"name":"f","type":"float","default":1.5},{"name":"a","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"m","type":{"type":"map","values":"long"},"default":{"k":3}}]}"#,
        &[2, 1, 0, 0, 0, 0, 0, 0],
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"n","type":"int","default":null},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]},"default":"Y"},{"name":"d","type":{"type":"int","logicalType":"date"},"default":3},{"name":"w","type":"int","default":"wrong"}]}"#,
        &[2, 2, 2, 2],
    ),
    (
        r#"{"type":"record","name":"R","connect.name":"other","connect.version":5,"connect.doc":"cd","connect.parameters":{"p":"q"},"avro.x":"y","fields":[{"name":"x","type":{"type":"int","connect.default":9,"connect.doc":"xd"}}]}"#,
        &[2],
    ),
    (
        r#"{"type":"record","name":"R","connect.version":"five","fields":[]}"#,
        &[],
    ),
    (
        r#"{"type":"record","name":"R","connect.name":5,"fields":[]}"#,
        &[],
    ),
    (
        r#"{"type":"record","name":"R","connect.parameters":{"p":1},"fields":[]}"#,
        &[],
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"n","type":"null"}]}"#,
        &[],
    ),
    (
        r#"{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}"#,
        &[2, 2, 2, b'v', 0],
    ),
    (
        r#"{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"value","type":"string"},{"name":"key","type":"int"}]}}"#,
        &[2, 2, b'v', 2, 0],
    ),
    (
        r#"{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"}]}}"#,
        &[2, 2, 0],
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"x","type":"int"}]}"#,
        &[],
    ),
    (r#""string""#, &[20, 1]),
    (r#""boolean""#, &[2]),
    (r#""int""#, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    (r#"{"type":"enum","name":"E","symbols":["X"]}"#, &[4]),
    (r#"["null","int"]"#, &[6]),
];

#[test]
fn foreign_schemas_are_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let configs: [Config<'_>; 5] = [
        &[],
        &[("enhanced.avro.schema.support", "true")],
        &[("connect.meta.data", "false")],
        &[("discard.type.doc.default", "true")],
        &[("flatten.singleton.unions", "false")],
    ];
    for (schema, data) in FOREIGN {
        for config in configs {
            side.compare_read_as(config, schema, data)?;
        }
    }
    side.finish()
}

#[test]
fn what_is_no_record_is_refused_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    side.compare_read(&[], None)?;
    for bytes in [&[1][..], &[1, 0, 0, 0, 1], &[0, 0, 0, 0, 9, 1]] {
        side.compare_read(&[], Some(bytes))?;
    }
    side.finish()
}

/// The other tests ask a stub; this one shows that a real registry's answers
/// are understood as well.
#[test]
fn a_real_registry_serves_both() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let url = tether_services::shared::registry_url()?;
    let pair = Pair {
        class: CLASS,
        config: &[
            ("schema.registry.url", &url),
            // Names of this process do not clash with those of others.
            (
                "value.subject.name.strategy",
                "io.confluent.kafka.serializers.subject.RecordNameStrategy",
            ),
        ],
    };
    let schema = |name: &str| {
        SchemaBuilder::structure()
            .name(format!("reference.{name}{}", std::process::id()))
            .field("x", Schema::primitive(Type::Int32, false))
            .field("at", logical::timestamp_builder().optional().build())
            .build()
    };
    for name in ["One", "Two"] {
        let schema = schema(name);
        let fields = vec![1i32.into(), Value::Timestamp(5)];
        let value: Value = Struct::from_values(schema.clone(), fields).unwrap().into();
        let bytes = pair.compare_from_connect(&mut verdicts, Some(&schema), &value)?;
        anyhow::ensure!(bytes.is_some(), "nothing was written");
        pair.compare_to_connect(&mut verdicts, bytes.as_deref())?;
    }
    pair.compare_to_connect(&mut verdicts, Some(&[0, 0x7f, 0, 0, 0, 2]))?;
    verdicts.finish().map(drop)
}
