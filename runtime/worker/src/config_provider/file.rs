//! `${file:/path/to.properties:key}`
//! (`org.apache.kafka.common.config.provider.FileConfigProvider`).

use std::collections::BTreeMap;

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

use super::ConfigProvider;
use super::allowed_paths::{AllowedPaths, read_bounded};
use super::properties_file;

pub(super) struct FileConfigProvider {
    allowed: AllowedPaths,
}

impl FileConfigProvider {
    pub(super) fn new(name: &str, parameters: &ConfigMap) -> Result<Self> {
        Ok(Self {
            allowed: AllowedPaths::new(name, parameters)?,
        })
    }
}

impl ConfigProvider for FileConfigProvider {
    fn get(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>> {
        if path.is_empty() {
            return Ok(BTreeMap::new());
        }
        let Some(real) = self.allowed.check(path) else {
            return Ok(BTreeMap::new());
        };
        let properties = read_bounded(&real)
            .and_then(properties_file::decode)
            .map_err(|error| {
                ConnectError::config(format!(
                    "Could not read properties from file {path}: {error}"
                ))
            })?;
        Ok(properties
            .into_iter()
            .filter(|(key, _)| keys.contains(&key.as_str()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_file() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("secrets.properties");
        std::fs::write(&path, "user=me\npassword = s3cret\n")?;
        let provider = FileConfigProvider::new("file", &ConfigMap::new())?;
        let path = path.to_string_lossy();
        let values = provider.get(&path, &["password", "nothing"])?;
        assert_eq!(
            values.into_iter().collect::<Vec<_>>(),
            [("password".into(), "s3cret".into())]
        );

        let error = provider
            .get("/nowhere/x", &["a"])
            .expect_err("no such file");
        assert!(
            error
                .message()
                .contains("Could not read properties from file /nowhere/x")
        );
        Ok(())
    }

    #[test]
    fn paths_outside_are_not_read() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let inside = folder.path().join("in");
        std::fs::create_dir(&inside)?;
        let outside = folder.path().join("out.properties");
        std::fs::write(&outside, "a=1")?;
        let parameters: ConfigMap = [(
            "allowed.paths".to_owned(),
            inside.to_string_lossy().into_owned(),
        )]
        .into_iter()
        .collect();
        let provider = FileConfigProvider::new("file", &parameters)?;
        assert!(provider.get(&outside.to_string_lossy(), &["a"])?.is_empty());
        let sneaky = inside.join("../out.properties");
        assert!(provider.get(&sneaky.to_string_lossy(), &["a"])?.is_empty());
        let nowhere = inside.join("../nowhere.properties");
        assert!(provider.get(&nowhere.to_string_lossy(), &["a"])?.is_empty());
        let missing = inside.join("missing.properties");
        assert!(provider.get(&missing.to_string_lossy(), &["a"]).is_err());
        Ok(())
    }

    #[test]
    fn what_is_no_file_is_not_read() -> Result<(), Box<dyn std::error::Error>> {
        let provider = FileConfigProvider::new("file", &ConfigMap::new())?;
        let error = provider.get("/dev/zero", &["a"]).expect_err("endless");
        assert!(error.message().contains("not a regular file"), "{error}");
        let folder = tempfile::tempdir()?;
        let large = folder.path().join("large");
        std::fs::File::create(&large)?.set_len(1 << 40)?;
        let error = provider
            .get(&large.to_string_lossy(), &["a"])
            .expect_err("too large");
        assert!(error.message().contains("larger than"), "{error}");
        Ok(())
    }
}
