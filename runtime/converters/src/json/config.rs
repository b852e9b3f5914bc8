//! The keys of the JSON converter (`JsonConverterConfig`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator, Width,
};
use tether_api::converter::ConverterKind;

use super::plan::Dialect;
use crate::definition;

const SCHEMAS_ENABLE: &str = "schemas.enable";
const SCHEMAS_CACHE_SIZE: &str = "schemas.cache.size";
const SCHEMA_CONTENT: &str = "schema.content";
const DECIMAL_FORMAT: &str = "decimal.format";
const REPLACE_NULL_WITH_DEFAULT: &str = "replace.null.with.default";

/// How decimals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalFormat {
    /// Base64 of the unscaled integer's two's-complement bytes.
    Base64,
    /// A JSON number with the decimal's scale.
    Numeric,
}

/// The settings that conversion looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) dialect: Dialect,
    pub(crate) schemas_enable: bool,
    pub(crate) decimal_format: DecimalFormat,
    pub(crate) replace_null_with_default: bool,
}

/// The settings of a JSON converter.
pub(super) struct JsonConverterConfig {
    pub(super) options: Options,
    pub(super) schemas_cache_size: usize,
    /// The text of the schema of all messages.
    pub(super) schema_content: Option<String>,
}

impl JsonConverterConfig {
    pub(super) fn parse(config: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = definition::parse(&config_def(), config, kind)?;
        let numeric = config
            .string(DECIMAL_FORMAT)?
            .eq_ignore_ascii_case("NUMERIC");
        Ok(Self {
            options: Options {
                dialect: Dialect::Envelope,
                schemas_enable: config.boolean(SCHEMAS_ENABLE)?,
                decimal_format: if numeric {
                    DecimalFormat::Numeric
                } else {
                    DecimalFormat::Base64
                },
                replace_null_with_default: config.boolean(REPLACE_NULL_WITH_DEFAULT)?,
            },
            schemas_cache_size: usize::try_from(config.int(SCHEMAS_CACHE_SIZE)?).unwrap_or(0),
            schema_content: config.optional_string(SCHEMA_CONTENT),
        })
    }
}

/// The definition of the keys.
pub(crate) fn config_def() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(define()));
    DEF.clone()
}

fn define() -> ConfigDef {
    let schemas = "Schemas";
    let serialization = "Serialization";
    definition::converter_def()
        .define(
            ConfigKey::new(SCHEMAS_ENABLE, ConfigType::Boolean)
                .default_boolean(true)
                .importance(Importance::High)
                .doc("Whether every key and value carries its schema.")
                .form(schemas, 0, Width::Medium, "Enable Schemas"),
        )
        .define(
            ConfigKey::new(SCHEMAS_CACHE_SIZE, ConfigType::Int)
                .default_int(1000)
                .importance(Importance::High)
                .doc("How many schemas this converter keeps in memory.")
                .form(schemas, 1, Width::Medium, "Schema Cache Size"),
        )
        .define(
            ConfigKey::new(SCHEMA_CONTENT, ConfigType::String)
                .default_null()
                .importance(Importance::High)
                .doc(
                    "The schema of all messages, in JSON. If it is set, a message is only the \
                     payload and carries no schema. Used for reading, and only with \
                     schemas.enable.",
                )
                .form(schemas, 2, Width::Medium, "Schema Content"),
        )
        .define(
            ConfigKey::new(DECIMAL_FORMAT, ConfigType::String)
                .default_string("BASE64")
                .validator(Validator::OneOfIgnoreCase(&["NUMERIC", "BASE64"]))
                .importance(Importance::Low)
                .doc("How decimals are written: BASE64 or NUMERIC, in any case.")
                .form(serialization, 0, Width::Medium, "Decimal Format"),
        )
        .define(
            ConfigKey::new(REPLACE_NULL_WITH_DEFAULT, ConfigType::Boolean)
                .default_boolean(true)
                .importance(Importance::Low)
                .doc("Whether null becomes the default value of its field, if it has one.")
                .form(serialization, 1, Width::Medium, "Replace null with default"),
        )
}
