//! Configuration: raw maps, typed definitions, validation with every error at
//! once.

mod definition;
mod parse;
mod password;
mod validate;
mod validator;

pub use definition::{
    ClassNames, ConfigDef, ConfigKey, ConfigType, Importance, Recommender, Width,
};
pub use parse::{ConfigData, ParsedConfig};
pub use password::Password;
pub use validate::ConfigValue;
pub use validator::{Rule, Validator};

/// A raw configuration in the order in which it was given.
pub type ConfigMap = indexmap::IndexMap<String, String>;

/// The entries whose keys start with `prefix`, prefix removed.
pub fn with_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    config
        .iter()
        .filter_map(|(key, value)| {
            let rest = key.strip_prefix(prefix)?;
            (!rest.is_empty()).then(|| (rest.to_owned(), value.clone()))
        })
        .collect()
}
