//! The body of `PATCH /connectors/{connector}/offsets` (KIP-875).

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Number, Value as Json};
use tether_api::data::{MapValue, Value};
use tether_api::offset::OffsetMap;
use tether_worker::herder::ConnectorOffset;

use super::{FromJson, coerce};
use crate::error::RestError;

/// Offsets to set. What partitions and offsets must look like is the
/// connector's affair; here they are any JSON objects.
#[derive(Debug, PartialEq)]
pub(crate) struct OffsetsRequest(pub(crate) Vec<ConnectorOffset>);

impl FromJson for OffsetsRequest {
    fn from_json(json: &RawValue) -> Result<Self, RestError> {
        let mut offsets = Vec::new();
        for (field, value) in coerce::object(json, "the request body")? {
            if field != "offsets" {
                return Err(coerce::unknown_field(
                    &field,
                    "the request body",
                    &["offsets"],
                ));
            }
            if coerce::is_null(value) {
                continue;
            }
            offsets = coerce::array(value, "\"offsets\"")?
                .into_iter()
                .enumerate()
                .map(|(index, entry)| offset(entry, &format!("\"offsets\"[{index}]")))
                .collect::<Result<_, _>>()?;
        }
        if offsets.is_empty() {
            return Err(RestError::bad_request(
                "Partitions / offsets need to be provided for an alter offsets request",
            ));
        }
        Ok(Self(offsets))
    }
}

fn offset(json: &RawValue, place: &str) -> Result<ConnectorOffset, RestError> {
    let mut found = ConnectorOffset {
        partition: None,
        offset: None,
    };
    for (field, value) in coerce::object(json, place)? {
        let within = format!("\"{field}\" in {place}");
        match field.as_str() {
            "partition" => found.partition = fields(value, &within)?,
            "offset" => found.offset = fields(value, &within)?,
            _ => {
                return Err(coerce::unknown_field(
                    &field,
                    place,
                    &["partition", "offset"],
                ));
            }
        }
    }
    Ok(found)
}

fn fields(json: &RawValue, place: &str) -> Result<Option<OffsetMap>, RestError> {
    if coerce::is_null(json) {
        return Ok(None);
    }
    let entries = match coerce::read(json, place)? {
        Json::Object(entries) => entries,
        _ => return Err(coerce::unexpected(place, "an object", json)),
    };
    bounded(entries, place)?
        .into_iter()
        .map(|(name, value)| {
            let value = data(value, &format!("\"{name}\" of {place}"))?;
            Ok((name, value))
        })
        .collect::<Result<OffsetMap, _>>()
        .map(Some)
}

/// Adding to a map takes as long as the map is, so its size is bounded.
fn bounded(entries: Map<String, Json>, place: &str) -> Result<Map<String, Json>, RestError> {
    const MOST: usize = 1000;
    if entries.len() > MOST {
        return Err(RestError::bad_request(format!(
            "Invalid value for {place}: it has more than {MOST} fields"
        )));
    }
    Ok(entries)
}

/// JSON as schemaless data. The depth is bounded by the parser.
fn data(json: Json, place: &str) -> Result<Value, RestError> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(flag),
        Json::String(text) => Value::String(text.into()),
        Json::Number(number) => numeric(&number, place)?,
        Json::Array(items) => {
            let items = items.into_iter().map(|item| data(item, place));
            Value::Array(Arc::new(items.collect::<Result<_, _>>()?))
        }
        Json::Object(entries) => {
            let mut map = MapValue::default();
            for (key, value) in bounded(entries, place)? {
                map.insert(Value::String(key.into()), data(value, place)?);
            }
            Value::Map(Arc::new(map))
        }
    })
}

fn numeric(number: &Number, place: &str) -> Result<Value, RestError> {
    let text = number.as_str();
    if text.contains(['.', 'e', 'E']) {
        return match number.as_f64() {
            Some(value) if value.is_finite() => Ok(Value::Float64(value)),
            _ => Err(RestError::bad_request(format!(
                "Invalid value {text} for {place}: the number does not fit a 64-bit float"
            ))),
        };
    }
    text.parse().map(Value::Int64).map_err(|_| {
        RestError::bad_request(format!(
            "Invalid value {text} for {place}: the number does not fit a 64-bit integer"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: Json) -> Result<Vec<ConnectorOffset>, String> {
        OffsetsRequest::from_json(&serde_json::value::to_raw_value(&json).unwrap())
            .map(|request| request.0)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn partitions_and_offsets_become_maps() {
        let found = read(json!({"offsets": [
            {"partition": {"f": "x"}, "offset": {"p": 5, "r": 1.5, "d": true, "n": null}},
            {"partition": null},
        ]}));
        let expected = vec![
            ConnectorOffset {
                partition: Some(OffsetMap::new().with("f", "x")),
                offset: Some(
                    OffsetMap::new()
                        .with("p", 5i64)
                        .with("r", 1.5f64)
                        .with("d", true)
                        .with("n", Value::Null),
                ),
            },
            ConnectorOffset {
                partition: None,
                offset: None,
            },
        ];
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn mistakes_are_explained() {
        let none = "Partitions / offsets need to be provided for an alter offsets request";
        for body in [json!({}), json!({"offsets": null}), json!({"offsets": []})] {
            assert_eq!(read(body), Err(none.to_owned()));
        }
        assert_eq!(
            read(json!({"offsets": {}})),
            Err("Invalid value for \"offsets\": expected an array, but found an object".to_owned())
        );
        assert_eq!(
            read(json!({"offsets": [{"partition": 1}]})),
            Err(
                "Invalid value for \"partition\" in \"offsets\"[0]: expected an object, but found \
                 a number"
                    .to_owned()
            )
        );
        assert_eq!(
            read(json!({"offsets": [{"offset": {"a": 9_223_372_036_854_775_808u64}}]})),
            Err(
                "Invalid value 9223372036854775808 for \"a\" of \"offset\" in \"offsets\"[0]: the \
                 number does not fit a 64-bit integer"
                    .to_owned()
            )
        );
    }
}
