//! The keys of the Avro converter (`AvroConverterConfig`, `AvroDataConfig`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigMap, Importance};
use tether_api::converter::ConverterKind;

use super::names::{ENUM, SHARED_ENUM};
use crate::registry::{self, DataConfig, SerdeConfig, flag};

const ENHANCED: &str = "enhanced.avro.schema.support";
const SCRUB: &str = "scrub.invalid.names";
const META_DATA: &str = "connect.meta.data";
const DISCARD: &str = "discard.type.doc.default";
const OPTIONAL_KEYS: &str = "allow.optional.map.keys";
const SINGLETONS: &str = "flatten.singleton.unions";

/// The settings of conversion between Connect and Avro.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Enumerations and unions take the form that all formats share.
    pub(super) generalized: bool,
    /// Enumerations are written as such, unions name branches in full.
    pub(super) enhanced: bool,
    /// Names are made valid.
    pub(super) scrub: bool,
    /// Avro schemas carry what only Connect knows.
    pub(super) meta_data: bool,
    /// Documentation and defaults are a field's only.
    pub(super) discard_type_doc_default: bool,
    /// Maps with optional strings as keys are maps in Avro.
    pub(super) optional_map_keys: bool,
    /// A union of one type is that type.
    pub(super) flatten_singletons: bool,
    /// Null stays null where there is a default.
    pub(super) ignore_default: bool,
}

impl Options {
    /// Whether enumerations are written as such.
    pub(super) fn keeps_enums(self) -> bool {
        self.generalized || self.enhanced
    }

    /// The parameter of strings that stand for enumerations.
    pub(super) fn enum_parameter(self) -> &'static str {
        if self.generalized { SHARED_ENUM } else { ENUM }
    }
}

/// The settings of an Avro converter.
pub(super) struct AvroConverterConfig {
    pub(super) options: Options,
    pub(super) data: DataConfig,
    pub(super) serde: SerdeConfig,
}

impl AvroConverterConfig {
    pub(super) fn parse(raw: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = config_def().parse(raw)?;
        let data = DataConfig::parse(&config)?;
        Ok(Self {
            options: Options {
                generalized: data.generalized,
                enhanced: config.boolean(ENHANCED)?,
                scrub: config.boolean(SCRUB)?,
                meta_data: config.boolean(META_DATA)?,
                discard_type_doc_default: config.boolean(DISCARD)?,
                optional_map_keys: config.boolean(OPTIONAL_KEYS)?,
                flatten_singletons: config.boolean(SINGLETONS)?,
                ignore_default: data.ignore_default,
            },
            data,
            serde: SerdeConfig::parse(&config, raw, kind)?,
        })
    }
}

/// The definition of the keys.
pub(super) fn config_def() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| Arc::new(define()));
    DEF.clone()
}

fn define() -> ConfigDef {
    use Importance::{Low, Medium};
    let mut def = ConfigDef::new();
    registry::define(&mut def);
    registry::define_data(&mut def);
    def.define(flag(
        ENHANCED,
        false,
        Medium,
        "Whether enumerations are kept and branches of unions are named in full.",
    ))
    .define(flag(
        SCRUB,
        false,
        Medium,
        "Whether characters that Avro names may not have are replaced.",
    ))
    .define(flag(
        META_DATA,
        true,
        Low,
        "Whether Avro schemas carry what only Connect knows.",
    ))
    .define(flag(
        DISCARD,
        false,
        Low,
        "Whether only the documentation and defaults of fields are kept.",
    ))
    .define(flag(
        OPTIONAL_KEYS,
        false,
        Low,
        "Whether maps whose keys are optional strings are written as maps.",
    ))
    .define(flag(
        SINGLETONS,
        true,
        Low,
        "Whether a union of one type is read as that type.",
    ))
}
