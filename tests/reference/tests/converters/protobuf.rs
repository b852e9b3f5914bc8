//! Protobuf with a registry that both sides ask: bytes are only alike if the
//! schemas that both register are the same text.

mod chosen;
mod texts;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tether_api::data::{Bytes, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
use tether_api::testing::data::{Features, data, struct_schema, value};
use tether_reference_tests::{Config, StubRegistry, Verdicts};

use super::Pair;
use crate::cases::generate;

const CLASS: &str = "io.confluent.connect.protobuf.ProtobufConverter";

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
            .map(|id| self.registry.text(id).unwrap_or_default())
            .filter(|text| !text.contains("option java_package"))
            .collect();
        anyhow::ensure!(
            texts.len() <= 1,
            "ours, then the reference's: {}",
            texts.join("\n---\n")
        );
        Ok(bytes)
    }

    fn compare_both_ways(
        &mut self,
        config: Config<'_>,
        schema: &SchemaRef,
        value: &Value,
    ) -> anyhow::Result<()> {
        let bytes = self.compare_written(config, Some(schema), value)?;
        self.compare_read(config, bytes.as_deref())
    }

    fn compare_read(&mut self, config: Config<'_>, bytes: Option<&[u8]>) -> anyhow::Result<()> {
        self.with_pair(config, |pair, verdicts| {
            pair.compare_to_connect(verdicts, bytes)
        })
    }

    /// Compares what is read of data of the message at these indexes, as they
    /// are written.
    fn compare_read_as(
        &mut self,
        config: Config<'_>,
        schema: &str,
        indexes: &[u8],
        data: &[u8],
    ) -> anyhow::Result<()> {
        let body = json!({"schema": schema, "schemaType": "PROTOBUF"});
        let id = u32::try_from(self.registry.register_body("t-value", &body))?;
        let record = [&[0], &id.to_be_bytes()[..], indexes, data].concat();
        self.compare_read(config, Some(&record))
    }

    fn finish(self) -> anyhow::Result<()> {
        self.verdicts.finish().map(drop)
    }
}

#[test]
fn generated_structs_are_written_and_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let structs = |features: Features| {
        struct_schema(features).prop_flat_map(move |schema| {
            let value = value(&schema, features);
            (Just(schema), value)
        })
    };
    let mut cases = generate(&structs(PLAIN), 50);
    cases.extend(generate(&structs(FEATURES), 30));
    for (schema, value) in cases {
        side.compare_both_ways(&[], &schema, &value)?;
    }
    side.finish()
}

#[test]
fn options_change_schemas_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    let configs: [Config<'_>; 6] = [
        &[("optional.for.nullables", "true")],
        &[("wrapper.for.nullables", "true")],
        &[
            ("optional.for.nullables", "true"),
            ("wrapper.for.nullables", "true"),
        ],
        &[("enhanced.protobuf.schema.support", "true")],
        &[("scrub.invalid.names", "true")],
        &[("wrapper.for.raw.primitives", "false")],
    ];
    for (index, (schema, value)) in generate(&data(PLAIN), 90).into_iter().enumerate() {
        let optional = schema.to_builder().optional().build();
        // There are no arrays of maps.
        let list = match schema.kind() {
            Type::Map => (Schema::primitive(Type::Int32, true), 1i32.into()),
            _ => (schema.clone(), value.clone()),
        };
        let schema = SchemaBuilder::structure()
            .name("a.b.Whole")
            .field("field_x", schema)
            .field("y", optional)
            .field("z", SchemaBuilder::array(list.0).optional().build())
            .build();
        let values = vec![value, Value::Null, vec![list.1].into()];
        let value: Value = Struct::from_values(schema.clone(), values).unwrap().into();
        side.compare_both_ways(configs[index % configs.len()], &schema, &value)?;
    }
    side.finish()
}

#[test]
fn values_on_their_own_are_written_and_read_alike() -> anyhow::Result<()> {
    let mut side = Side::new()?;
    for (schema, value) in generate(&data(PLAIN), 30) {
        side.compare_both_ways(&[], &schema, &value)?;
        side.compare_both_ways(&[("wrapper.for.raw.primitives", "false")], &schema, &value)?;
    }
    for schema in [None, Some(Schema::primitive(Type::Int32, false))] {
        side.compare_written(&[], schema.as_ref(), &Value::Null)?;
    }
    side.finish()
}

/// A field of a message: a number and any value, or one within another one.
#[derive(Debug, Clone)]
enum Part {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    Bytes(Vec<u8>),
    Message(Vec<(u32, Part)>),
}

fn message() -> BoxedStrategy<Vec<(u32, Part)>> {
    let leaf = prop_oneof![
        3 => (0u64..4).prop_map(Part::Varint),
        1 => any::<u64>().prop_map(Part::Varint),
        1 => any::<u32>().prop_map(Part::Fixed32),
        1 => any::<u64>().prop_map(Part::Fixed64),
        2 => "[a-zé]{0,8}".prop_map(|text| Part::Bytes(text.into_bytes())),
        1 => vec(any::<u8>(), 0..9).prop_map(Part::Bytes),
    ];
    let part = leaf.prop_recursive(3, 24, 6, |inner| {
        vec((1u32..20, inner), 0..6).prop_map(Part::Message)
    });
    vec((1u32..20, part), 0..8).boxed()
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn encoded(message: &[(u32, Part)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, part) in message {
        let mut tag = |wire: u64| varint(u64::from(*number) << 3 | wire, &mut out);
        match part {
            Part::Varint(value) => {
                tag(0);
                varint(*value, &mut out);
            }
            Part::Fixed64(value) => {
                tag(1);
                out.extend(value.to_le_bytes());
            }
            Part::Fixed32(value) => {
                tag(5);
                out.extend(value.to_le_bytes());
            }
            Part::Bytes(_) | Part::Message(_) => {
                tag(2);
                let inner = match part {
                    Part::Message(parts) => encoded(parts),
                    Part::Bytes(bytes) => bytes.clone(),
                    _ => Vec::new(),
                };
                varint(inner.len() as u64, &mut out);
                out.extend(inner);
            }
        }
    }
    out
}

/// Compares what is read of messages, each of one of the texts.
fn compare_messages(messages: &[Vec<u8>]) -> anyhow::Result<()> {
    for (text, messages) in texts::ALL.iter().zip(messages.chunks(messages.len() / 4)) {
        // One for each, so that each is the first version of its subject.
        let mut side = Side::new()?;
        for message in messages {
            side.compare_read_as(&[], text, &[0], message)?;
        }
        side.finish()?;
    }
    Ok(())
}

#[test]
fn any_messages_are_read_alike() -> anyhow::Result<()> {
    let messages: Vec<_> = generate(&message(), 160)
        .iter()
        .map(|parts| encoded(parts))
        .collect();
    compare_messages(&messages)
}

#[test]
fn damaged_messages_are_refused_alike() -> anyhow::Result<()> {
    let cases = (
        message(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<bool>(),
    );
    let damaged = |(message, at, byte, cut): (_, prop::sample::Index, _, _)| {
        let message: Vec<(u32, Part)> = message;
        let mut bytes = encoded(&message);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] = byte;
            }
        }
        bytes
    };
    let messages: Vec<_> = generate(&cases, 80).into_iter().map(damaged).collect();
    compare_messages(&messages)
}
