//! The settings of session keys and signatures, `inter.worker.*`
//! (`DistributedConfig`).

use std::time::Duration;

use tether_api::config::{ConfigData, ConfigDef, ConfigKey, ConfigType, ParsedConfig, Validator};
use tether_api::{ConnectError, Result};

use super::{Algorithm, SessionKeys, Verifier};

const KEY_ALGORITHM: &str = "inter.worker.key.generation.algorithm";
const KEY_SIZE: &str = "inter.worker.key.size";
const KEY_LIFETIME: &str = "inter.worker.key.ttl.ms";
const SIGNATURE: &str = "inter.worker.signature.algorithm";
const VERIFICATION: &str = "inter.worker.verification.algorithms";

/// How a worker makes keys, signs and verifies.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Makes keys.
    pub keys: SessionKeys,
    /// What this worker signs with.
    pub signature_algorithm: Algorithm,
    /// Verifies what others sign.
    pub verifier: Verifier,
}

impl SessionConfig {
    /// Adds the properties.
    pub(crate) fn define(definition: ConfigDef) -> ConfigDef {
        let algorithm = |name: &'static str, description| {
            ConfigKey::new(name, ConfigType::String)
                .default_string("HmacSHA256")
                .validator(Validator::custom(description, |_, value| match value {
                    ConfigData::String(name) => supported(name),
                    _ => Ok(()),
                }))
        };
        definition
            .define(algorithm(
                KEY_ALGORITHM,
                "Any KeyGenerator algorithm supported by the worker",
            ))
            .define(ConfigKey::new(KEY_SIZE, ConfigType::Int).default_null())
            .define(
                ConfigKey::new(KEY_LIFETIME, ConfigType::Int)
                    .default_int(3_600_000)
                    .validator(Validator::Between(0, i64::from(i32::MAX))),
            )
            .define(algorithm(
                SIGNATURE,
                "Any MAC algorithm supported by the worker",
            ))
            .define(
                ConfigKey::new(VERIFICATION, ConfigType::List)
                    .default_list(&["HmacSHA256"])
                    .validator(Validator::custom(
                        "A list of one or more MAC algorithms, each supported by the worker",
                        |_, value| match value {
                            ConfigData::List(names) if names.is_empty() => Err(
                                "At least one signature verification algorithm must be provided"
                                    .to_owned(),
                            ),
                            ConfigData::List(names) => {
                                names.iter().try_for_each(|name| supported(name))
                            }
                            _ => Ok(()),
                        },
                    )),
            )
    }

    /// Reads the properties.
    ///
    /// # Errors
    /// Config, if they do not fit together.
    pub(crate) fn new(parsed: &ParsedConfig) -> Result<Self> {
        let bits = match parsed.get(KEY_SIZE) {
            Some(ConfigData::Int(bits)) => Some(*bits),
            _ => None,
        };
        let lifetime = parsed.int(KEY_LIFETIME)?.max(0).unsigned_abs();
        let keys = SessionKeys::new(
            algorithm(parsed, KEY_ALGORITHM)?,
            bits,
            Duration::from_millis(u64::from(lifetime)),
        )?;
        let signature_algorithm = algorithm(parsed, SIGNATURE)?;
        let permitted = parsed.list(VERIFICATION)?;
        if !permitted
            .iter()
            .any(|name| name == signature_algorithm.name())
        {
            return Err(ConnectError::config(format!(
                "Invalid value {} for configuration {SIGNATURE}: Signature algorithm must be \
                 present in {VERIFICATION} list",
                signature_algorithm.name()
            )));
        }
        Ok(Self {
            keys,
            signature_algorithm,
            verifier: Verifier::new(permitted),
        })
    }
}

fn algorithm(parsed: &ParsedConfig, key: &str) -> Result<Algorithm> {
    let name = parsed.string(key)?;
    Algorithm::from_name(&name).ok_or_else(|| {
        ConnectError::config(format!(
            "Invalid value {name} for configuration {key}: {}",
            unsupported()
        ))
    })
}

fn supported(name: &str) -> Result<(), String> {
    match Algorithm::from_name(name) {
        Some(_) => Ok(()),
        None => Err(unsupported()),
    }
}

fn unsupported() -> String {
    let names: Vec<_> = Algorithm::names().collect();
    format!(
        "the algorithm is not supported by this worker; the supported algorithms are: [{}]",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigMap;

    use super::*;
    use crate::session::Rotation;

    fn config(properties: &[(&str, &str)]) -> Result<SessionConfig> {
        let properties: ConfigMap = properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        SessionConfig::new(&SessionConfig::define(ConfigDef::new()).parse(&properties)?)
    }

    fn message(properties: &[(&str, &str)]) -> String {
        config(properties).unwrap_err().message().to_owned()
    }

    #[test]
    fn defaults() {
        let config = config(&[]).unwrap();
        assert_eq!(config.signature_algorithm.name(), "HmacSHA256");
        let key = config.keys.generate(0);
        assert_eq!((key.key.len(), &*key.algorithm), (32, "HmacSHA256"));
        assert_eq!(
            config.keys.rotation(Some(&key), 0),
            Rotation::In(Duration::from_secs(3600))
        );
    }

    #[test]
    fn everything_is_read() {
        let config = config(&[
            (KEY_ALGORITHM, "HmacSHA1"),
            (KEY_SIZE, "128"),
            (KEY_LIFETIME, "1000"),
            (SIGNATURE, "hmacsha512"),
            (VERIFICATION, "HmacSHA384,hmacsha512"),
        ])
        .unwrap();
        assert_eq!(config.signature_algorithm.name(), "hmacsha512");
        let key = config.keys.generate(0);
        assert_eq!((key.key.len(), &*key.algorithm), (16, "HmacSHA1"));
        assert_eq!(
            config.keys.rotation(Some(&key), 0),
            Rotation::In(Duration::from_secs(1))
        );
    }

    #[test]
    fn mistakes_are_explained() {
        let names = "[HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384, HmacSHA512, HmacSHA512/224, \
                     HmacSHA512/256]";
        for key in [KEY_ALGORITHM, SIGNATURE] {
            assert_eq!(
                message(&[(key, "Foo")]),
                format!(
                    "Invalid value Foo for configuration {key}: the algorithm is not supported by \
                     this worker; the supported algorithms are: {names}"
                )
            );
        }
        assert!(
            message(&[(VERIFICATION, "HmacSHA256,Foo")])
                .starts_with("Invalid value [HmacSHA256, Foo] for configuration")
        );
        assert_eq!(
            message(&[(VERIFICATION, "")]),
            format!(
                "Invalid value [] for configuration {VERIFICATION}: At least one signature \
                 verification algorithm must be provided"
            )
        );
        assert_eq!(
            message(&[(SIGNATURE, "HmacSHA1")]),
            format!(
                "Invalid value HmacSHA1 for configuration {SIGNATURE}: Signature algorithm must be \
                 present in {VERIFICATION} list"
            )
        );
        assert!(message(&[(KEY_LIFETIME, "-1")]).contains(KEY_LIFETIME));
        assert!(message(&[(KEY_SIZE, "8")]).starts_with("Unable to create key generator"));
    }
}
