//! What the configuration of every converter has in common
//! (`org.apache.kafka.connect.storage.ConverterConfig`).

use tether_api::Result;
use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, Validator,
};
use tether_api::converter::ConverterKind;

const CONVERTER_TYPE: &str = "converter.type";

/// The version that the reference reports for its own converters: Kafka's.
pub(crate) const KAFKA_VERSION: &str = "4.3.0";

/// The keys of a converter that has none of its own.
pub(crate) fn converter_def() -> ConfigDef {
    ConfigDef::new().define(
        ConfigKey::new(CONVERTER_TYPE, ConfigType::String)
            .validator(Validator::OneOf(&["key", "value", "header"]))
            .importance(Importance::Low)
            .doc("What the converter is used for: keys, values or headers."),
    )
}

/// Reads a converter's configuration. The worker tells the converter what it
/// is used for; the configuration need not say so.
///
/// # Errors
/// Config, for the first key that is missing or wrong.
pub(crate) fn parse(
    def: &ConfigDef,
    config: &ConfigMap,
    kind: ConverterKind,
) -> Result<ParsedConfig> {
    let mut config = config.clone();
    config.insert(CONVERTER_TYPE.to_owned(), kind.name().to_owned());
    def.parse(&config)
}
