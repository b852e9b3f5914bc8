//! The names that tell more than JSON Schema does: keywords in schemas, and
//! parameters of Connect schemas.

use tether_api::data::{Decimal, Schema, Type};

/// What the converter's own parameters begin with.
pub(super) const NAMESPACE: &str = "io.confluent.connect.json";

// Keywords.
pub(super) const CONNECT_TYPE: &str = "connect.type";
pub(super) const CONNECT_INDEX: &str = "connect.index";
pub(super) const CONNECT_VERSION: &str = "connect.version";
pub(super) const CONNECT_PARAMETERS: &str = "connect.parameters";

// The members of an entry of a map.
pub(super) const KEY: &str = "key";
pub(super) const VALUE: &str = "value";

/// The parameter of a struct that is used in several places: its id.
pub(super) const ID: &str = "io.confluent.connect.json.Id";
/// What ids begin with.
pub(super) const ID_PREFIX: &str = "#id";
/// The name of a struct that stands for a union.
pub(super) const ONE_OF: &str = "io.confluent.connect.json.OneOf";
/// The parameter of enumerations.
pub(super) const ENUM: &str = "io.confluent.connect.json.Enum";
/// The parameters of enumerations and unions that all formats share.
pub(super) const SHARED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
pub(super) const SHARED_UNION: &str = "org.apache.kafka.connect.data.Union";
/// What the names of such unions and of their fields begin with.
pub(super) const SHARED_UNION_PREFIX: &str = "connect_union_";
pub(super) const SHARED_FIELD_PREFIX: &str = "connect_union_field_";
/// The symbol for null.
pub(super) const NULL_SYMBOL: &str = "<NULL>";

pub(super) const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";

/// Whether a struct stands for a union.
pub(crate) fn is_union(schema: &Schema) -> bool {
    schema.kind() == Type::Struct
        && (schema.name() == Some(ONE_OF) || schema.parameters().get(SHARED_UNION).is_some())
}

/// Whether maps of this schema are objects in JSON.
pub(super) fn is_object(schema: &Schema) -> bool {
    let keys = schema.key_schema();
    keys.is_some_and(|keys| keys.kind() == Type::String && !keys.is_optional())
}

/// The symbols of an enumeration.
pub(super) fn symbols(schema: &Schema, shared: bool) -> Option<Vec<&str>> {
    let parameters = schema.parameters();
    if parameters.get(ENUM).is_none() && parameters.get(SHARED_ENUM).is_none() {
        return None;
    }
    let name = if shared { SHARED_ENUM } else { ENUM };
    let symbol = |key: &'_ str| -> Option<usize> {
        key.strip_prefix(name)?
            .starts_with('.')
            .then_some(name.len() + 1)
    };
    let keys = parameters.iter().map(|(key, _)| &**key);
    Some(keys.filter_map(|key| Some(&key[symbol(key)?..])).collect())
}

/// A number as `org.json` prints it and Jackson reads it: without zeros at the
/// end, and with the exponent of Java's decimals.
pub(super) fn json_number(text: &str) -> String {
    let text = if text.contains('.') && !text.contains(['e', 'E']) {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    java_number(text)
}

/// A number as Java shows it.
pub(super) fn java_number(text: &str) -> String {
    if text.contains(['.', 'e', 'E']) {
        let decimal = text.parse::<Decimal>();
        return decimal.map_or_else(|_| text.to_owned(), |decimal| decimal.to_string());
    }
    let digits = text.trim_start_matches('-').trim_start_matches('0');
    match (text.starts_with('-'), digits) {
        (_, "") => "0".to_owned(),
        (true, digits) => format!("-{digits}"),
        (false, digits) => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_what_they_do_not_need() {
        for (text, number) in [
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("-0.0", "0"),
            ("100", "100"),
            ("1.0E10", "1.0E+10"),
            ("1.0E-5", "0.000010"),
        ] {
            assert_eq!(json_number(text), number);
        }
    }
}
