//! Raw text to typed values (`ConfigDef.parseType`), and typed access.

use indexmap::IndexMap;

use super::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Password, Validator};
use crate::data::Text;
use crate::{ConnectError, Result};

/// A typed value of a configuration.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ConfigData {
    Null,
    Boolean(bool),
    String(String),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    List(Vec<String>),
    /// A Java class name.
    Class(String),
    Password(Password),
}

impl ConfigData {
    /// Any number as a float; limits of validators are small integers.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(f64::from(*value)),
            Self::Short(value) => Some(f64::from(*value)),
            Self::Long(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of a string or class.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(value) | Self::Class(value) => Some(value),
            _ => None,
        }
    }

    /// As Java prints the object within a message: lists in brackets, secrets
    /// hidden.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::List(values) => format!("[{}]", values.join(", ")),
            _ => self.configured().unwrap_or_default(),
        }
    }

    /// As a REST answer shows the value (`ConfigDef.convertToString`): lists
    /// joined with commas, secrets hidden, `None` for null.
    pub fn configured(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::String(value) | Self::Class(value) => value.clone(),
            Self::Int(value) => value.to_string(),
            Self::Short(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Double(value) => crate::data::java_f64(*value).to_string(),
            Self::List(values) => values.join(","),
            Self::Password(_) => Password::HIDDEN.to_owned(),
        })
    }
}

impl ConfigKey {
    /// Reads raw text as this key's type.
    ///
    /// # Errors
    /// The reference's message.
    pub fn parse(&self, raw: &str) -> Result<ConfigData> {
        let text = raw.trim();
        let not_a_number =
            || self.invalid(raw, &format!("Not a number of type {}", self.kind.name()));
        Ok(match self.kind {
            ConfigType::Boolean if text.eq_ignore_ascii_case("true") => ConfigData::Boolean(true),
            ConfigType::Boolean if text.eq_ignore_ascii_case("false") => ConfigData::Boolean(false),
            ConfigType::Boolean => {
                return Err(self.invalid(raw, "Expected value to be either true or false"));
            }
            ConfigType::String => ConfigData::String(text.to_owned()),
            ConfigType::Int => ConfigData::Int(text.parse().map_err(|_| not_a_number())?),
            ConfigType::Short => ConfigData::Short(text.parse().map_err(|_| not_a_number())?),
            ConfigType::Long => ConfigData::Long(text.parse().map_err(|_| not_a_number())?),
            ConfigType::Double => ConfigData::Double(text.parse().map_err(|_| not_a_number())?),
            ConfigType::List if text.is_empty() => ConfigData::List(Vec::new()),
            ConfigType::List => {
                ConfigData::List(text.split(',').map(|item| item.trim().to_owned()).collect())
            }
            ConfigType::Class => ConfigData::Class(match &self.classes {
                Some(find) => find(text).ok_or_else(|| {
                    self.invalid(raw, &format!("Class {text} could not be found."))
                })?,
                None => text.to_owned(),
            }),
            ConfigType::Password => ConfigData::Password(Password::new(text)),
        })
    }

    /// Checks a value of this key's type against its rule. As in the
    /// reference, the message names an embedded key as it is called where it
    /// was defined.
    ///
    /// # Errors
    /// The reference's message.
    pub fn check(&self, value: &ConfigData) -> Result<()> {
        let Some(validator) = &self.validator else {
            return Ok(());
        };
        let name = self.name.get(self.prefix..).unwrap_or(&self.name);
        validator.check(name, value).map_err(|reason| {
            if validator.is_stated() {
                ConnectError::config(reason)
            } else {
                self.wrong(&value.shown(), name, &reason)
            }
        })
    }

    /// The error for a wrong value of this key. The value of a password is
    /// hidden.
    pub fn invalid(&self, value: &str, reason: &str) -> ConnectError {
        self.wrong(value, &self.name, reason)
    }

    fn wrong(&self, value: &str, name: &str, reason: &str) -> ConnectError {
        let value = if self.kind == ConfigType::Password {
            Password::HIDDEN
        } else {
            value
        };
        ConnectError::config(format!(
            "Invalid value {value} for configuration {name}: {reason}"
        ))
    }
}

/// A configuration whose values have the types of their definition.
#[derive(Debug, Clone)]
pub struct ParsedConfig {
    values: IndexMap<Text, ConfigData>,
}

impl ConfigDef {
    /// Parses a configuration, filling in defaults.
    ///
    /// # Errors
    /// Config, for the first key that is missing or wrong.
    pub fn parse(&self, config: &ConfigMap) -> Result<ParsedConfig> {
        let mut values = IndexMap::with_capacity(self.keys().len());
        for key in self.keys() {
            values.insert(key.name.clone(), self.parse_key(key, config)?);
        }
        Ok(ParsedConfig { values })
    }

    /// Parses one key, filling in its default.
    pub(super) fn parse_key(&self, key: &ConfigKey, config: &ConfigMap) -> Result<ConfigData> {
        let mut value = match config.get(&*key.name) {
            Some(raw) => key.parse(raw)?,
            None => key.default.clone().ok_or_else(|| missing(&key.name))?,
        };
        if let (Some(Validator::Distinct { .. }), ConfigData::List(values)) =
            (&key.validator, &mut value)
        {
            let given = std::mem::take(values);
            for value in given {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        key.check(&value)?;
        Ok(value)
    }
}

/// The error for a key that has neither value nor default.
pub(super) fn missing(name: &str) -> ConnectError {
    ConnectError::config(format!(
        "Missing required configuration \"{name}\" which has no default value."
    ))
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $kind:ty),* $(,)?) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// Config, if the key is not defined with this type or is null: a
        /// mistake in the plugin, not of the user.
        pub fn $name(&self, key: &str) -> Result<$kind> {
            match self.values.get(key) {
                Some(ConfigData::$variant(value)) => Ok(value.clone()),
                _ => Err(undefined(key, stringify!($variant))),
            }
        })*
    };
}

fn undefined(key: &str, kind: &str) -> ConnectError {
    ConnectError::config(format!(
        "Configuration {key} is not defined as a value of type {kind}"
    ))
}

impl ParsedConfig {
    getters! {
        /// A boolean.
        boolean: Boolean => bool,
        /// A text.
        string: String => String,
        /// A 32-bit integer.
        int: Int => i32,
        /// A 16-bit integer.
        short: Short => i16,
        /// A 64-bit integer.
        long: Long => i64,
        /// A list.
        list: List => Vec<String>,
        /// A secret.
        password: Password => Password,
        /// A class name.
        class: Class => String,
    }

    /// A text that may be null.
    pub fn optional_string(&self, key: &str) -> Option<String> {
        self.values
            .get(key)
            .and_then(ConfigData::text)
            .map(str::to_owned)
    }

    /// A secret that may be null.
    pub fn optional_password(&self, key: &str) -> Option<Password> {
        match self.values.get(key) {
            Some(ConfigData::Password(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// The typed value of a key.
    pub fn get(&self, key: &str) -> Option<&ConfigData> {
        self.values.get(key)
    }
}
