//! The records of the offsets topic (spec section 3.3; `OffsetUtils`,
//! `OffsetStorageWriter` and the schemaless `JsonConverter`).
//!
//! A key is `["<connector>",{<partition>}]`, a value is `{<offset>}`, both
//! compact and with their entries in the order of the map. Look-up and
//! compaction go by the bytes of the key, so this order must be the one in
//! which the JVM connector's map was iterated: see [`crate::java_hash_order`].

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value as Json};
use tether_api::data::{MapValue, Text, Value, java_f32, java_f64};
use tether_api::offset::OffsetMap;
use tether_api::{ConnectError, Result};

use crate::json_text::{integer, kind, parse, push_string};

/// More entries than this in one partition or offset are a mistake, or worse.
const MAX_ENTRIES: usize = 4096;

/// The key under which the offset of a connector's partition is stored.
///
/// # Errors
/// Data, if a value is not primitive.
pub fn key(connector: &str, partition: &OffsetMap) -> Result<Bytes> {
    let mut json = String::from("[");
    push_string(&mut json, connector);
    json.push(',');
    push_map(&mut json, partition)?;
    json.push(']');
    Ok(Bytes::from(json))
}

/// The value that stores an offset.
///
/// # Errors
/// Data, if a value is not primitive.
pub fn value(offset: &OffsetMap) -> Result<Bytes> {
    let mut json = String::new();
    push_map(&mut json, offset)?;
    Ok(Bytes::from(json))
}

/// The connector and the partition of a key. Numbers become `Int64` or
/// `Float64`. `None` for a key of a partition that is null, which is stored but
/// never listed.
///
/// # Errors
/// Data; says what the key should be and is not.
pub fn parse_key(key: &[u8]) -> Result<Option<(String, OffsetMap)>> {
    let wrong = |what: String| {
        ConnectError::data(format!(
            "Key of a source offset should be an array of connector name and partition, but {what}"
        ))
    };
    let json = parse(key).map_err(&wrong)?.unwrap_or_default();
    let Json::Array(elements) = json else {
        return Err(wrong(format!("it is {}", kind(&json))));
    };
    let [connector, partition]: [Json; 2] = elements.try_into().map_err(|elements: Vec<_>| {
        wrong(format!("the number of elements is {}", elements.len()))
    })?;
    let Json::String(connector) = connector else {
        return Err(wrong(format!("the name is {}", kind(&connector))));
    };
    match partition {
        Json::Null => Ok(None),
        Json::Object(fields) => Ok(Some((connector, map(fields).map_err(wrong)?))),
        other => Err(wrong(format!("the partition is {}", kind(&other)))),
    }
}

/// The offset of a value; `None` if it is null. Numbers become `Int64` or
/// `Float64`.
///
/// # Errors
/// Data; says what the value should be and is not.
pub fn parse_value(value: &[u8]) -> Result<Option<OffsetMap>> {
    let wrong =
        |what: String| ConnectError::data(format!("Source offset should be an object, but {what}"));
    match parse(value).map_err(&wrong)? {
        None => Ok(None),
        Some(Json::Object(fields)) => {
            let offset = map(fields).map_err(wrong)?;
            check(&offset)?;
            Ok(Some(offset))
        }
        Some(other) => Err(wrong(format!("it is {}", kind(&other)))),
    }
}

/// The value of the JSON text of this offset or partition, as the REST API
/// takes and shows it: integers are 64 bits wide afterwards.
///
/// # Errors
/// Data, if a value is not primitive.
pub fn normalized(map: &OffsetMap) -> Result<OffsetMap> {
    Ok(parse_value(&value(map)?)?.unwrap_or_default())
}

/// Checks that all values are primitive (`OffsetUtils.validateFormat`).
///
/// # Errors
/// Data, with the reference's text.
pub fn check(map: &OffsetMap) -> Result<()> {
    for (name, value) in map.iter() {
        let found = match value {
            Value::Array(_) => "ARRAY".to_owned(),
            Value::Map(_) => "MAP".to_owned(),
            Value::Struct(_) => "STRUCT".to_owned(),
            Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                format!("class {}", value.java_class())
            }
            _ => continue,
        };
        return Err(ConnectError::data(format!(
            "Offsets may only contain primitive types as values, but field {name} contains {found}"
        )));
    }
    Ok(())
}

fn push_map(json: &mut String, map: &OffsetMap) -> Result<()> {
    check(map)?;
    json.push('{');
    for (index, (name, value)) in map.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_string(json, name);
        json.push(':');
        push_primitive(json, value);
    }
    json.push('}');
    Ok(())
}

/// Appends a value that was checked to be primitive.
fn push_primitive(json: &mut String, value: &Value) {
    match value {
        Value::String(text) => push_string(json, text),
        Value::Bytes(bytes) => push_string(json, &BASE64.encode(bytes)),
        // What is no number to JSON is a string of Java's text.
        Value::Float32(number) if !number.is_finite() => push_string(json, &java_f32(*number)),
        Value::Float64(number) if !number.is_finite() => push_string(json, &java_f64(*number)),
        other => {
            // Writing to a String cannot fail.
            let _ = write!(json, "{other}");
        }
    }
}

fn map(fields: Map<String, Json>) -> std::result::Result<OffsetMap, String> {
    if fields.len() > MAX_ENTRIES {
        return Err(format!("it has more than {MAX_ENTRIES} entries"));
    }
    Ok(fields
        .into_iter()
        .map(|(name, value)| (name, from_json(value)))
        .collect())
}

