//! Connector configurations that a standalone worker starts with
//! (`ConnectStandalone.parseConnectorConfigurationFile`): a flat JSON object, a
//! create request, or a properties file.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tether_api::config::ConfigMap;
use tether_worker::config_provider::properties_file;

/// A connector to create.
#[derive(Debug, PartialEq)]
pub(crate) struct ConnectorFile {
    /// The name.
    pub(crate) name: String,
    /// The configuration, with `name`.
    pub(crate) config: ConfigMap,
    /// The state to begin in, as the file says it.
    pub(crate) initial_state: Option<String>,
}

/// Reads a connector file.
///
/// # Errors
/// If it cannot be read, is none of the three forms or has no name.
pub(crate) fn read(path: &Path) -> Result<ConnectorFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("Could not read the connector file {}", path.display()))?;
    parse(&text).with_context(|| format!("Connector file {}", path.display()))
}

fn parse(text: &str) -> Result<ConnectorFile> {
    let (mut config, name, initial_state) = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(mut object)) if object.get("config").is_some_and(Value::is_object) => {
            let name = object
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let state = object
                .get("initial_state")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let config = object.remove("config").unwrap_or_default();
            (flat(&config)?, name, state)
        }
        Ok(value @ Value::Object(_)) => (flat(&value)?, None, None),
        Ok(_) => bail!("the JSON in it is not an object"),
        Err(error) if text.trim_start().starts_with('{') => {
            bail!("the JSON in it is broken: {error}")
        }
        Err(_) => match properties_file::parse(text) {
            Ok(config) => (config, None, None),
            Err(line) => bail!(
                "it is neither JSON nor a properties file: malformed \\uxxxx encoding in line {line}"
            ),
        },
    };
    if let (Some(name), Some(inner)) = (&name, config.get("name"))
        && name != inner
    {
        bail!(
            "Connector name configuration in 'config' ({inner}) doesn't match the one specified in 'name' ({name})"
        );
    }
    let Some(name) = name
        .or_else(|| config.get("name").cloned())
        .filter(|name| !name.is_empty())
    else {
        bail!("it has no connector name: add a line 'name=...' or a field \"name\"");
    };
    config
        .entry("name".to_owned())
        .or_insert_with(|| name.clone());
    Ok(ConnectorFile {
        name,
        config,
        initial_state,
    })
}

/// A JSON object of scalars as text.
fn flat(value: &Value) -> Result<ConfigMap> {
    let mut config = ConfigMap::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => bail!("the value of {key} is null"),
            Value::Array(_) | Value::Object(_) => {
                bail!("the value of {key} is not text: write lists as text with commas")
            }
        };
        config.insert(key.clone(), text);
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> (String, Vec<String>) {
        let file = parse(text).expect("valid");
        (file.name, file.config.into_keys().collect())
    }

    #[test]
    fn all_three_forms_are_read() {
        let expected = (
            "a".to_owned(),
            vec!["name".to_owned(), "tasks.max".to_owned()],
        );
        assert_eq!(keys(r#"{"name":"a","tasks.max":1}"#), expected);
        assert_eq!(keys("name=a\ntasks.max=1\n"), expected);
        let request = parse(
            r#"{"name":"a","config":{"tasks.max":"1","name":"a"},"initial_state":"PAUSED","more":[]}"#,
        )
        .expect("valid");
        assert_eq!((request.name.as_str(), request.config.len()), ("a", 2));
        assert_eq!(request.initial_state.as_deref(), Some("PAUSED"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |text: &str| format!("{:#}", parse(text).expect_err("refused"));
        assert!(message(r#"{"tasks.max":1}"#).contains("no connector name"));
        assert!(message(r#"{"name":"a","x":[1]}"#).contains("the value of x"));
        assert!(message("[1]").contains("not an object"));
        assert!(message("{\"name\":\"a\",\n").contains("line 2"));
        let two = message(r#"{"name":"a","config":{"name":"b"}}"#);
        assert!(two.contains("(b) doesn't match"), "{two}");
    }
}
