//! Validation of a whole configuration, every error at once
//! (`ConfigDef.validate`).

use super::parse::missing;
use super::{ConfigData, ConfigDef, ConfigMap};

/// What is known of one key after validation.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigValue {
    /// The key.
    pub name: String,
    /// The typed value; null if the text has not the key's type.
    pub value: ConfigData,
    /// Values to choose from.
    pub recommended: Vec<String>,
    /// What is wrong, in messages for a person.
    pub errors: Vec<String>,
    /// What works and will be regretted, in messages for a person. Unlike
    /// errors they do not refuse a configuration. Kafka Connect knows nothing
    /// of the kind, so they are shown by `tether validate` only.
    pub warnings: Vec<String>,
    /// Whether the key has any effect.
    pub visible: bool,
}

impl ConfigValue {
    /// A value without errors.
    pub fn new(name: impl Into<String>, value: ConfigData) -> Self {
        Self {
            name: name.into(),
            value,
            recommended: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            visible: true,
        }
    }

    /// Adds an error.
    pub fn error(&mut self, message: impl Into<String>) {
        self.errors.push(message.into());
    }

    /// Adds a warning.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(message.into());
    }
}

impl ConfigDef {
    /// Checks a configuration: one entry per key, in the order of the
    /// definition. Keys that are not defined are left out.
    pub fn validate(&self, config: &ConfigMap) -> Vec<ConfigValue> {
        self.keys()
            .map(|key| {
                let mut result = ConfigValue::new(&*key.name, ConfigData::Null);
                let parsed = match config.get(&*key.name) {
                    Some(raw) => key.parse(raw),
                    None => key.default.clone().ok_or_else(|| missing(&key.name)),
                };
                match parsed {
                    Ok(value) => result.value = value,
                    Err(error) => result.error(error.to_string()),
                }
                // As in the reference, the rule sees null where there is no
                // value, so that some keys have two errors.
                if let Err(error) = key.check(&result.value) {
                    result.error(error.message());
                }
                if let Some(recommender) = &key.recommender {
                    result.recommended = (recommender.values)(config);
                    result.visible = (recommender.visible)(config);
                }
                result
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConfigKey, ConfigType, Password, Validator};
    use super::*;

    fn definition() -> ConfigDef {
        ConfigDef::new()
            .define(ConfigKey::new("topic", ConfigType::String).validator(Validator::NonEmpty))
            .define(
                ConfigKey::new("tasks.max", ConfigType::Int)
                    .default_int(1)
                    .validator(Validator::AtLeast(1)),
            )
            .define(ConfigKey::new("secret", ConfigType::Password).default_null())
            .define(
                ConfigKey::new("mode", ConfigType::String)
                    .default_string("none")
                    .validator(Validator::OneOf(&["none", "all"])),
            )
    }

    fn errors(config: &[(&str, &str)]) -> Vec<String> {
        let config = config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        definition()
            .validate(&config)
            .into_iter()
            .flat_map(|value| value.errors)
            .collect()
    }

    #[test]
    fn all_errors_come_at_once() {
        assert_eq!(
            errors(&[("tasks.max", "0"), ("mode", "some")]),
            [
                "Missing required configuration \"topic\" which has no default value.",
                "Invalid value 0 for configuration tasks.max: Value must be at least 1",
                "Invalid value some for configuration mode: String must be one of: none, all",
            ]
        );
        assert_eq!(
            errors(&[("tasks.max", "x"), ("topic", "")]),
            [
                "Invalid value  for configuration topic: String must be non-empty",
                "Invalid value x for configuration tasks.max: Not a number of type INT",
                "Invalid value null for configuration tasks.max: Value must be non-null",
            ]
        );
    }

    #[test]
    fn secrets_do_not_show() {
        let config = [("topic", "t"), ("secret", "hunter2")];
        let config = config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let values = definition().validate(&config);
        assert_eq!(
            values[2].value.configured().as_deref(),
            Some(Password::HIDDEN)
        );
        assert!(!format!("{values:?}").contains("hunter2"));
    }
}
