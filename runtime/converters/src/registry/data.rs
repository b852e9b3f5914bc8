//! The keys that conversion by registered schemas has in every format
//! (`AbstractDataConfig`).

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, ParsedConfig};

const SUM_TYPES: &str = "generalized.sum.type.support";
const IGNORE_DEFAULT: &str = "ignore.default.for.nullables";
const CACHE_SIZE: &str = "schemas.cache.config";

/// The settings of conversion that do not depend on the format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataConfig {
    /// Enumerations and unions take the form that all formats share.
    pub(crate) generalized: bool,
    /// Null stays null where there is a default.
    pub(crate) ignore_default: bool,
    /// How many converted schemas are kept.
    pub(crate) cache_size: usize,
}

impl DataConfig {
    /// Reads the part of a converter's configuration whose keys are those of
    /// [`define_data`].
    ///
    /// # Errors
    /// Config, if a key is not defined.
    pub(crate) fn parse(config: &ParsedConfig) -> Result<Self> {
        Ok(Self {
            generalized: config.boolean(SUM_TYPES)?,
            ignore_default: config.boolean(IGNORE_DEFAULT)?,
            cache_size: usize::try_from(config.int(CACHE_SIZE)?).unwrap_or(0),
        })
    }
}

/// Adds the keys.
pub(crate) fn define_data(def: &mut ConfigDef) {
    use Importance::{Low, Medium};
    def.add(flag(
        SUM_TYPES,
        false,
        Medium,
        "Whether enumerations and unions take the form that all formats share.",
    ));
    def.add(flag(
        IGNORE_DEFAULT,
        false,
        Medium,
        "Whether null is written as null although the field has a default.",
    ));
    def.add(
        ConfigKey::new(CACHE_SIZE, ConfigType::Int)
            .default_int(1000)
            .importance(Low)
            .doc("How many converted schemas are kept in memory."),
    );
}

/// A key that is true or false.
pub(crate) fn flag(
    name: &'static str,
    default: bool,
    importance: Importance,
    doc: &'static str,
) -> ConfigKey {
    ConfigKey::new(name, ConfigType::Boolean)
        .default_boolean(default)
        .importance(importance)
        .doc(doc)
}
