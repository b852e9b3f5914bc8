//! Validation: everything that is wrong with a configuration, key by key.

use tether_api::config::{ConfigData, ConfigMap, ConfigValue};

use super::check::{Check, messages};
use super::field::Field;
use super::fields::{self, GROUPS, UNLISTED};
use super::unavailable::unavailable;

/// Key of which nothing is shown, as in the reference.
static INVISIBLE: &Field = &fields::SCHEMA_EXCLUDE_LIST;

/// What is known of each key: errors in the reference's words, words to choose
/// from, and, as in the reference, never a value. Keys that the reference does
/// not list it does not check either before the task starts; what is wrong with
/// them is a warning.
pub fn validate(config: &ConfigMap) -> Vec<ConfigValue> {
    let mut values: Vec<ConfigValue> = GROUPS
        .iter()
        .flat_map(|(_, fields)| fields.iter())
        .map(|field| ConfigValue {
            errors: messages(field, config),
            recommended: recommended(field),
            visible: !std::ptr::eq(*field, INVISIBLE),
            ..ConfigValue::new(field.name, ConfigData::Null)
        })
        .collect();
    values.extend(UNLISTED.iter().map(|field| ConfigValue {
        warnings: messages(field, config),
        ..ConfigValue::new(field.name, ConfigData::Null)
    }));
    for (field, reason) in unavailable(config) {
        // A key that is wrong by itself says enough.
        if let Some(value) = values.iter_mut().find(|value| value.name == field.name)
            && value.errors.is_empty()
        {
            value.error(format!("The '{}' value is invalid: {reason}", field.name));
        }
    }
    values
}

fn recommended(field: &Field) -> Vec<String> {
    let words = field.checks.iter().find_map(|check| match check {
        Check::OneOf(words, _) => Some(words()),
        _ => None,
    });
    words.unwrap_or_default()
}
