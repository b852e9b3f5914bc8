//! `${directory:/path/to/folder:file}`
//! (`org.apache.kafka.common.config.provider.DirectoryConfigProvider`).

use std::collections::BTreeMap;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

use super::ConfigProvider;
use super::allowed_paths::{AllowedPaths, read_bounded};

pub(super) struct DirectoryConfigProvider {
    allowed: AllowedPaths,
}

impl DirectoryConfigProvider {
    pub(super) fn new(name: &str, parameters: &ConfigMap) -> Result<Self> {
        Ok(Self {
            allowed: AllowedPaths::new(name, parameters)?,
        })
    }
}

impl ConfigProvider for DirectoryConfigProvider {
    /// The whole content of the file of each name, a trailing line end
    /// included, as the reference does.
    fn get(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        if path.is_empty() {
            return Ok(values);
        }
        let Some(folder) = self.allowed.check(path) else {
            return Ok(values);
        };
        for key in keys {
            // A key is a file's name, never a way to another folder.
            if key.contains('/') {
                continue;
            }
            let file = folder.join(key);
            if !file.is_file() {
                continue;
            }
            let content = read_bounded(&file).map_err(|error| {
                ConnectError::config(format!("Could not read file {}: {error}", file.display()))
            })?;
            let content = String::from_utf8(content).map_err(|_| {
                ConnectError::config(format!(
                    "Could not read file {}: it is not UTF-8 text",
                    file.display()
                ))
            })?;
            values.insert((*key).to_owned(), content);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_file() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("password"), "s3cret\n")?;
        let provider = DirectoryConfigProvider::new("directory", &ConfigMap::new())?;
        let values = provider.get(&folder.path().to_string_lossy(), &["password", "x", "../y"])?;
        assert_eq!(
            values.into_iter().collect::<Vec<_>>(),
            [("password".into(), "s3cret\n".into())]
        );
        Ok(())
    }
}
