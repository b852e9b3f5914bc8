//! The body of `POST /connectors`.

use serde_json::value::RawValue;
use tether_storage::TargetState;
use tether_worker::herder::RawConfig;

use super::{FromJson, coerce};
use crate::error::RestError;

/// A request to create a connector.
#[derive(Debug, PartialEq)]
pub(crate) struct CreateRequest {
    /// The name without the blanks around it; empty if there is none.
    pub(crate) name: String,
    pub(crate) config: RawConfig,
    /// The state to begin in (KIP-980).
    pub(crate) initial_state: Option<TargetState>,
}

const FIELDS: &[&str] = &["name", "config", "initial_state"];

impl FromJson for CreateRequest {
    fn from_json(json: &RawValue) -> Result<Self, RestError> {
        let (mut name, mut config, mut initial_state) = (None, None, None);
        for (field, value) in coerce::object(json, "the request body")? {
            match field.as_str() {
                "name" => name = coerce::text(value, "\"name\"")?,
                "config" if coerce::is_null(value) => config = None,
                "config" => config = Some(coerce::config(value, "\"config\"")?),
                "initial_state" => {
                    initial_state = coerce::text(value, "\"initial_state\"")?
                        .map(|word| target_state(&word))
                        .transpose()?;
                }
                _ => return Err(coerce::unknown_field(&field, "the request body", FIELDS)),
            }
        }
        let config = config.ok_or_else(|| {
            RestError::bad_request(
                "The request body has no \"config\", which must be the connector's configuration",
            )
        })?;
        // As Java's String.trim: control characters go too.
        let name = name.unwrap_or_default();
        let name = name.trim_matches(|character| character <= ' ').to_owned();
        Ok(Self {
            name,
            config,
            initial_state,
        })
    }
}

/// The word for a state to begin in.
pub(crate) fn initial_state(state: TargetState) -> &'static str {
    match state {
        TargetState::Started => "RUNNING",
        TargetState::Paused => "PAUSED",
        TargetState::Stopped => "STOPPED",
    }
}

fn target_state(word: &str) -> Result<TargetState, RestError> {
    [
        TargetState::Started,
        TargetState::Paused,
        TargetState::Stopped,
    ]
    .into_iter()
    .find(|state| initial_state(*state).eq_ignore_ascii_case(word))
    .ok_or_else(|| {
        RestError::bad_request(format!(
            "Invalid value {word} for \"initial_state\": must be one of RUNNING, PAUSED, STOPPED"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: serde_json::Value) -> Result<CreateRequest, RestError> {
        CreateRequest::from_json(&serde_json::value::to_raw_value(&json).unwrap())
    }

    fn message(json: serde_json::Value) -> String {
        read(json).unwrap_err().message().to_owned()
    }

    #[test]
    fn names_are_trimmed_and_may_be_missing() {
        let name = |json| read(json).unwrap().name;
        assert_eq!(name(json!({"name": " a b\u{1}\t", "config": {}})), "a b");
        assert_eq!(name(json!({"name": null, "config": {}})), "");
        assert_eq!(name(json!({"name": 1.5, "config": {}})), "1.5");
        assert_eq!(name(json!({"config": {}})), "");
    }

    #[test]
    fn states_are_read_in_any_case() {
        let state = |word: &str| {
            read(json!({"config": {}, "initial_state": word}))
                .unwrap()
                .initial_state
        };
        assert_eq!(state("running"), Some(TargetState::Started));
        assert_eq!(state("Paused"), Some(TargetState::Paused));
        assert_eq!(state("STOPPED"), Some(TargetState::Stopped));
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(
            message(json!({"name": "x"})),
            "The request body has no \"config\", which must be the connector's configuration"
        );
        assert_eq!(
            message(json!({"name": "x", "config": null})),
            "The request body has no \"config\", which must be the connector's configuration"
        );
        assert_eq!(
            message(json!({"config": {}, "zzz": 1})),
            "Unrecognized field \"zzz\" in the request body; it may have the fields name, config, \
             initial_state"
        );
        assert_eq!(
            message(json!({"config": {"a": [1]}})),
            "Invalid value for \"a\" in \"config\": expected a string, number or boolean, but \
             found an array"
        );
        assert_eq!(
            message(json!({"config": {}, "initial_state": "nope"})),
            "Invalid value nope for \"initial_state\": must be one of RUNNING, PAUSED, STOPPED"
        );
    }
}
