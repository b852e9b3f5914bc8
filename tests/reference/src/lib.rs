//! The reference's own classes as the judge: questions to the Java oracle, and
//! schemas and values in the form that it reads and writes.
//!
//! The form is described in `tests/java/oracle/tether/oracle`, in
//! `SchemaJson.java` and `ValueJson.java`.

mod registry;
mod schema;
mod value;
mod verdict;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use tether_api::data::{Bytes, SchemaAndValue, SchemaRef, Value};
use tether_services::Oracle;

pub use registry::StubRegistry;
pub use schema::{schema_from_json, schema_to_json};
pub use value::{value_from_json, value_to_json};
pub use verdict::{Shown, Verdicts};

/// What a call gave: a result, or a Java exception class and its message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    /// The call returned.
    Returned(T),
    /// The call failed.
    Failed {
        /// The Java exception class.
        class: String,
        /// Its message.
        message: String,
    },
}

impl<T: PartialEq> Outcome<T> {
    /// Whether this, which is ours, is what the reference gave. Where the
    /// reference fails by a mistake of its own, failing is enough.
    pub fn agrees_with(&self, reference: &Self) -> bool {
        match (self, reference) {
            (Self::Failed { .. }, Self::Failed { class, .. }) if is_mistake(class) => true,
            _ => self == reference,
        }
    }
}

fn is_mistake(class: &str) -> bool {
    matches!(
        class,
        "java.lang.NullPointerException" | "java.lang.ClassCastException"
    )
}

impl<T> From<tether_api::Result<T>> for Outcome<T> {
    fn from(result: tether_api::Result<T>) -> Self {
        match result {
            Ok(value) => Self::Returned(value),
            Err(error) => Self::Failed {
                class: error.java_class().to_owned(),
                message: error.message().to_owned(),
            },
        }
    }
}

/// A configuration as it is passed to a plugin.
pub type Config<'a> = &'a [(&'a str, &'a str)];

/// Asks what a converter makes of data. `op` is `from_connect` or
/// `from_connect_header`.
///
/// # Errors
/// The oracle does not answer, or not in its form.
pub fn ask_bytes(
    op: &str,
    class: &str,
    config: Config<'_>,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<Outcome<Option<Bytes>>> {
    ask_bytes_with_headers(op, class, config, &[], schema, value)
}

/// The same of a record with these headers.
///
/// # Errors
/// The oracle does not answer, or not in its form.
pub fn ask_bytes_with_headers(
    op: &str,
    class: &str,
    config: Config<'_>,
    headers: &[(&str, Option<&str>)],
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<Outcome<Option<Bytes>>> {
    let headers = headers
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    ask(
        &json!({
            "op": op,
            "converter": class,
            "config": config_to_json(config),
            "topic": "t",
            "headers": headers.collect::<Vec<_>>(),
            "schema": schema.map_or(Json::Null, schema_to_json),
            "value": value_to_json(value),
        }),
        |answer| bytes_from_json(&answer["bytes"]),
    )
}

/// Asks what a converter reads. `op` is `to_connect` or `to_connect_header`.
///
/// # Errors
/// The oracle does not answer, or not in its form.
pub fn ask_data(
    op: &str,
    class: &str,
    config: Config<'_>,
    bytes: Option<&[u8]>,
) -> Result<Outcome<SchemaAndValue>> {
    ask(
        &json!({
            "op": op,
            "converter": class,
            "config": config_to_json(config),
            "topic": "t",
            "bytes": bytes.map(|bytes| STANDARD.encode(bytes)),
        }),
        |answer| {
            let schema = schema_from_json(&answer["schema"])?;
            let value = value_from_json(&answer["value"], schema.as_ref())?;
            Ok(SchemaAndValue { schema, value })
        },
    )
}

/// Asks one question; `read` takes the answer apart unless it is an exception.
///
/// # Errors
/// The oracle does not answer, or not in its form.
pub fn ask<T>(question: &Json, read: impl FnOnce(&Json) -> Result<T>) -> Result<Outcome<T>> {
    let class = &question["converter"]
        .as_str()
        .or(question["class"].as_str());
    let class = class.unwrap_or_default();
    let oracle = if class.starts_with("io.confluent.connect.protobuf.") {
        Oracle::protobuf()?
    } else if class.starts_with("io.debezium.") {
        Oracle::debezium()?
    } else {
        Oracle::shared()?
    };
    let answer = oracle.ask(question)?;
    let Some(class) = answer["error"].as_str() else {
        let outcome = read(&answer).with_context(|| format!("unexpected answer {answer}"))?;
        return Ok(Outcome::Returned(outcome));
    };
    Ok(Outcome::Failed {
        class: class.to_owned(),
        // The oracle's maps keep their order; those of converters do not.
        message: answer["message"]
            .as_str()
            .unwrap_or_default()
            .replace("java.util.LinkedHashMap", "java.util.HashMap"),
    })
}

/// A configuration as the oracle reads it.
pub fn config_to_json(config: Config<'_>) -> Json {
    config
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Json::from(*value)))
        .collect()
}

fn bytes_from_json(json: &Json) -> Result<Option<Bytes>> {
    match json {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(STANDARD.decode(text)?.into())),
        _ => bail!("not bytes: {json}"),
    }
}
