//! Adds a header with a fixed value
//! (`org.apache.kafka.connect.transforms.InsertHeader`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{SchemaAndValue, Text, text};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use crate::plugin::RecordTransformation;

const HEADER: &str = "header";
const VALUE_LITERAL: &str = "value.literal";

pub(crate) struct InsertHeader {
    header: Text,
    value: SchemaAndValue,
}

impl RecordTransformation for InsertHeader {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            Arc::new(
                ConfigDef::new()
                    .define(
                        ConfigKey::new(HEADER, ConfigType::String)
                            .validator(Validator::NonNull)
                            .importance(Importance::High)
                            .doc("The name of the header."),
                    )
                    .define(
                        ConfigKey::new(VALUE_LITERAL, ConfigType::String)
                            .validator(Validator::NonNull)
                            .importance(Importance::High)
                            .doc(
                                "The value of the header. Its type is guessed: true, 1.5, \
                                 2024-02-29, [1, 2], {\"a\": 1} or, in the end, text.",
                            ),
                    ),
            )
        });
        DEF.clone()
    }

    fn new(config: &ParsedConfig) -> Result<Self> {
        let literal = config.string(VALUE_LITERAL)?;
        let value = text::parse(&literal.into())
            .map_err(|_| ConnectError::config(format!("{VALUE_LITERAL} is no text of a value")))?;
        Ok(Self {
            header: config.string(HEADER)?.into(),
            value,
        })
    }
}

impl Transformation for InsertHeader {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        record.headers.add(self.header.clone(), self.value.clone());
        Ok(Some(record))
    }
}
