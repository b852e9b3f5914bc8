//! Removes headers by name (`org.apache.kafka.connect.transforms.DropHeaders`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use crate::plugin::RecordTransformation;

const HEADERS: &str = "headers";

pub(crate) struct DropHeaders {
    headers: Vec<String>,
}

impl RecordTransformation for DropHeaders {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new().define(
                    ConfigKey::new(HEADERS, ConfigType::List)
                        .validator(Validator::Distinct { empty: false })
                        .importance(Importance::High)
                        .doc("The names of the headers that are removed."),
                ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        Ok(Self {
            headers: config.list(HEADERS)?,
        })
    }
}

impl Transformation for DropHeaders {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        record
            .headers
            .retain(|header| !self.headers.iter().any(|name| header.key == name.as_str()));
        Ok(Some(record))
    }
}
