//! Whether a record has a header of a name.

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, ParsedConfig, Validator};
use tether_api::record::ConnectRecord;
use tether_api::transform::Predicate;

use crate::plugin::RecordPredicate;

const NAME: &str = "name";

pub(crate) struct HasHeaderKey {
    name: String,
}

impl RecordPredicate for HasHeaderKey {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new().define(
                    ConfigKey::new(NAME, ConfigType::String)
                        .validator(Validator::NonEmpty)
                        .doc("The name of the header."),
                ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        Ok(Self {
            name: config.string(NAME)?,
        })
    }
}

impl Predicate for HasHeaderKey {
    fn test(&mut self, record: &ConnectRecord) -> bool {
        record.headers.last(&self.name).is_some()
    }
}
