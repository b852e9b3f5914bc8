//! Where a worker's properties come from, and the variables in them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tether_api::config::ConfigMap;
use tether_worker::config_provider::{VariableResolver, properties_file};

/// The properties of a worker and what resolves the variables of its
/// connectors.
pub(crate) struct WorkerProperties {
    /// The properties, variables resolved.
    pub(crate) properties: ConfigMap,
    /// The worker's config providers.
    pub(crate) variables: Arc<VariableResolver>,
}

impl WorkerProperties {
    /// From a properties file.
    ///
    /// # Errors
    /// If the file cannot be read or a config provider is wrong.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        let raw = properties_file::read(path)
            .with_context(|| format!("Could not read the worker properties {}", path.display()))?;
        Self::resolve(&raw)
    }

    /// Resolves the variables of these properties.
    ///
    /// # Errors
    /// If a config provider is wrong or cannot read its path.
    pub(crate) fn resolve(raw: &ConfigMap) -> Result<Self> {
        let variables = VariableResolver::new(raw)?;
        Ok(Self {
            properties: variables.resolve(raw)?,
            variables: Arc::new(variables),
        })
    }
}
