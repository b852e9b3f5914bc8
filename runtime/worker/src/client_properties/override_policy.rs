//! What a connector may override of its clients' properties (KIP-458).

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

const PROPERTY: &str = "connector.client.config.override.policy";
const ALLOWLIST: &str = "connector.client.config.override.allowlist";

/// Where the reference's policies are.
const PACKAGE: &str = "org.apache.kafka.connect.connector.policy.";

/// What the `Principal` policy allows.
const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];

/// `connector.client.config.override.policy`: which properties of its clients a
/// connector may override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverridePolicy {
    /// Every property.
    All,
    /// No property.
    None,
    /// Those that say who the client is.
    Principal,
    /// Those of `connector.client.config.override.allowlist`.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    /// The policy of a worker, by alias or class name.
    ///
    /// # Errors
    /// Config, if there is no such policy.
    pub fn from_worker(properties: &ConfigMap) -> Result<Self> {
        let name = properties.get(PROPERTY).map_or("All", |name| name.trim());
        // A class of another package may allow less than ours of that name.
        let simple = name.strip_prefix(PACKAGE).unwrap_or(name);
        match simple
            .strip_suffix("ConnectorClientConfigOverridePolicy")
            .unwrap_or(simple)
        {
            "All" => Ok(Self::All),
            "None" => Ok(Self::None),
            "Principal" => Ok(Self::Principal),
            "Allowlist" => Ok(Self::Allowlist(
                properties
                    .get(ALLOWLIST)
                    .map_or("", String::as_str)
                    .split(',')
                    .map(str::trim)
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )),
            _ => Err(ConnectError::config(format!(
                "Invalid value {name} for configuration {PROPERTY}: use All, None, Principal or Allowlist"
            ))),
        }
    }

    /// Says so if the policy should not be used any more.
    pub(crate) fn warn_if_deprecated(&self) {
        if *self == Self::Principal {
            tracing::warn!(
                "{PROPERTY}=Principal is deprecated: use Allowlist with {ALLOWLIST}={}",
                PRINCIPAL.join(",")
            );
        }
    }

    /// Why this property may not be overridden; `None` if it may. `key` is
    /// without the prefix `producer.override.` or its like.
    pub fn refusal(&self, key: &str) -> Option<String> {
        let (name, allowed) = match self {
            Self::All => return None,
            Self::None => ("None", false),
            Self::Principal => ("Principal", PRINCIPAL.contains(&key)),
            Self::Allowlist(keys) => ("Allowlist", keys.iter().any(|allowed| allowed == key)),
        };
        (!allowed).then(|| {
            format!(
                "The '{name}' policy does not allow '{key}' to be overridden in the connector configuration."
            )
        })
    }

    /// Refuses overrides that the policy forbids. Validation of the
    /// configuration tells them before; a policy may have changed since.
    ///
    /// # Errors
    /// Other, with the reference's text, but values left out: they may be
    /// secrets.
    pub fn check(&self, overrides: &ConfigMap) -> Result<()> {
        let refused: Vec<String> = overrides
            .keys()
            .filter_map(|key| Some((key, self.refusal(key)?)))
            .map(|(key, refusal)| format!("[{key},[hidden],[],[{refusal}],true]"))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(ConnectError::other(format!(
            "Client Config Overrides not allowed [{}]",
            refused.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[(&str, &str)]) -> Result<OverridePolicy> {
        OverridePolicy::from_worker(
            &entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn policies_are_known_by_alias_and_class() {
        assert_eq!(policy(&[]).unwrap(), OverridePolicy::All);
        assert_eq!(policy(&[(PROPERTY, "None")]).unwrap(), OverridePolicy::None);
        let class = "org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy";
        assert_eq!(
            policy(&[(PROPERTY, class)]).unwrap(),
            OverridePolicy::Principal
        );
        assert!(policy(&[(PROPERTY, "Most")]).is_err());
        let foreign = "com.example.AllConnectorClientConfigOverridePolicy";
        assert!(policy(&[(PROPERTY, foreign)]).is_err());
    }

    #[test]
    fn each_policy_allows_its_own() {
        assert_eq!(OverridePolicy::All.refusal("acks"), None);
        assert!(
            OverridePolicy::None
                .refusal("security.protocol")
                .unwrap()
                .starts_with("The 'None' policy does not allow 'security.protocol'")
        );
        assert_eq!(OverridePolicy::Principal.refusal("sasl.mechanism"), None);
        assert!(OverridePolicy::Principal.refusal("acks").is_some());
        let list = policy(&[(PROPERTY, "Allowlist"), (ALLOWLIST, "acks, linger.ms")]).unwrap();
        assert_eq!(list.refusal("linger.ms"), None);
        assert!(list.refusal("sasl.mechanism").is_some());
    }

    #[test]
    fn a_refusal_hides_values() {
        let overrides: ConfigMap =
            [("sasl.jaas.config".to_owned(), "password=hunter2".to_owned())].into();
        let error = OverridePolicy::None
            .check(&overrides)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "Client Config Overrides not allowed [[sasl.jaas.config,[hidden],[],[The 'None' policy"
            ),
            "{error}"
        );
        assert!(!error.contains("hunter2"));
    }
}
