//! The keys of both connectors, with the reference's texts.

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};

/// The file to read or to write.
pub(crate) const FILE: &str = "file";
const TOPIC: &str = "topic";
const BATCH_SIZE: &str = "batch.size";

const DEFAULT_BATCH_SIZE: i32 = 2000;

fn file(documentation: &'static str) -> ConfigKey {
    ConfigKey::new(FILE, ConfigType::String)
        .default_null()
        .importance(Importance::High)
        .doc(documentation)
}

/// The keys of the source (`FileStreamSourceConnector.CONFIG_DEF`).
pub(crate) fn source() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        Arc::new(
            ConfigDef::new()
                .define(file(
                    "Source filename. If not specified, the standard input will be used",
                ))
                .define(
                    ConfigKey::new(TOPIC, ConfigType::String)
                        .validator(Validator::NonEmpty)
                        .importance(Importance::High)
                        .doc("The topic to publish data to"),
                )
                .define(
                    ConfigKey::new(BATCH_SIZE, ConfigType::Int)
                        .default_int(DEFAULT_BATCH_SIZE)
                        .importance(Importance::Low)
                        .doc(
                            "The maximum number of records the source task can read from the \
                             file each time it is polled",
                        ),
                ),
        )
    });
    DEFINITION.clone()
}

/// The keys of the sink (`FileStreamSinkConnector.CONFIG_DEF`).
pub(crate) fn sink() -> Arc<ConfigDef> {
    static DEFINITION: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        Arc::new(ConfigDef::new().define(file(
            "Destination filename. If not specified, the standard output will be used",
        )))
    });
    DEFINITION.clone()
}

/// The source's settings.
#[derive(Debug)]
pub(crate) struct SourceConfig {
    /// The value of `file` as it was given, which names the source partition.
    pub(crate) filename: Option<String>,
    /// The topic.
    pub(crate) topic: Arc<str>,
    /// The most records of one poll; at least 1.
    pub(crate) batch_size: usize,
}

impl SourceConfig {
    /// Reads the settings of a connector or task.
    ///
    /// # Errors
    /// Config, for the first key that is missing or wrong.
    pub(crate) fn parse(config: &ConfigMap) -> Result<Self> {
        let parsed = source().parse(config)?;
        Ok(Self {
            filename: parsed.optional_string(FILE),
            topic: parsed.string(TOPIC)?.into(),
            // The reference has no lower limit, and returns a batch as soon as
            // it holds one record if the limit is not positive.
            batch_size: usize::try_from(parsed.int(BATCH_SIZE)?)
                .unwrap_or_default()
                .max(1),
        })
    }

    /// The path to read; `None` stands for the standard input.
    pub(crate) fn path(&self) -> Option<&str> {
        self.filename.as_deref().filter(|name| !name.is_empty())
    }
}

/// The path that the sink writes to; `None` stands for the standard output.
///
/// # Errors
/// Config, if the value is wrong.
pub(crate) fn sink_path(config: &ConfigMap) -> Result<Option<String>> {
    let parsed = sink().parse(config)?;
    Ok(parsed.optional_string(FILE).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn defaults_are_the_references() {
        let parsed = SourceConfig::parse(&config(&[(TOPIC, "t")])).unwrap();
        assert_eq!(parsed.path(), None);
        assert_eq!(parsed.batch_size, 2000);
        assert_eq!(&*parsed.topic, "t");
    }

    #[test]
    fn blank_file_stands_for_the_standard_streams() {
        let parsed = SourceConfig::parse(&config(&[(TOPIC, "t"), (FILE, "  ")])).unwrap();
        assert_eq!(parsed.path(), None);
        assert_eq!(parsed.filename.as_deref(), Some(""));
        assert_eq!(sink_path(&config(&[(FILE, " ")])).unwrap(), None);
    }

    #[test]
    fn batches_have_at_least_one_record() {
        for size in ["0", "-5"] {
            let parsed = SourceConfig::parse(&config(&[(TOPIC, "t"), (BATCH_SIZE, size)]));
            assert_eq!(parsed.unwrap().batch_size, 1);
        }
    }

    #[test]
    fn wrong_values_are_refused_in_the_references_words() {
        let error = |entries| {
            SourceConfig::parse(&config(entries))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(&[]),
            "Missing required configuration \"topic\" which has no default value."
        );
        assert_eq!(
            error(&[(TOPIC, "   ")]),
            "Invalid value  for configuration topic: String must be non-empty"
        );
        assert_eq!(
            error(&[(TOPIC, "t"), (BATCH_SIZE, "abcd")]),
            "Invalid value abcd for configuration batch.size: Not a number of type INT"
        );
    }
}
