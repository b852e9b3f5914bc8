//! The definitions of Java's clients as [`ConfigDef`]s.

use std::sync::OnceLock;

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, Validator};

use super::ClientKind;
use super::table::{Check, JavaDefault, PROPERTIES, Property};

/// The properties of one of Java's clients: names, types, defaults, rules and
/// importance (`ProducerConfig.configDef()` and so on), without documentation.
/// Serializers are optional, for records go as bytes.
pub fn definition(kind: ClientKind) -> &'static ConfigDef {
    static DEFINITIONS: [OnceLock<ConfigDef>; 3] = [const { OnceLock::new() }; 3];
    DEFINITIONS[kind as usize].get_or_init(|| {
        PROPERTIES
            .iter()
            .filter(|property| property.is_of(kind))
            .fold(ConfigDef::new(), |definition, property| {
                definition.define(key(property))
            })
    })
}

fn key(property: &Property) -> ConfigKey {
    let mut key = ConfigKey::new(property.name, property.kind).importance(property.importance);
    key.default = match property.default {
        JavaDefault::Required => None,
        JavaDefault::Null => Some(ConfigData::Null),
        // The table's values have the types of their keys; a test says so.
        JavaDefault::Value(text) => Some(key.parse(text).unwrap_or(ConfigData::Null)),
    };
    key.validator = validator(property.check);
    key
}

fn validator(check: Check) -> Option<Validator> {
    Some(match check {
        Check::None => return None,
        Check::AtLeast(least) => Validator::AtLeast(least),
        Check::Between(least, most) => Validator::Between(least, most),
        Check::OneOf(allowed) => Validator::OneOf(allowed),
        Check::OneOfIgnoreCase(allowed) => Validator::OneOfIgnoreCase(allowed),
        Check::NonEmpty => Validator::NonEmpty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_its_type() {
        for property in PROPERTIES {
            if let JavaDefault::Value(text) = property.default {
                let key = key(property);
                key.parse(text).unwrap();
                assert_ne!(key.default, Some(ConfigData::Null), "{}", property.name);
            }
        }
    }

    #[test]
    fn clients_have_as_many_properties_as_in_java() {
        let count = |kind| definition(kind).keys().len();
        assert_eq!(count(ClientKind::Producer), 113);
        assert_eq!(count(ClientKind::Consumer), 116);
        assert_eq!(count(ClientKind::Admin), 91);
    }
}
