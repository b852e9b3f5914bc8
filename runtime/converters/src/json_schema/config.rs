//! The keys of the JSON Schema converter (`JsonSchemaConverterConfig`,
//! `JsonSchemaDataConfig` and those of the serializers below them).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use tether_api::converter::ConverterKind;

use crate::json::{DecimalFormat, Dialect, Options as ValueOptions};
use crate::registry::{self, SerdeConfig};

const ADDITIONAL_PROPERTIES: &str = "object.additional.properties";
const USE_OPTIONAL: &str = "use.optional.for.nonrequired";
const IGNORE_MODERN: &str = "ignore.modern.dialects";
const DECIMAL_FORMAT: &str = "decimal.format";
const SINGLETONS: &str = "flatten.singleton.unions";
const SUM_TYPES: &str = "generalized.sum.type.support";
const IGNORE_DEFAULT: &str = "ignore.default.for.nullables";
const CACHE_SIZE: &str = "schemas.cache.config";
const VALIDATE: &str = "json.fail.invalid.schema";
const INDENT: &str = "json.indent.output";

/// The settings of conversion between Connect and JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Objects may have members that their schema does not name.
    pub(super) additional_properties: bool,
    /// Properties that need not be there are optional.
    pub(super) use_optional: bool,
    /// Schemas of later versions are read as ones of draft 7.
    pub(super) ignore_modern: bool,
    /// A choice of one schema is that schema.
    pub(super) flatten_singletons: bool,
    /// Enumerations and unions have the form that all formats share.
    pub(super) generalized: bool,
    /// How values are written.
    pub(super) writing: ValueOptions,
    /// How values are read.
    pub(super) reading: ValueOptions,
}

/// The settings of a JSON Schema converter.
pub(super) struct JsonSchemaConverterConfig {
    pub(super) options: Options,
    /// Whether values must fit the registered schema.
    pub(super) validate: bool,
    /// Whether JSON is written in several lines.
    pub(super) indent: bool,
    pub(super) cache_size: usize,
    pub(super) serde: SerdeConfig,
}

impl JsonSchemaConverterConfig {
    pub(super) fn parse(raw: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = config_def().parse(raw)?;
        let numeric = config
            .string(DECIMAL_FORMAT)?
            .eq_ignore_ascii_case("NUMERIC");
        let reading = ValueOptions {
            dialect: Dialect::Registry,
            schemas_enable: false,
            decimal_format: if numeric {
                DecimalFormat::Numeric
            } else {
                DecimalFormat::Base64
            },
            replace_null_with_default: true,
        };
        Ok(Self {
            options: Options {
                additional_properties: config.boolean(ADDITIONAL_PROPERTIES)?,
                use_optional: config.boolean(USE_OPTIONAL)?,
                ignore_modern: config.boolean(IGNORE_MODERN)?,
                flatten_singletons: config.boolean(SINGLETONS)?,
                generalized: config.boolean(SUM_TYPES)?,
                reading,
                writing: ValueOptions {
                    replace_null_with_default: !config.boolean(IGNORE_DEFAULT)?,
                    ..reading
                },
            },
            validate: config.boolean(VALIDATE)?,
            indent: config.boolean(INDENT)?,
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
    let mut def = ConfigDef::new();
    registry::define(&mut def);
    define_conversion(&mut def);
    define_serialization(&mut def);
    def
}

fn flag(
    def: &mut ConfigDef,
    name: &'static str,
    default: bool,
    importance: Importance,
    doc: &'static str,
) {
    def.add(
        ConfigKey::new(name, ConfigType::Boolean)
            .default_boolean(default)
            .importance(importance)
            .doc(doc),
    );
}

fn define_conversion(def: &mut ConfigDef) {
    use Importance::{Low, Medium};
    flag(
        def,
        SUM_TYPES,
        false,
        Medium,
        "Whether enumerations and unions take the form that all formats share.",
    );
    flag(
        def,
        IGNORE_DEFAULT,
        false,
        Medium,
        "Whether null is written as null although the field has a default.",
    );
    def.add(
        ConfigKey::new(CACHE_SIZE, ConfigType::Int)
            .default_int(1000)
            .importance(Low)
            .doc("How many converted schemas are kept in memory."),
    );
    flag(
        def,
        ADDITIONAL_PROPERTIES,
        true,
        Medium,
        "Whether objects may have members that their schema does not name.",
    );
    flag(
        def,
        USE_OPTIONAL,
        false,
        Medium,
        "Whether properties that are not required are optional fields.",
    );
    flag(
        def,
        IGNORE_MODERN,
        false,
        Low,
        "Whether schemas of versions after draft 7 are read as ones of draft 7.",
    );
    def.add(
        ConfigKey::new(DECIMAL_FORMAT, ConfigType::String)
            .default_string("BASE64")
            .validator(Validator::OneOfIgnoreCase(&["BASE64", "NUMERIC"]))
            .importance(Low)
            .doc("How decimals are written: BASE64 or NUMERIC, in any case."),
    );
    flag(
        def,
        SINGLETONS,
        true,
        Low,
        "Whether a choice of one schema is read as that schema.",
    );
}

/// Keys of which only two matter to a converter: the others say how Java
/// objects are written and read.
fn define_serialization(def: &mut ConfigDef) {
    use Importance::{Low, Medium};
    flag(
        def,
        "json.fail.unknown.properties",
        true,
        Low,
        "No effect in a converter.",
    );
    flag(
        def,
        VALIDATE,
        false,
        Medium,
        "Whether values must fit the registered schema.",
    );
    flag(
        def,
        "json.write.dates.iso8601",
        false,
        Medium,
        "No effect in a converter.",
    );
    def.add(
        ConfigKey::new("json.schema.spec.version", ConfigType::String)
            .default_string("draft_7")
            .validator(Validator::OneOf(&[
                "draft_4",
                "draft_6",
                "draft_7",
                "draft_2019_09",
                "draft_2020_12",
            ]))
            .importance(Medium)
            .doc("No effect in a converter."),
    );
    flag(
        def,
        "json.oneof.for.nullables",
        true,
        Medium,
        "No effect in a converter.",
    );
    flag(
        def,
        INDENT,
        false,
        Low,
        "Whether JSON is written in several lines.",
    );
    def.add(
        ConfigKey::new("type.property", ConfigType::String)
            .default_string("javaType")
            .importance(Medium)
            .doc("No effect: there are no Java classes."),
    );
}
