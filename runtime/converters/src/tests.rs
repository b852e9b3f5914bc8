//! What holds for every converter, through its descriptor.

use std::sync::Arc;

use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::converter::{Converter, ConverterKind, Decoded, Encoded};
use tether_api::data::{Bytes, Schema, SchemaAndValue, Type, Value};
use tether_api::plugin::PluginFactory;
use tether_api::{ConnectError, Result};

use crate::plugins;

const CONVERTERS: &str = "org.apache.kafka.connect.converters";

fn converter(class: &str) -> Arc<dyn Converter> {
    let factory = plugins()
        .into_iter()
        .filter(|plugin| plugin.class == class)
        .find_map(|plugin| match plugin.factory {
            PluginFactory::Converter(new) => Some(new),
            _ => None,
        });
    factory.unwrap()(&ConfigMap::new(), ConverterKind::Value).unwrap()
}

fn encode(class: &str, kind: Option<Type>, value: Value) -> Result<Option<Vec<u8>>> {
    let schema = kind.map(|kind| Schema::primitive(kind, true));
    let mut out = b"before".to_vec();
    let encoded = converter(class).from_connect("t", schema.as_ref(), &value, &mut out);
    let bytes = out.strip_prefix(b"before").unwrap().to_vec();
    match encoded {
        Ok(Encoded::Written) => Ok(Some(bytes)),
        Ok(_) => Ok(None),
        Err(error) => {
            assert!(bytes.is_empty());
            Err(error)
        }
    }
}

fn decode(class: &str, bytes: Option<&[u8]>) -> Result<SchemaAndValue> {
    let bytes = bytes.map(Bytes::copy_from_slice);
    match converter(class).to_connect("t", bytes.as_ref())? {
        Decoded::Data(data) => Ok(data),
        Decoded::Unprepared => Err(ConnectError::other("unprepared")),
    }
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().message().to_owned()
}

/// The simple converters with the type of their values.
fn simple() -> [(String, Type); 8] {
    [
        ("ByteArrayConverter", Type::Bytes),
        ("BooleanConverter", Type::Boolean),
        ("ShortConverter", Type::Int16),
        ("IntegerConverter", Type::Int32),
        ("LongConverter", Type::Int64),
        ("FloatConverter", Type::Float32),
        ("DoubleConverter", Type::Float64),
        (
            "org.apache.kafka.connect.storage.StringConverter",
            Type::String,
        ),
    ]
    .map(|(class, kind)| {
        if class.contains('.') {
            (class.to_owned(), kind)
        } else {
            (format!("{CONVERTERS}.{class}"), kind)
        }
    })
}

#[test]
fn classes_are_unique_per_kind() {
    let mut names: Vec<_> = plugins()
        .iter()
        .map(|plugin| (plugin.class, plugin.kind()))
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn null_stays_null() {
    for (class, kind) in simple() {
        assert_eq!(encode(&class, None, Value::Null).unwrap(), None, "{class}");
        let data = decode(&class, None).unwrap();
        let expected = SchemaAndValue::new(Schema::primitive(kind, true), Value::Null);
        assert_eq!(data, expected, "{class}");
    }
}

#[test]
fn misfits_are_refused() {
    let class = |name: &str| format!("{CONVERTERS}.{name}");
    let text = || Value::from("x");
    assert_eq!(
        message(encode(&class("ShortConverter"), None, text())),
        "Failed to serialize to short (was class java.lang.String): "
    );
    assert_eq!(
        message(encode(&class("BooleanConverter"), None, text())),
        "BooleanConverter is not compatible with objects of type class java.lang.String"
    );
    assert_eq!(
        message(encode(
            &class("BooleanConverter"),
            Some(Type::Int8),
            true.into()
        )),
        "Invalid schema type for BooleanConverter: INT8"
    );
    assert_eq!(
        message(encode(&class("ByteArrayConverter"), None, text())),
        "ByteArrayConverter is not compatible with objects of type class java.lang.String"
    );
    assert_eq!(
        message(encode(
            &class("ByteArrayConverter"),
            Some(Type::String),
            Value::Null
        )),
        "Invalid schema type for ByteArrayConverter: STRING"
    );
    for (name, text) in [
        ("ShortConverter", "short"),
        ("IntegerConverter", "integer"),
        ("LongConverter", "long"),
        ("FloatConverter", "float"),
        ("DoubleConverter", "double"),
        ("BooleanConverter", "boolean"),
    ] {
        assert_eq!(
            message(decode(&class(name), Some(&[1, 2, 3]))),
            format!("Failed to deserialize {text}: ")
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for (class, _) in simple() {
            let _ = decode(&class, Some(&bytes));
        }
    }

    #[test]
    fn simple_values_round_trip(
        short: i16,
        integer: i32,
        long: i64,
        float in proptest::num::f32::NORMAL,
        double in proptest::num::f64::NORMAL,
        boolean: bool,
        text: String,
        bytes: Vec<u8>,
    ) {
        let values: [Value; 8] = [
            Bytes::from(bytes).into(),
            boolean.into(),
            short.into(),
            integer.into(),
            long.into(),
            float.into(),
            double.into(),
            text.into(),
        ];
        for ((class, kind), value) in simple().into_iter().zip(values) {
            let bytes = encode(&class, Some(kind), value.clone()).unwrap();
            let expected = SchemaAndValue::new(Schema::primitive(kind, true), value);
            prop_assert_eq!(decode(&class, bytes.as_deref()).unwrap(), expected);
        }
    }
}
