//! What `spec` says: the type of the whole value, or types of fields.

use std::collections::BTreeMap;

use tether_api::config::ConfigData;
use tether_api::data::{Text, Type};

use crate::mappings;

pub(super) enum Spec {
    /// The whole value is cast.
    Whole(Type),
    /// Fields are cast.
    Fields(BTreeMap<Text, Type>),
}

const TYPES: [(&str, Type); 12] = [
    ("INT8", Type::Int8),
    ("INT16", Type::Int16),
    ("INT32", Type::Int32),
    ("INT64", Type::Int64),
    ("FLOAT32", Type::Float32),
    ("FLOAT64", Type::Float64),
    ("BOOLEAN", Type::Boolean),
    ("STRING", Type::String),
    ("BYTES", Type::Bytes),
    ("ARRAY", Type::Array),
    ("MAP", Type::Map),
    ("STRUCT", Type::Struct),
];

impl Spec {
    /// Checks the value of the key.
    ///
    /// # Errors
    /// The whole message, in the reference's words.
    pub(super) fn check(value: &ConfigData) -> Result<(), String> {
        match value {
            ConfigData::List(mappings) if !mappings.is_empty() => Self::parse(mappings).map(drop),
            _ => Err("Must specify at least one field to cast.".to_owned()),
        }
    }

    /// Reads pairs of field and type, or one type alone.
    ///
    /// # Errors
    /// The whole message, in the reference's words.
    pub(super) fn parse(mappings: &[String]) -> Result<Self, String> {
        let mut whole = None;
        let mut fields = BTreeMap::new();
        for mapping in mappings {
            match mappings::split(mapping)[..] {
                [kind] => whole = Some(parse_type(kind)?),
                [field, kind] => {
                    fields.insert(Text::from(field.trim()), parse_type(kind)?);
                }
                _ => return Err(mappings::invalid(mappings, mapping)),
            }
        }
        match whole {
            Some(_) if mappings.len() > 1 => Err(
                "Cast transformations that specify a type to cast the entire value to may only \
                 specify a single cast in their spec"
                    .to_owned(),
            ),
            Some(kind) => Ok(Self::Whole(kind)),
            None => Ok(Self::Fields(fields)),
        }
    }
}

fn parse_type(text: &str) -> Result<Type, String> {
    let text = text.trim();
    let name = text.to_uppercase();
    let Some((_, kind)) = TYPES.iter().find(|(candidate, _)| *candidate == name) else {
        return Err(format!(
            "Invalid value java.lang.IllegalArgumentException: No enum constant \
             org.apache.kafka.connect.data.Schema.Type.{name} for configuration Invalid type found \
             in casting spec: {text}"
        ));
    };
    if matches!(kind, Type::Bytes | Type::Array | Type::Map | Type::Struct) {
        return Err(format!(
            "Cast transformation does not support casting to {kind}; supported types are [INT8, \
             INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"
        ));
    }
    Ok(*kind)
}
