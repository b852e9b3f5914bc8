//! Adds the timestamp of a record to its topic
//! (`org.apache.kafka.connect.transforms.TimestampRouter`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::date_format::DateFormat;
use crate::plugin::RecordTransformation;

const TOPIC_FORMAT: &str = "topic.format";
const TIMESTAMP_FORMAT: &str = "timestamp.format";

pub(crate) struct TimestampRouter {
    topic_format: String,
    timestamp_format: DateFormat,
    /// The topic of the record before, which is often that of the next one.
    latest: Arc<str>,
}

impl RecordTransformation for TimestampRouter {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(TOPIC_FORMAT, ConfigType::String)
                            .default_string("${topic}-${timestamp}")
                            .importance(Importance::High)
                            .doc("The new topic; ${topic} is the old one, ${timestamp} the timestamp."),
                    )
                    .define(
                        ConfigKey::new(TIMESTAMP_FORMAT, ConfigType::String)
                            .default_string("yyyyMMdd")
                            .importance(Importance::High)
                            .doc("The pattern of the timestamp, as of java.text.SimpleDateFormat."),
                    ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        let pattern = config.string(TIMESTAMP_FORMAT)?;
        Ok(Self {
            topic_format: config.string(TOPIC_FORMAT)?,
            timestamp_format: DateFormat::new(&pattern).map_err(|error| {
                ConnectError::config(error).with_class("java.lang.IllegalArgumentException")
            })?,
            latest: "".into(),
        })
    }
}

impl Transformation for TimestampRouter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        // Unlike the reference's message this one has nothing of the record,
        // which may be secret.
        let timestamp = record
            .timestamp
            .ok_or_else(|| ConnectError::data("Timestamp missing on record"))?;
        let topic = self
            .topic_format
            .replace("${topic}", &record.topic)
            .replace("${timestamp}", &self.timestamp_format.format(timestamp));
        if *self.latest != *topic {
            self.latest = topic.into();
        }
        record.topic = self.latest.clone();
        Ok(Some(record))
    }
}
