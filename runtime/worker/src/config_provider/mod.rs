//! Variables in configurations, `${provider:path:key}`, and the providers that
//! resolve them (spec section 2.4).
//!
//! What is stored, and what REST returns, always has the variables; values
//! exist only in memory, where a connector or task starts.

mod allowed_paths;
mod directory;
mod env;
mod file;
pub mod properties_file;
mod redaction;
mod transformer;

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::config::{ConfigMap, with_prefix};
use tether_api::{ConnectError, Result};

pub use redaction::Redaction;
pub use transformer::{Resolved, VariableResolver, has_variable};

/// Where the reference's providers are.
const PACKAGE: &str = "org.apache.kafka.common.config.provider.";

/// Resolves the variables of one provider.
pub trait ConfigProvider: Send + Sync {
    /// The values of keys under a path (empty if the variable has none). Keys
    /// that do not exist are left out.
    ///
    /// # Errors
    /// Config, if the path cannot be read.
    fn get(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>>;
}

/// The providers that `config.providers` names in a worker's properties.
///
/// # Errors
/// Config, if a provider has no class, an unknown class or wrong parameters.
pub fn providers(properties: &ConfigMap) -> Result<BTreeMap<String, Box<dyn ConfigProvider>>> {
    let mut providers: BTreeMap<String, Box<dyn ConfigProvider>> = BTreeMap::new();
    for name in names(properties) {
        let key = format!("config.providers.{name}.class");
        let class = properties.get(&key).map_or("", |class| class.trim());
        let parameters = with_prefix(properties, &format!("config.providers.{name}.param."));
        let provider: Box<dyn ConfigProvider> = match class.strip_prefix(PACKAGE).unwrap_or(class) {
            "FileConfigProvider" => Box::new(file::FileConfigProvider::new(name, &parameters)?),
            "DirectoryConfigProvider" => {
                Box::new(directory::DirectoryConfigProvider::new(name, &parameters)?)
            }
            "EnvVarConfigProvider" => Box::new(env::EnvVarConfigProvider::new(name, &parameters)?),
            "" => {
                return Err(ConnectError::config(format!(
                    "The config provider {name} has no class: set {key}"
                )));
            }
            _ => {
                return Err(ConnectError::config(format!(
                    "Invalid value {class} for configuration {key}: there is no such provider; use \
                     FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider of \
                     org.apache.kafka.common.config.provider"
                )));
            }
        };
        providers.insert(name.to_owned(), provider);
    }
    Ok(providers)
}

/// How long the values of providers count: their parameter `ttl.ms`, which is
/// ours. None of the reference's own providers gives a time.
fn times_to_live(properties: &ConfigMap) -> Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::new();
    for name in names(properties) {
        let key = format!("config.providers.{name}.param.ttl.ms");
        let Some(text) = properties.get(&key) else {
            continue;
        };
        let time: u64 = text.trim().parse().unwrap_or_default();
        if time == 0 {
            return Err(ConnectError::config(format!(
                "Invalid value {text} for configuration {key}: it has to be a positive number of milliseconds"
            )));
        }
        times.insert(name.to_owned(), Duration::from_millis(time));
    }
    Ok(times)
}

fn names(properties: &ConfigMap) -> impl Iterator<Item = &str> {
    properties
        .get("config.providers")
        .map_or("", String::as_str)
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(class: &str) -> Result<usize> {
        let properties = [
            ("config.providers", "a"),
            ("config.providers.a.class", class),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        Ok(providers(&properties)?.len())
    }

    #[test]
    fn only_known_providers_are_taken() -> Result<()> {
        assert_eq!(classes(" EnvVarConfigProvider ")?, 1);
        assert_eq!(classes(&format!("{PACKAGE}FileConfigProvider"))?, 1);
        for unknown in ["", "com.example.FileConfigProvider", "x.VaultProvider"] {
            let error = classes(unknown).expect_err("refused");
            assert!(
                error.message().contains("config.providers.a.class"),
                "{error}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_time_to_live_is_a_positive_number() {
        let times = |text: &str| {
            let properties = [
                ("config.providers", "a"),
                ("config.providers.a.param.ttl.ms", text),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
            times_to_live(&properties)
        };
        assert_eq!(times("5").expect("a time")["a"], Duration::from_millis(5));
        for wrong in ["0", "-1", "soon", ""] {
            let error = times(wrong).expect_err("refused");
            assert!(error.message().contains("param.ttl.ms"), "{error}");
        }
    }
}
