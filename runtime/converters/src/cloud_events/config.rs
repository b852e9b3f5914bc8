//! The keys of the converter (`CloudEventsConverterConfig`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig, with_prefix,
};
use tether_api::converter::{Converter, ConverterKind};
use tether_api::data::Text;
use tether_api::{ConnectError, Result};
use tether_debezium_naming::NameAdjustment;

use super::metadata::MetadataSource;
use crate::definition;
use crate::format::Format as _;
use crate::json::JsonFormat;

const SERIALIZER: &str = "serializer.type";
const DATA_SERIALIZER: &str = "data.serializer.type";
const TRACING: &str = "opentelemetry.tracing.attributes.enable";
const EXTENSIONS: &str = "extension.attributes.enable";
const SCHEMA_NAMES: &str = "schema.name.adjustment.mode";
const SCHEMA_NAME: &str = "schema.cloudevents.name";
const DATA_NAME_FROM_HEADER: &str = "schema.data.name.source.header.enable";
const METADATA_SOURCE: &str = "metadata.source";

/// The keys of the converters within, by the beginning of their names.
const JSON_PREFIX: &str = "json.";
const AVRO_PREFIX: &str = "avro.";

const SCHEMAS_ENABLE: &str = "schemas.enable";
const APICURIO_URL: &str = "apicurio.registry.url";
const REGISTRY_URL: &str = "schema.registry.url";

/// How events and their data are written.
pub(super) enum Formats {
    /// Both in JSON.
    Json {
        /// Without schemas.
        event: Box<JsonFormat>,
        data: Box<JsonFormat>,
        /// Whether data carries its schema.
        with_schemas: bool,
    },
    /// Events in JSON, their data in Avro.
    AvroInJson { event: Box<JsonFormat>, avro: Avro },
    /// Both in Avro.
    Avro(Avro),
}

/// Avro with a registry.
pub(super) struct Avro {
    pub(super) converter: Arc<dyn Converter>,
    /// The addresses of the registry, as events name them.
    pub(super) urls: String,
}

/// The settings of a converter.
pub(super) struct Config {
    pub(super) formats: Formats,
    /// Whether events carry the context of a trace.
    pub(super) tracing: bool,
    /// Whether events carry what the source tells.
    pub(super) extensions: bool,
    pub(super) schema_names: NameAdjustment,
    /// The name of the schema of events.
    pub(super) schema_name: Option<Text>,
    pub(super) metadata: MetadataSource,
}

/// The definition of the keys.
pub(super) fn config_def() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(define()));
    DEF.clone()
}

fn define() -> ConfigDef {
    let text = |name, default, importance, doc| {
        ConfigKey::new(name, ConfigType::String)
            .default_string(default)
            .importance(importance)
            .doc(doc)
    };
    let flag = |name, default, importance, doc| {
        ConfigKey::new(name, ConfigType::Boolean)
            .default_boolean(default)
            .importance(importance)
            .doc(doc)
    };
    definition::converter_def()
        .define(text(
            SERIALIZER,
            "json",
            Importance::High,
            "How events are written: json or avro.",
        ))
        .define(text(
            DATA_SERIALIZER,
            "json",
            Importance::High,
            "How the data of events is written: json or avro.",
        ))
        .define(flag(
            TRACING,
            false,
            Importance::High,
            "Whether events carry the context of a trace, which a header has to tell.",
        ))
        .define(flag(
            EXTENSIONS,
            true,
            Importance::High,
            "Whether events carry what the source and the transaction tell.",
        ))
        .define(text(
            SCHEMA_NAMES,
            "avro",
            Importance::Low,
            "How the name of the schema of events is adjusted: avro, avro_unicode or none.",
        ))
        .define(
            ConfigKey::new(SCHEMA_NAME, ConfigType::String)
                .default_null()
                .importance(Importance::Low)
                .doc("The name of the schema of events, in place of one made of the source."),
        )
        .define(flag(
            DATA_NAME_FROM_HEADER,
            false,
            Importance::Low,
            "Whether a header may tell the name of the schema of data.",
        ))
        .define(
            ConfigKey::new(METADATA_SOURCE, ConfigType::List)
                .default_list(&[
                    "value",
                    "id:generate",
                    "type:generate",
                    "traceparent:header",
                    "dataSchemaName:generate",
                ])
                .importance(Importance::High)
                .doc(
                    "Where what is told about data comes from: value or header, and for some \
                     attributes header or generate.",
                ),
        )
}

