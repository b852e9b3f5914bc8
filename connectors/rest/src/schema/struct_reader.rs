//! Reads JSON text straight into structs of a known schema.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use tether_api::data::{SchemaRef, Struct, Type, Value};
use tether_api::{ConnectError, Result};

/// Why an element does not fit the schema. The text names the field, but
/// nothing of the element's content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Misfit {
    /// A field is not there.
    #[error("field {0} is missing")]
    Missing(Box<str>),
    /// A field has another type, or is a number out of range.
    #[error("field {0} is not {1}")]
    Type(Box<str>, &'static str),
    /// The element itself is no object.
    #[error("it is not an object")]
    NotAnObject,
}

/// Reads the objects of one struct schema. Fields must have exactly their
/// types, nothing is converted with a loss; fields that the schema does not
/// have are skipped; of a repeated field the last one counts.
#[derive(Debug)]
pub(crate) struct StructReader {
    schema: SchemaRef,
    fields: Vec<FieldReader>,
}

#[derive(Debug)]
struct FieldReader {
    name: Box<str>,
    /// The name with those of the enclosing fields, for messages.
    path: Box<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Int32,
    String,
    Struct(StructReader),
}

impl StructReader {
    /// Prepares reading objects of this schema.
    ///
    /// # Errors
    /// Data, if it has a type other than required INT32, STRING and STRUCT.
    pub(crate) fn new(schema: SchemaRef) -> Result<Self> {
        Self::within("", schema)
    }

    fn within(path: &str, schema: SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", field.name);
            let kind = match field.schema.kind() {
                _ if field.schema.is_optional() => None,
                Type::Int32 => Some(Kind::Int32),
                Type::String => Some(Kind::String),
                Type::Struct => Some(Kind::Struct(Self::within(&path, field.schema.clone())?)),
                _ => None,
            };
            let kind = kind.ok_or_else(|| {
                ConnectError::data(format!("Cannot read JSON into {path}: {:?}", field.schema))
            })?;
            Ok(FieldReader {
                name: (*field.name).into(),
                path: path.into(),
                kind,
            })
        });
        Ok(Self {
            fields: fields.collect::<Result<_>>()?,
            schema,
        })
    }

    /// The schema of the structs.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads the text of one JSON value.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub(crate) fn read(&self, json: &str) -> Result<Struct, Misfit> {
        let misfit = Cell::new(None);
        let seed = StructSeed {
            reader: self,
            misfit: &misfit,
        };
        let mut deserializer = serde_json::Deserializer::from_str(json);
        seed.deserialize(&mut deserializer)
            // What serde says would quote the element.
            .map_err(|_| misfit.take().unwrap_or(Misfit::NotAnObject))
    }

    /// The position of a field. Objects usually list their fields in the same
    /// order, so the one after the last found is tried first.
    fn position(&self, name: &str, likely: usize) -> Option<usize> {
        match self.fields.get(likely) {
            Some(field) if *field.name == *name => Some(likely),
            _ => self.schema.field(name).map(|field| field.index),
        }
    }
}

type FirstMisfit = Cell<Option<Misfit>>;

struct StructSeed<'a> {
    reader: &'a StructReader,
    misfit: &'a FirstMisfit,
}

impl<'de> DeserializeSeed<'de> for StructSeed<'_> {
    type Value = Struct;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Struct, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StructSeed<'_> {
    type Value = Struct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Struct, A::Error> {
        let mut values = vec![Value::Null; self.reader.fields.len()];
        let mut likely = 0;
        while let Some(position) = object.next_key_seed(NameSeed {
            reader: self.reader,
            likely,
        })? {
            let Some(position) = position else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            values[position] = object.next_value_seed(FieldSeed {
                field: &self.reader.fields[position],
                misfit: self.misfit,
            })?;
            likely = position + 1;
        }
        if let Some(position) = values.iter().position(Value::is_null) {
            let path = self.reader.fields[position].path.clone();
            self.misfit.set(Some(Misfit::Missing(path)));
            return Err(A::Error::custom("missing field"));
        }
        Struct::from_values(self.reader.schema.clone(), values).map_err(A::Error::custom)
    }
}

/// Turns a name into the position of its field, without keeping the name.
struct NameSeed<'a> {
    reader: &'a StructReader,
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.reader.position(name, self.likely))
    }
}

struct FieldSeed<'a> {
    field: &'a FieldReader,
    misfit: &'a FirstMisfit,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let (value, expected) = match &self.field.kind {
            Kind::Int32 => (deserializer.deserialize_i32(Int32), "a 32-bit integer"),
            Kind::String => (deserializer.deserialize_str(Text), "a string"),
            Kind::Struct(reader) => {
                let seed = StructSeed {
                    reader,
                    misfit: self.misfit,
                };
                (seed.deserialize(deserializer).map(Value::from), "an object")
            }
        };
        value.inspect_err(|_| {
            // The innermost field comes first and stays.
            let first = self
                .misfit
                .take()
                .unwrap_or_else(|| Misfit::Type(self.field.path.clone(), expected));
            self.misfit.set(Some(first));
        })
    }
}

