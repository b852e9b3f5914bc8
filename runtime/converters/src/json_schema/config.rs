//! The keys of the JSON Schema converter (`JsonSchemaConverterConfig`,
//! `JsonSchemaDataConfig` and those of the serializers below them).

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use tether_api::converter::ConverterKind;

use crate::json::{DecimalFormat, Dialect, Options as ValueOptions};
use crate::registry::{self, DataConfig, SerdeConfig, flag};

const ADDITIONAL_PROPERTIES: &str = "object.additional.properties";
const USE_OPTIONAL: &str = "use.optional.for.nonrequired";
const IGNORE_MODERN: &str = "ignore.modern.dialects";
const DECIMAL_FORMAT: &str = "decimal.format";
const SINGLETONS: &str = "flatten.singleton.unions";
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
    pub(super) data: DataConfig,
    pub(super) serde: SerdeConfig,
}

impl JsonSchemaConverterConfig {
    pub(super) fn parse(raw: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = config_def().parse(raw)?;
        let data = DataConfig::parse(&config)?;
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
                generalized: data.generalized,
                reading,
                writing: ValueOptions {
                    replace_null_with_default: !data.ignore_default,
                    ..reading
                },
            },
            validate: config.boolean(VALIDATE)?,
            indent: config.boolean(INDENT)?,
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
    let mut def = ConfigDef::new();
    registry::define(&mut def);
    registry::define_data(&mut def);
    define_conversion(&mut def);
    define_serialization(&mut def);
    def
}

fn define_conversion(def: &mut ConfigDef) {
    use Importance::{Low, Medium};
    def.add(flag(
        ADDITIONAL_PROPERTIES,
        true,
        Medium,
        "Whether objects may have members that their schema does not name.",
    ));
    def.add(flag(
        USE_OPTIONAL,
        false,
        Medium,
        "Whether properties that are not required are optional fields.",
    ));
    def.add(flag(
        IGNORE_MODERN,
        false,
        Low,
        "Whether schemas of versions after draft 7 are read as ones of draft 7.",
    ));
    def.add(
        ConfigKey::new(DECIMAL_FORMAT, ConfigType::String)
            .default_string("BASE64")
            .validator(Validator::OneOfIgnoreCase(&["BASE64", "NUMERIC"]))
            .importance(Low)
            .doc("How decimals are written: BASE64 or NUMERIC, in any case."),
    );
    def.add(flag(
        SINGLETONS,
        true,
        Low,
        "Whether a choice of one schema is read as that schema.",
    ));
}

/// Keys of which only two matter to a converter: the others say how Java
/// objects are written and read.
fn define_serialization(def: &mut ConfigDef) {
    use Importance::{Low, Medium};
    def.add(flag(
        "json.fail.unknown.properties",
        true,
        Low,
        "No effect in a converter.",
    ));
    def.add(flag(
        VALIDATE,
        false,
        Medium,
        "Whether values must fit the registered schema.",
    ));
    def.add(flag(
        "json.write.dates.iso8601",
        false,
        Medium,
        "No effect in a converter.",
    ));
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
    def.add(flag(
        "json.oneof.for.nullables",
        true,
        Medium,
        "No effect in a converter.",
    ));
    def.add(flag(
        INDENT,
        false,
        Low,
        "Whether JSON is written in several lines.",
    ));
    def.add(
        ConfigKey::new("type.property", ConfigType::String)
            .default_string("javaType")
            .importance(Medium)
            .doc("No effect: there are no Java classes."),
    );
}
