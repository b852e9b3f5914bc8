//! JSON to the texts of a configuration, as Jackson reads a
//! `Map<String, String>`. Values are looked at as they were written, because
//! numbers keep their characters.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tether_worker::herder::RawConfig;

use crate::error::RestError;

/// The fields of an object in order; the last of equal ones counts.
pub(super) type Fields<'a> = IndexMap<String, &'a RawValue>;

/// Whether a value is the JSON null.
pub(super) fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

/// The error for a part of a body that has the wrong form.
pub(super) fn unexpected(place: &str, expected: &str, found: &RawValue) -> RestError {
    let found = match found.get().as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    };
    RestError::bad_request(format!(
        "Invalid value for {place}: expected {expected}, but found {found}"
    ))
}

/// Reads a value that is valid JSON already, but may hold a broken escape or be
/// nested too deeply.
pub(super) fn read<T: DeserializeOwned>(json: &RawValue, place: &str) -> Result<T, RestError> {
    serde_json::from_str(json.get()).map_err(|error| broken(place, &error))
}

fn broken(place: &str, error: &serde_json::Error) -> RestError {
    RestError::bad_request(format!("Invalid value for {place}: {error}"))
}

/// The fields of an object.
pub(super) fn object<'a>(json: &'a RawValue, place: &str) -> Result<Fields<'a>, RestError> {
    if !json.get().starts_with('{') {
        return Err(unexpected(place, "an object", json));
    }
    serde_json::from_str(json.get()).map_err(|error| broken(place, &error))
}

/// The elements of an array.
pub(super) fn array<'a>(json: &'a RawValue, place: &str) -> Result<Vec<&'a RawValue>, RestError> {
    if !json.get().starts_with('[') {
        return Err(unexpected(place, "an array", json));
    }
    serde_json::from_str(json.get()).map_err(|error| broken(place, &error))
}

/// A scalar as its text; `None` for null.
pub(super) fn text(json: &RawValue, place: &str) -> Result<Option<String>, RestError> {
    match json.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => read(json, place).map(Some),
        Some(b'{' | b'[') => Err(unexpected(place, "a string, number or boolean", json)),
        _ => Ok(Some(json.get().to_owned())),
    }
}

/// A configuration. Nulls stay, so that a patch can delete keys.
pub(super) fn config(json: &RawValue, place: &str) -> Result<RawConfig, RestError> {
    object(json, place)?
        .into_iter()
        .map(|(key, value)| {
            let value = text(value, &format!("\"{key}\" in {place}"))?;
            Ok((key, value))
        })
        .collect()
}

/// The error for a field that a body must not have.
pub(super) fn unknown_field(name: &str, place: &str, known: &[&str]) -> RestError {
    RestError::bad_request(format!(
        "Unrecognized field \"{name}\" in {place}; it may have the fields {}",
        known.join(", ")
    ))
}