struct Int32;

impl Visitor<'_> for Int32 {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 32-bit integer")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        i32::try_from(number).map(Value::from).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        i32::try_from(number).map(Value::from).map_err(E::custom)
    }

    /// JSON does not tell 1 from 1.0.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        let whole = number as i32;
        if f64::from(whole) == number {
            Ok(whole.into())
        } else {
            Err(E::custom("not a 32-bit integer"))
        }
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tether_api::data::{Schema, SchemaBuilder};

    use super::*;

    fn reader() -> StructReader {
        let text = || Schema::primitive(Type::String, false);
        let inner = SchemaBuilder::structure().field("b", text()).build();
        let schema = SchemaBuilder::structure()
            .field("id", Schema::primitive(Type::Int32, false))
            .field("a", inner)
            .field("c", text())
            .build();
        StructReader::new(schema).unwrap()
    }

    fn read(json: &str) -> Result<String, String> {
        reader()
            .read(json)
            .map(|value| {
                value.validate().unwrap();
                value.to_string()
            })
            .map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn fields_come_in_any_order_with_others_between() {
        let expected = Ok("Struct{id=7,a=Struct{b=x},c=ü\n}".to_owned());
        assert_eq!(read(r#"{"id":7,"a":{"b":"x"},"c":"ü\n"}"#), expected);
        assert_eq!(
            read(r#"{"c":"\u00fc\n","x":[{}],"a":{"y":null,"b":"x"},"id":7.0}"#),
            expected
        );
        assert_eq!(read(r#"{"id":1,"id":7,"a":{"b":"x"},"c":"ü\n"}"#), expected);
    }

    #[test]
    fn misfits_name_the_field_and_not_its_content() {
        for (json, message) in [
            (r#"{"id":7,"a":{},"c":""}"#, "field a.b is missing"),
            (r#"{"a":{"b":""},"c":""}"#, "field id is missing"),
            (
                r#"{"id":7,"a":{"b":5},"c":""}"#,
                "field a.b is not a string",
            ),
            (
                r#"{"id":7,"a":{"b":null},"c":""}"#,
                "field a.b is not a string",
            ),
            (
                r#"{"id":7,"a":"s3cret","c":""}"#,
                "field a is not an object",
            ),
            (r#"{"id":"7"}"#, "field id is not a 32-bit integer"),
            (r#"{"id":7.5}"#, "field id is not a 32-bit integer"),
            (r#"{"id":2147483648}"#, "field id is not a 32-bit integer"),
            (r#"{"id":-2147483649}"#, "field id is not a 32-bit integer"),
            (
                r#"{"id":99999999999999999999}"#,
                "field id is not a 32-bit integer",
            ),
            (r#"{"id":1e400}"#, "field id is not a 32-bit integer"),
            (
                r#"{"id":7,"a":{"b":"\ud800"},"c":""}"#,
                "field a.b is not a string",
            ),
            ("[]", "it is not an object"),
            ("\"s3cret\"", "it is not an object"),
            ("null", "it is not an object"),
        ] {
            assert_eq!(read(json), Err(message.to_owned()), "{json}");
        }
    }

    #[test]
    fn the_whole_range_of_integers_fits() {
        for id in [i32::MIN, -1, 0, i32::MAX] {
            let json = format!(r#"{{"id":{id},"a":{{"b":""}},"c":""}}"#);
            assert_eq!(
                read(&json),
                Ok(format!("Struct{{id={id},a=Struct{{b=}},c=}}"))
            );
        }
    }

    #[test]
    fn schemas_with_other_types_are_refused() {
        for field in [
            Schema::primitive(Type::Float64, false),
            Schema::primitive(Type::String, true),
        ] {
            let schema = SchemaBuilder::structure().field("f", field).build();
            assert!(StructReader::new(schema).is_err());
        }
    }

    proptest! {
        #[test]
        fn texts_arrive_as_they_are(id: i32, b: String, c: String) {
            let json = serde_json::json!({"id": id, "a": {"b": b}, "c": c}).to_string();
            let value = reader().read(&json).unwrap();
            prop_assert_eq!(value.get("id"), Some(&Value::from(id)));
            prop_assert_eq!(value.get("c"), Some(&Value::from(c)));
            let inner = value.get("a").and_then(Value::as_struct).unwrap();
            prop_assert_eq!(inner.get("b"), Some(&Value::from(b)));
        }

        #[test]
        fn any_text_is_handled(json in "[{}\\[\\]\":,abcid1. ]{0,40}") {
            let _ = reader().read(&json);
        }
    }
}
