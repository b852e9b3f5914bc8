//! The `allowed.paths` parameter of the providers that read files
//! (`org.apache.kafka.common.config.internals.AllowedPaths`).

use std::path::{Path, PathBuf};

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

/// The folders and files that a provider may read; everything if none are
/// given.
pub(super) struct AllowedPaths(Option<Vec<PathBuf>>);

impl AllowedPaths {
    /// Reads the parameter.
    ///
    /// # Errors
    /// Config, if a path is relative or does not exist.
    pub(super) fn new(provider: &str, parameters: &ConfigMap) -> Result<Self> {
        let Some(list) = parameters
            .get("allowed.paths")
            .filter(|list| !list.is_empty())
        else {
            return Ok(Self(None));
        };
        let paths = list.split(',').map(|text| {
            let path = Path::new(text.trim());
            let wrong = |why: &str| {
                ConnectError::config(format!(
                    "Invalid value {} for configuration config.providers.{provider}.param.allowed.paths: {why}",
                    path.display()
                ))
            };
            if !path.is_absolute() {
                return Err(wrong("Path is not absolute"));
            }
            path.canonicalize().map_err(|_| wrong("Path does not exist"))
        });
        Ok(Self(Some(paths.collect::<Result<_>>()?)))
    }

    /// The path, links followed, if it may be read. A path outside is logged.
    pub(super) fn check(&self, path: &str) -> Option<PathBuf> {
        let Some(allowed) = &self.0 else {
            return Some(PathBuf::from(path));
        };
        // Links are followed first, so that none leads out of the folder.
        let real = Path::new(path).canonicalize().ok()?;
        if allowed.iter().any(|prefix| real.starts_with(prefix)) {
            return Some(real);
        }
        tracing::warn!(
            path,
            "The path is not within allowed.paths; its variables stay unresolved"
        );
        None
    }
}