/// Schemaless data from JSON. The parser limits how deep it can be.
fn from_json(value: Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(flag),
        Json::Number(number) => match integer(&number) {
            Some(number) => Value::Int64(number),
            // One that is too large is infinite, as for Java.
            None => Value::Float64(number.to_string().parse().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(Text::from(text)),
        Json::Array(values) => Value::Array(Arc::new(values.into_iter().map(from_json).collect())),
        Json::Object(fields) => {
            let entries = fields
                .into_iter()
                .map(|(name, value)| (Value::from(name), from_json(value)))
                .collect();
            Value::Map(Arc::new(MapValue::from_distinct(entries)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn keys_are_javas() {
        let partition = OffsetMap::new()
            .with("server", "s1")
            .with("database", "db\"1")
            .with("epoch", 7i32)
            .with("none", Value::Null);
        let bytes = key("my-connector", &partition).unwrap();
        assert_eq!(
            text(&bytes),
            r#"["my-connector",{"server":"s1","database":"db\"1","epoch":7,"none":null}]"#
        );
        let (connector, parsed) = parse_key(&bytes).unwrap().unwrap();
        assert_eq!(connector, "my-connector");
        assert_eq!(parsed, partition);
        assert_eq!(key(&connector, &parsed).unwrap(), bytes);
    }

    #[test]
    fn values_are_javas() {
        let offset = OffsetMap::new()
            .with("position", 5i64)
            .with("b", Value::from(Bytes::from_static(&[0, 255])))
            .with("f", 1.0f32)
            .with("d", 1.0e10f64)
            .with("nan", f64::NAN)
            .with("snapshot", true);
        assert_eq!(
            text(&value(&offset).unwrap()),
            r#"{"position":5,"b":"AP8=","f":1.0,"d":1.0E10,"nan":"NaN","snapshot":true}"#
        );
        assert_eq!(text(&value(&OffsetMap::new()).unwrap()), "{}");
    }

    #[test]
    fn numbers_become_wide() {
        let offset = OffsetMap::new().with("i", 1i8).with("f", 0.5f32);
        let normalized = normalized(&offset).unwrap();
        assert_eq!(normalized.get("i"), Some(&Value::Int64(1)));
        assert_eq!(normalized.get("f"), Some(&Value::Float64(0.5)));
    }

    #[test]
    fn numbers_that_are_too_large_are_infinite() {
        let offset = parse_value(br#"{"a":17e307,"b":17e308,"c":-1e999}"#)
            .unwrap()
            .unwrap();
        assert_eq!(offset.get("a"), Some(&Value::Float64(17e307)));
        assert_eq!(offset.get("b"), Some(&Value::Float64(f64::INFINITY)));
        assert_eq!(offset.get("c"), Some(&Value::Float64(f64::NEG_INFINITY)));
        assert_eq!(
            text(&value(&offset).unwrap()),
            r#"{"a":1.7E308,"b":"Infinity","c":"-Infinity"}"#
        );
    }

    #[test]
    fn only_primitive_values_are_stored() {
        let message = |value: Value| {
            let map = OffsetMap::new().with("f", value);
            key("c", &map).unwrap_err().message().to_owned()
        };
        assert_eq!(
            message(Value::from(Vec::new())),
            "Offsets may only contain primitive types as values, but field f contains ARRAY"
        );
        assert_eq!(
            message(Value::Timestamp(0)),
            "Offsets may only contain primitive types as values, but field f contains class \
             java.util.Date"
        );
    }

    #[test]
    fn odd_keys_and_values_are_refused() {
        let message = |key: &str| parse_key(key.as_bytes()).unwrap_err().message().to_owned();
        let prefix =
            "Key of a source offset should be an array of connector name and partition, but ";
        for (key, what) in [
            ("{", "not valid JSON at line 1 column 1"),
            ("", "it is null"),
            ("{}", "it is an object"),
            (r#"["c"]"#, "the number of elements is 1"),
            (r#"[1,{}]"#, "the name is a number"),
            (r#"["c",5]"#, "the partition is a number"),
        ] {
            assert_eq!(message(key), format!("{prefix}{what}"));
        }
        assert_eq!(parse_key(br#"["c",null]"#).unwrap(), None);
        assert!(parse_value(b"[]").is_err());
        assert!(parse_value(br#"{"a":{}}"#).is_err());
        assert_eq!(parse_value(b"null").unwrap(), None);
        let many: String = (0..5000).map(|n| format!("\"{n}\":0,")).collect();
        assert!(parse_value(format!("{{{}}}", many.trim_end_matches(',')).as_bytes()).is_err());
    }

    fn primitive() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn partitions_come_back(
            connector in any::<String>(),
            entries in proptest::collection::vec((any::<String>(), primitive()), 0..6),
        ) {
            let partition: OffsetMap = entries.into_iter().collect();
            let bytes = key(&connector, &partition).unwrap();
            let (name, parsed) = parse_key(&bytes).unwrap().unwrap();
            prop_assert_eq!(name, connector.clone());
            prop_assert_eq!(key(&connector, &parsed).unwrap(), bytes);
            prop_assert_eq!(parsed, partition);
        }

        #[test]
        fn hostile_bytes_do_not_panic(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..100),
                "[\\[\\]{}\",:a-z0-9.\\-]{0,60}".prop_map(String::into_bytes),
            ],
        ) {
            let _ = parse_key(&bytes);
            let _ = parse_value(&bytes);
        }
    }
}
