//! The keys of the Protobuf converter (`ProtobufConverterConfig`,
//! `ProtobufDataConfig`, `KafkaProtobufSerializerConfig`).

use std::sync::{Arc, LazyLock};

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance};
use tether_api::converter::ConverterKind;
use tether_api::{ConnectError, Result};

use crate::registry::{self, DataConfig, SerdeConfig, flag};

const ENHANCED: &str = "enhanced.protobuf.schema.support";
const SCRUB: &str = "scrub.invalid.names";
const INT_FOR_ENUMS: &str = "int.for.enums";
const OPTIONAL_FOR_NULLABLES: &str = "optional.for.nullables";
const OPTIONAL_FOR_PROTO2: &str = "optional.for.proto2";
const WRAPPER_FOR_NULLABLES: &str = "wrapper.for.nullables";
const WRAPPER_FOR_RAW: &str = "wrapper.for.raw.primitives";
const STRUCT_FOR_NULLS: &str = "generate.struct.for.nulls";
const INDEX_FOR_UNIONS: &str = "generate.index.for.unions";
const FLATTEN_UNIONS: &str = "flatten.unions";
const LOOKUP_ONLY: &str = "reference.lookup.only";
const SKIP_KNOWN: &str = "skip.known.types";
const REFERENCE_STRATEGY: &str = "reference.subject.name.strategy";
const STRATEGIES: &str = "io.confluent.kafka.serializers.subject.";

/// The settings of conversion between Connect and Protobuf.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Options {
    /// Enumerations and unions take the form that all formats share.
    pub(super) generalized: bool,
    /// Null stays null where there is a default.
    pub(super) ignore_default: bool,
    /// Names of schemas have their package before them.
    pub(super) enhanced: bool,
    /// Names are made valid.
    pub(super) scrub: bool,
    /// Enumerations are read as numbers.
    pub(super) int_for_enums: bool,
    /// What may be null is marked as optional.
    pub(super) optional_for_nullables: bool,
    /// Optional fields of the second edition are null where they are not set.
    pub(super) optional_for_proto2: bool,
    /// What may be null is wrapped in a message.
    pub(super) wrapper_for_nullables: bool,
    /// A wrapper on its own is read as what it wraps.
    pub(super) wrapper_for_raw: bool,
    /// What is not set is read as a struct with nothing set.
    pub(super) struct_for_nulls: bool,
    /// The names of unions have a number at their end.
    pub(super) index_for_unions: bool,
    /// Members of unions are fields like any other.
    pub(super) flatten_unions: bool,
}

/// What is done with the files that a schema imports.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReferenceOptions {
    /// They must be registered already.
    pub(super) lookup_only: bool,
    /// Those that everybody has are left out.
    pub(super) skip_known: bool,
    /// Their subjects are their paths with dots and without `.proto`.
    pub(super) qualified: bool,
}

/// The settings of a Protobuf converter.
pub(super) struct ProtobufConverterConfig {
    pub(super) options: Options,
    pub(super) references: ReferenceOptions,
    pub(super) data: DataConfig,
    pub(super) serde: SerdeConfig,
}

impl ProtobufConverterConfig {
    pub(super) fn parse(raw: &ConfigMap, kind: ConverterKind) -> Result<Self> {
        let config = config_def().parse(raw)?;
        let data = DataConfig::parse(&config)?;
        let strategy = config.class(REFERENCE_STRATEGY)?;
        let qualified = match strategy.strip_prefix(STRATEGIES).unwrap_or(&strategy) {
            "DefaultReferenceSubjectNameStrategy" => false,
            "QualifiedReferenceSubjectNameStrategy" => true,
            _ => {
                return Err(ConnectError::config(format!(
                    "Invalid value {strategy} for configuration {REFERENCE_STRATEGY}: Class \
                     {strategy} could not be found; use DefaultReferenceSubjectNameStrategy or \
                     QualifiedReferenceSubjectNameStrategy of {STRATEGIES}*"
                )));
            }
        };
        Ok(Self {
            options: Options {
                generalized: data.generalized,
                ignore_default: data.ignore_default,
                enhanced: config.boolean(ENHANCED)?,
                scrub: config.boolean(SCRUB)?,
                int_for_enums: config.boolean(INT_FOR_ENUMS)?,
                optional_for_nullables: config.boolean(OPTIONAL_FOR_NULLABLES)?,
                optional_for_proto2: config.boolean(OPTIONAL_FOR_PROTO2)?,
                wrapper_for_nullables: config.boolean(WRAPPER_FOR_NULLABLES)?,
                wrapper_for_raw: config.boolean(WRAPPER_FOR_RAW)?,
                struct_for_nulls: config.boolean(STRUCT_FOR_NULLS)?,
                index_for_unions: config.boolean(INDEX_FOR_UNIONS)?,
                flatten_unions: config.boolean(FLATTEN_UNIONS)?,
            },
            references: ReferenceOptions {
                lookup_only: config.boolean(LOOKUP_ONLY)?,
                skip_known: config.boolean(SKIP_KNOWN)?,
                qualified,
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

/// Keys that are true or false: default, importance and what they mean.
const FLAGS: [(&str, bool, Importance, &str); 12] = {
    use Importance::{Low, Medium};
    [
        (
            ENHANCED,
            false,
            Medium,
            "Whether names of schemas have their package before them.",
        ),
        (
            SCRUB,
            false,
            Medium,
            "Whether characters that Protobuf names may not have are replaced.",
        ),
        (
            INT_FOR_ENUMS,
            false,
            Medium,
            "Whether enumerations are read as numbers.",
        ),
        (
            OPTIONAL_FOR_NULLABLES,
            false,
            Medium,
            "Whether fields that may be null are marked as optional.",
        ),
        (
            OPTIONAL_FOR_PROTO2,
            true,
            Medium,
            "Whether optional fields of proto2 are null where they are not set.",
        ),
        (
            WRAPPER_FOR_NULLABLES,
            false,
            Medium,
            "Whether fields that may be null are wrapped in messages.",
        ),
        (
            WRAPPER_FOR_RAW,
            true,
            Medium,
            "Whether a wrapper on its own is read as what it wraps.",
        ),
        (
            STRUCT_FOR_NULLS,
            false,
            Medium,
            "Whether messages that are not set are read as structs with nothing set.",
        ),
        (
            INDEX_FOR_UNIONS,
            true,
            Low,
            "Whether the names of unions end with an underscore and a number.",
        ),
        (
            FLATTEN_UNIONS,
            false,
            Low,
            "Whether members of unions are fields like any other.",
        ),
        (
            LOOKUP_ONLY,
            false,
            Medium,
            "Whether imported files must be registered already.",
        ),
        (
            SKIP_KNOWN,
            true,
            Low,
            "Whether imported files that everybody has are not registered.",
        ),
    ]
};

fn define() -> ConfigDef {
    let mut def = ConfigDef::new();
    registry::define(&mut def);
    registry::define_data(&mut def);
    for (name, default, importance, doc) in FLAGS {
        def.add(flag(name, default, importance, doc));
    }
    let strategy = format!("{STRATEGIES}DefaultReferenceSubjectNameStrategy");
    def.add(
        ConfigKey::new(REFERENCE_STRATEGY, ConfigType::Class)
            .default(ConfigData::Class(strategy))
            .importance(Importance::Low)
            .doc("How the subjects of imported files are named; by default by their path."),
    );
    def
}
