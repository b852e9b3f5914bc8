//! Renames topics by a regular expression
//! (`org.apache.kafka.connect.transforms.RegexRouter`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

use crate::plugin::RecordTransformation;
use crate::topics::TopicCache;

const REGEX: &str = "regex";
const REPLACEMENT: &str = "replacement";

pub(crate) struct RegexRouter {
    /// Says which topics are renamed.
    whole: Pattern,
    /// Says which part of the name is replaced: as in Java, the first match,
    /// which need not be the whole name that matches as well.
    first: Pattern,
    replacement: String,
    /// The new topics of those that match.
    topics: TopicCache<Option<Arc<str>>>,
}

impl RecordTransformation for RegexRouter {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(REGEX, ConfigType::String)
                            .validator(Validator::custom("valid regex", |_, value| {
                                check_regex(value.text())
                            }))
                            .importance(Importance::High)
                            .doc("The regular expression that the whole topic has to match."),
                    )
                    .define(
                        ConfigKey::new(REPLACEMENT, ConfigType::String)
                            .importance(Importance::High)
                            .doc("The new topic; $1 stands for what the first group matched."),
                    ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        let regex = config.string(REGEX)?;
        let invalid = |error: tether_java_regex::Error| ConnectError::config(error.to_string());
        Ok(Self {
            whole: Pattern::whole(&regex).map_err(invalid)?,
            first: Pattern::anywhere(&regex).map_err(invalid)?,
            replacement: config.string(REPLACEMENT)?,
            topics: TopicCache::default(),
        })
    }
}

/// Checks that a text is a regular expression.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_regex(expression: Option<&str>) -> Result<(), String> {
    match expression {
        Some(expression) => Pattern::whole(expression)
            .map(drop)
            .map_err(|error| format!("Invalid regex: {error}")),
        // That it is missing is told already.
        None => Ok(()),
    }
}

impl Transformation for RegexRouter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        let (whole, first, replacement) = (&self.whole, &self.first, &self.replacement);
        let routed = self.topics.get_or_make(&record.topic, |topic| {
            if !whole.matches(topic) {
                return Ok(None);
            }
            first
                .replace_first(topic, replacement)
                .map(|topic| Some(topic.into()))
                .map_err(|error| {
                    ConnectError::other(error.to_string()).with_class(error.java_class())
                })
        })?;
        if let Some(topic) = routed {
            record.topic = topic;
        }
        Ok(Some(record))
    }
}
