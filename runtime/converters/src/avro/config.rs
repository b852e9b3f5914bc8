//! The keys of the Avro converter (`AvroConverterConfig`, `AvroDataConfig`).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance};
use tether_api::converter::ConverterKind;

use super::names::{ENUM, SHARED_ENUM};
use crate::registry::{self, SerdeConfig};

const CACHE_SIZE: &str = "schemas.cache.config";
const ENHANCED: &str = "enhanced.avro.schema.support";
const SCRUB: &str = "scrub.invalid.names";
const META_DATA: &str = "connect.meta.data";
const DISCARD: &str = "discard.type.doc.default";
const OPTIONAL_KEYS: &str = "allow.optional.map.keys";
const SINGLETONS: &str = "flatten.singleton.unions";
const IGNORE_DEFAULT: &str = "ignore.default.for.nullables";
const SUM_TYPES: &str = "generalized.sum.type.support";

/// The settings of conversion between Connect and Avro.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Enumerations and unions take the form that all formats share.
    pub(super) shared_sum_types: bool,
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
        self.shared_sum_types || self.enhanced
    }

    /// The parameter of strings that stand for enumerations.
    pub(super) fn enum_parameter(self) -> &'static str {
        if self.shared_sum_types {
            SHARED_ENUM
        } else {
            ENUM
        }
    }
}

/// The settings of an Avro converter.
pub(super) struct AvroConverterConfig {
    pub(super) options: Options,
    pub(super) cache_size: usize,
    pub(super) serde: SerdeConfig,
}

impl AvroConverterConfig {
    pub(super) fn parse(raw: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = config_def().parse(raw)?;
        Ok(Self {
            options: Options {
                shared_sum_types: config.boolean(SUM_TYPES)?,
                enhanced: config.boolean(ENHANCED)?,
                scrub: config.boolean(SCRUB)?,
                meta_data: config.boolean(META_DATA)?,
                discard_type_doc_default: config.boolean(DISCARD)?,
                optional_map_keys: config.boolean(OPTIONAL_KEYS)?,
                flatten_singletons: config.boolean(SINGLETONS)?,
                ignore_default: config.boolean(IGNORE_DEFAULT)?,
            },
            cache_size: usize::try_from(config.int(CACHE_SIZE)?).unwrap_or(0),
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
    let mut flag = |name, default, importance, doc: &'static str| {
        def.add(
            ConfigKey::new(name, ConfigType::Boolean)
                .default_boolean(default)
                .importance(importance)
                .doc(doc),
        );
    };
    flag(
        SUM_TYPES,
        false,
        Medium,
        "Whether enumerations and unions take the form that all formats share.",
    );
    flag(
        IGNORE_DEFAULT,
        false,
        Medium,
        "Whether null is written as null although the field has a default.",
    );
    flag(
        ENHANCED,
        false,
        Medium,
        "Whether enumerations are kept and branches of unions are named in full.",
    );
    flag(
        SCRUB,
        false,
        Medium,
        "Whether characters that Avro names may not have are replaced.",
    );
    flag(
        META_DATA,
        true,
        Low,
        "Whether Avro schemas carry what only Connect knows.",
    );
    flag(
        DISCARD,
        false,
        Low,
        "Whether only the documentation and defaults of fields are kept.",
    );
    flag(
        OPTIONAL_KEYS,
        false,
        Low,
        "Whether maps whose keys are optional strings are written as maps.",
    );
    flag(
        SINGLETONS,
        true,
        Low,
        "Whether a union of one type is read as that type.",
    );
    def.add(
        ConfigKey::new(CACHE_SIZE, ConfigType::Int)
            .default_int(1000)
            .importance(Low)
            .doc("How many converted schemas are kept in memory."),
    );
    def
}
