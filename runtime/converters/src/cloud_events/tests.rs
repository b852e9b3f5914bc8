//! What is read is what was written; hostile bytes are refused.

use std::sync::Arc;

use proptest::prelude::*;
use tether_api::Result;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded};
use tether_api::data::{
    Bytes, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value,
};

use super::CloudEventsConverter;

fn converter(config: &[(&str, &str)]) -> Result<Arc<dyn Converter>> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config: ConfigMap = config.iter().map(owned).collect();
    Ok(Arc::new(CloudEventsConverter::new(
        &config,
        ConverterKind::Value,
    )?))
}

fn text(optional: bool) -> SchemaRef {
    Schema::primitive(Type::String, optional)
}

fn number() -> SchemaRef {
    Schema::primitive(Type::Int64, true)
}

fn row_schema() -> SchemaRef {
    SchemaBuilder::structure()
        .name("srv.public.t.Value")
        .optional()
        .field("id", Schema::primitive(Type::Int32, false))
        .field("name", text(true))
        .build()
}

fn change(id: i32, name: Option<String>) -> Result<SchemaAndValue> {
    let source = SchemaBuilder::structure()
        .name("io.debezium.connector.postgresql.Source")
        .field("connector", text(false))
        .field("name", text(false))
        .field("ts_ms", number())
        .field("db", text(false))
        .field("sequence", text(true))
        .field("txId", number())
        .field("lsn", number())
        .build();
    let values = vec![
        "postgresql".into(),
        "srv".into(),
        5i64.into(),
        "db".into(),
        Value::Null,
        7i64.into(),
        9i64.into(),
    ];
    let origin = Struct::from_values(source.clone(), values)?;
    let row = Struct::from_values(row_schema(), vec![id.into(), name.into()])?;
    let schema = SchemaBuilder::structure()
        .name("srv.public.t.Envelope")
        .field("before", row_schema())
        .field("after", row_schema())
        .field("source", source)
        .field("op", text(false))
        .build();
    let values = vec![Value::Null, row.into(), origin.into(), "c".into()];
    let value = Struct::from_values(schema.clone(), values)?;
    Ok(SchemaAndValue::new(schema, value.into()))
}

async fn write(converter: &dyn Converter, data: &SchemaAndValue) -> Result<Bytes> {
    let schema = data.schema.as_ref();
    let mut out = Vec::new();
    while converter.from_connect("t", schema, &data.value, &mut out)? == Encoded::Unprepared {
        converter.prepare_from_connect("t", schema).await?;
    }
    Ok(out.into())
}

async fn read(converter: &dyn Converter, bytes: &Bytes) -> Result<SchemaAndValue> {
    loop {
        match converter.to_connect("t", Some(bytes))? {
            Decoded::Data(data) => return Ok(data),
            Decoded::Unprepared => converter.prepare_to_connect("t", bytes).await?,
        }
    }
}

/// The row after the change in what was read.
fn after(data: &SchemaAndValue) -> Option<Vec<Value>> {
    let event = match &data.value {
        Value::Map(event) => event.get_text("data")?.clone(),
        Value::Struct(event) => event.get("data")?.clone(),
        _ => return None,
    };
    let row = match &event {
        Value::Struct(data) => data.get("after")?.as_struct()?.values().to_vec(),
        Value::Map(data) => {
            let row = data.get_text("after")?.as_map()?;
            vec![row.get_text("id")?.clone(), row.get_text("name")?.clone()]
        }
        _ => return None,
    };
    Some(row)
}

const CONFIGS: [&[(&str, &str)]; 4] = [
    &[],
    &[("json.schemas.enable", "false")],
    &[
        ("data.serializer.type", "avro"),
        ("avro.schema.registry.url", "mock://cloud-events"),
    ],
    &[
        ("serializer.type", "avro"),
        ("data.serializer.type", "avro"),
        ("avro.schema.registry.url", "mock://cloud-events"),
    ],
];

#[tokio::test]
async fn data_comes_back() -> Result<()> {
    for config in CONFIGS {
        let converter = converter(config)?;
        for name in [Some("x\"é".to_owned()), None] {
            let bytes = write(&*converter, &change(3, name.clone())?).await?;
            let data = read(&*converter, &bytes).await?;
            // Without a schema numbers are as large as they may be.
            let id = match config {
                [("json.schemas.enable", _)] => Value::Int64(3),
                _ => Value::Int32(3),
            };
            assert_eq!(after(&data), Some(vec![id, name.into()]), "{config:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_no_change_is_not_written() -> Result<()> {
    let converter = converter(&[])?;
    let mut out = b"before".to_vec();
    let encoded = converter.from_connect("t", Some(&row_schema()), &Value::Null, &mut out)?;
    assert_eq!(encoded, Encoded::Null);
    let encoded = converter.from_connect("t", None, &"x".into(), &mut out)?;
    assert_eq!(encoded, Encoded::Null);
    assert_eq!(out, b"before");
    Ok(())
}

#[test]
fn schemas_that_wait_for_the_registry_are_few() -> Result<()> {
    let converter = CloudEventsConverter::new(
        &CONFIGS[2]
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ConverterKind::Value,
    )?;
    for topic in 0..1000 {
        let topic = format!("t{topic}");
        let part = (topic.clone(), row_schema());
        converter.remember((topic, row_schema()), part);
    }
    assert!(converter.take_pending("t0", &row_schema()).is_empty());
    assert_eq!(converter.take_pending("t999", &row_schema()).len(), 1);
    assert_eq!(converter.take_pending("t999", &row_schema()).len(), 0);
    Ok(())
}

/// Texts that are events, or nearly.
fn nearly_events() -> impl Strategy<Value = String> {
    let data = prop_oneof![
        "[\\[\\]{}\",:a-z0-9]{0,30}",
        Just(r#"{"schema":{"type":"int32"},"payload":1}"#.to_owned()),
        "[A-Za-z0-9+/=]{0,20}".prop_map(|text| format!("\"{text}\"")),
    ];
    data.prop_map(|data| {
        format!(r#"{{"id":"1","source":"s","specversion":"1.0","type":"t","data":{data}}}"#)
    })
}

proptest! {
    #[test]
    fn hostile_bytes_are_refused(
        bytes in prop_oneof![
            nearly_events().prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..60),
        ],
    ) {
        let bytes = Bytes::from(bytes);
        for config in CONFIGS {
            if let Ok(converter) = converter(config) {
                // Only that it ends counts here.
                drop(converter.to_connect("t", Some(&bytes)));
            }
        }
    }

    #[test]
    fn any_name_of_a_row_is_written(name in ".{0,20}") {
        let converter = converter(&[]).unwrap();
        let data = change(1, Some(name.clone())).unwrap();
        let mut out = Vec::new();
        converter.from_connect("t", data.schema.as_ref(), &data.value, &mut out).unwrap();
        let Decoded::Data(read) = converter.to_connect("t", Some(&out.into())).unwrap() else {
            panic!("JSON needs no registry");
        };
        prop_assert_eq!(after(&read), Some(vec![1i32.into(), name.into()]));
    }
}
