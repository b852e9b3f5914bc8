//! `${env:VARIABLE}`
//! (`org.apache.kafka.common.config.provider.EnvVarConfigProvider`).

use std::collections::BTreeMap;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

use super::ConfigProvider;

pub(super) struct EnvVarConfigProvider {
    allowed: Option<Pattern>,
}

impl EnvVarConfigProvider {
    pub(super) fn new(name: &str, parameters: &ConfigMap) -> Result<Self> {
        let allowed = parameters.get("allowlist.pattern").map(|pattern| {
            Pattern::whole(pattern).map_err(|error| {
                ConnectError::config(format!(
                    "Invalid value {pattern} for configuration \
                     config.providers.{name}.param.allowlist.pattern: Invalid regex"
                ))
                .caused_by(error)
            })
        });
        Ok(Self {
            allowed: allowed.transpose()?,
        })
    }
}

impl ConfigProvider for EnvVarConfigProvider {
    fn get(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>> {
        if !path.is_empty() {
            return Err(ConnectError::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        Ok(keys
            .iter()
            .filter(|key| match &self.allowed {
                Some(pattern) => pattern.matches(key),
                None => true,
            })
            .filter_map(|key| Some(((*key).to_owned(), std::env::var(key).ok()?)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_variables_are_read() -> Result<()> {
        let open = EnvVarConfigProvider::new("env", &ConfigMap::new())?;
        assert_eq!(open.get("", &["PATH", "NO_SUCH_VARIABLE_HERE"])?.len(), 1);
        assert!(open.get("path", &["PATH"]).is_err());
        let parameters = [("allowlist.pattern".to_owned(), "PA".to_owned())]
            .into_iter()
            .collect();
        let closed = EnvVarConfigProvider::new("env", &parameters)?;
        assert!(closed.get("", &["PATH"])?.is_empty());
        Ok(())
    }
}
