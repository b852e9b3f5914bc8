//! What can go wrong with a registry, and whether it may pass.

use tether_api::{ConnectError, ErrorKind};

/// A registry's failure. Addresses in it carry no credentials.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RegistryError {
    /// No answer came.
    #[error(
        "no answer from the schema registry at {url}: {reason}; check schema.registry.url and the network"
    )]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The registry said no.
    #[error("{message}; error code: {code}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The registry's own code; its first three digits mostly are the
        /// status.
        code: i32,
        /// The registry's words.
        message: String,
    },
    /// The identity provider gave no token.
    #[error("no token for the schema registry from {url}: {reason}; check bearer.auth.*")]
    NoToken {
        /// Where it was asked for.
        url: String,
        /// What happened.
        reason: String,
        /// Whether it may pass.
        passes: bool,
    },
    /// The schema has a rule that would have to be executed.
    #[error("Rule failed: {name}: Could not find rule executor of type {kind}")]
    Rule {
        /// The name of the rule.
        name: String,
        /// What executes it.
        kind: String,
    },
    /// The answer makes no sense.
    #[error(
        "the schema registry at {url} gave an unexpected answer: {reason}; check schema.registry.url"
    )]
    Malformed {
        /// Where it was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RegistryError {
    /// Whether the same question may be answered later.
    pub(crate) fn is_retriable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::NoToken { passes, .. } => *passes,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            Self::Rule { .. } | Self::Malformed { .. } => false,
        }
    }

    /// The kind of failure for the worker. As in the reference, codes of three
    /// digits that begin with 4 are faults of the configuration.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            _ if self.is_retriable() => ErrorKind::Retriable,
            Self::Refused {
                code: 400..=499, ..
            } => ErrorKind::Config,
            _ => ErrorKind::Data,
        }
    }

    /// The failure as the cause of another one.
    pub(crate) fn into_cause(self) -> ConnectError {
        let class = match &self {
            Self::Unreachable { .. } => "java.net.ConnectException",
            Self::Rule { .. } => "io.confluent.kafka.schemaregistry.rules.RuleException",
            Self::NoToken { .. } => {
                "io.confluent.kafka.schemaregistry.client.security.bearerauth.oauth.exceptions.\
                 SchemaRegistryOauthTokenRetrieverException"
            }
            _ => "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException",
        };
        ConnectError::new(self.kind(), self.to_string()).with_class(class)
    }
}
