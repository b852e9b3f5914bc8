//! Whether the topic of a record matches a regular expression.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig, Validator};
use tether_api::record::ConnectRecord;
use tether_api::transform::Predicate;
use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

use crate::plugin::RecordPredicate;
use crate::regex_router::check_regex;
use crate::topics::TopicCache;

const PATTERN: &str = "pattern";

pub(crate) struct TopicNameMatches {
    pattern: Pattern,
    topics: TopicCache<bool>,
}

impl RecordPredicate for TopicNameMatches {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let validator = Validator::custom("non-empty string, valid regex", |key, value| {
                Validator::NonEmpty.check(key, value)?;
                check_regex(value.text())
            });
            Arc::new(
                ConfigDef::new().define(
                    ConfigKey::new(PATTERN, ConfigType::String)
                        .validator(validator)
                        .doc("The regular expression that the whole topic has to match."),
                ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        let pattern = Pattern::whole(&config.string(PATTERN)?)
            .map_err(|error| ConnectError::config(error.to_string()))?;
        Ok(Self {
            pattern,
            topics: TopicCache::default(),
        })
    }
}

impl Predicate for TopicNameMatches {
    fn test(&mut self, record: &ConnectRecord) -> bool {
        let pattern = &self.pattern;
        let matches = self.topics.get_or_make(&record.topic, |topic| {
            Ok::<_, Infallible>(pattern.matches(topic))
        });
        match matches {
            Ok(matches) => matches,
        }
    }
}