/// A format by its word.
fn is_avro(config: &ParsedConfig, key: &str) -> Result<bool> {
    let word = config.string(key)?;
    match word.to_lowercase().as_str() {
        "json" => Ok(false),
        "avro" => Ok(true),
        _ => Err(ConnectError::config(format!(
            "Invalid value {word} for configuration {key}: it must be json or avro"
        ))),
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Config, if a value is wrong; the errors of the converters within.
    pub(super) fn parse(given: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        // The reference says value whatever it serves.
        let config = definition::parse(&config_def(), given, ConverterKind::Value)?;
        let mode = config.string(SCHEMA_NAMES)?;
        let schema_names = NameAdjustment::of(&mode).ok_or_else(|| {
            ConnectError::config(format!(
                "Invalid value {mode} for configuration {SCHEMA_NAMES}: it must be none, avro or \
                 avro_unicode"
            ))
        })?;
        let tracing = config.boolean(TRACING)?;
        let metadata = MetadataSource::parse(
            &config.list(METADATA_SOURCE)?,
            tracing,
            config.boolean(DATA_NAME_FROM_HEADER)?,
        )?;
        Ok(Self {
            formats: Formats::new(
                is_avro(&config, SERIALIZER)?,
                is_avro(&config, DATA_SERIALIZER)?,
                given,
                kind,
            )?,
            tracing,
            extensions: config.boolean(EXTENSIONS)?,
            schema_names,
            schema_name: config.optional_string(SCHEMA_NAME).map(Text::from),
            metadata,
        })
    }
}

impl Formats {
    fn new(
        avro_events: bool,
        avro_data: bool,
        given: &ConfigMap,
        kind: ConverterKind,
    ) -> Result<Self> {
        if avro_events && !avro_data {
            let message = "Cannot use 'application/json' data content type within Avro events";
            return Err(ConnectError::other(message).with_class("java.lang.IllegalStateException"));
        }
        let json = with_prefix(given, JSON_PREFIX);
        let event = || {
            let mut config = json.clone();
            config.insert(SCHEMAS_ENABLE.into(), "false".into());
            JsonFormat::new(&config, kind).map(Box::new)
        };
        if avro_events {
            return Ok(Self::Avro(Avro::new(given)?));
        }
        if avro_data {
            let event = event()?;
            let avro = Avro::new(given)?;
            return Ok(Self::AvroInJson { event, avro });
        }
        let with_schemas = json.get(SCHEMAS_ENABLE);
        Ok(Self::Json {
            event: event()?,
            data: Box::new(JsonFormat::new(&json, ConverterKind::Key)?),
            with_schemas: with_schemas
                .is_none_or(|text| !text.trim().eq_ignore_ascii_case("false")),
        })
    }
}

impl Avro {
    fn new(given: &ConfigMap) -> Result<Self> {
        let config = with_prefix(given, AVRO_PREFIX);
        if config.contains_key(APICURIO_URL) {
            return Err(ConnectError::config(format!(
                "{AVRO_PREFIX}{APICURIO_URL}: there is no converter of Apicurio; name the \
                 registry's address for Confluent's converter with {AVRO_PREFIX}{REGISTRY_URL}"
            )));
        }
        let urls = config.get(REGISTRY_URL).ok_or_else(|| {
            ConnectError::data(
                "Need URL(s) for schema registry instances for CloudEvents when using Apache Avro",
            )
        })?;
        Ok(Self {
            urls: urls.trim_end_matches(',').to_owned(),
            converter: crate::avro::converter(&config, ConverterKind::Value)?,
        })
    }
}
