//! The keys of a registry's client (`AbstractKafkaSchemaSerDeConfig`,
//! `SchemaRegistryClientConfig`).

use std::time::Duration;

use reqwest::Url;
use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, ParsedConfig,
    Password as Secret, Validator, with_prefix,
};
use tether_api::{ConnectError, Result};

use super::auth::{self, Credentials};
use super::subject;
use super::tls::{self, Tls};

const URLS: &str = "schema.registry.url";
const CAPACITY: &str = "max.schemas.per.subject";
const LATEST_CAPACITY: &str = "latest.cache.size";
const LATEST_LIFE: &str = "latest.cache.ttl.sec";
const PROXY_HOST: &str = "proxy.host";
const PROXY_PORT: &str = "proxy.port";
const CONNECT_TIMEOUT: &str = "http.connect.timeout.ms";
const READ_TIMEOUT: &str = "http.read.timeout.ms";
const MAX_RETRIES: &str = "max.retries";
const RETRIES_WAIT: &str = "retries.wait.ms";
const RETRIES_MAX_WAIT: &str = "retries.max.wait.ms";
const REQUEST_HEADER: &str = "request.header.";
const MOCK: &str = "mock://";
const CLIENT_NAMESPACE: &str = "schema.registry.";
/// What begins the names of keys that may have the prefix as well.
const CLIENT_KEYS: [&str; 5] = ["basic.auth.", "bearer.auth.", "proxy.", "http.", "sasl."];

/// How a registry is reached.
#[derive(Debug, Clone)]
pub(crate) struct RegistryConfig {
    urls: Vec<String>,
    pub(super) credentials: Credentials,
    pub(super) tls: Tls,
    pub(super) headers: Vec<(String, String)>,
    /// Host and port.
    pub(super) proxy: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) retries: Retries,
    /// How many schemas are remembered.
    pub(super) capacity: usize,
    /// How many latest schemas of subjects are remembered, and how long.
    pub(super) latest_capacity: usize,
    pub(super) latest_life: Option<Duration>,
}

/// How often a failed request is repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    pub(super) limit: u32,
    pub(super) first_wait: Duration,
    pub(super) longest_wait: Duration,
}

impl RegistryConfig {
    /// Reads the settings. Those of the client may as well have a prefix, under
    /// which Kafka clients in the same configuration do not see them.
    pub(super) fn parse(raw: &ConfigMap) -> Result<Self> {
        let mut client = raw.clone();
        client.extend(
            with_prefix(raw, CLIENT_NAMESPACE)
                .into_iter()
                .filter(|(key, _)| CLIENT_KEYS.iter().any(|known| key.starts_with(known))),
        );
        let mut def = ConfigDef::new();
        define(&mut def);
        Self::of_client(&def.parse(&client)?, &client)
    }

    fn of_client(parsed: &ParsedConfig, raw: &ConfigMap) -> Result<Self> {
        let urls = parsed.list(URLS)?;
        if urls.is_empty() {
            return Err(ConnectError::config(format!(
                "Invalid value  for configuration {URLS}: at least one address is needed"
            )));
        }
        let millis = |key| {
            let millis = u64::try_from(parsed.int(key)?).unwrap_or(0);
            Ok::<_, ConnectError>(Duration::from_millis(millis))
        };
        let host = parsed.string(PROXY_HOST)?;
        let port = parsed.int(PROXY_PORT)?;
        let credentials = Credentials::parse(parsed, raw)?;
        let mut headers = credentials.more_headers(parsed, raw);
        headers.extend(with_prefix(raw, REQUEST_HEADER));
        Ok(Self {
            urls,
            credentials,
            tls: Tls::parse(parsed, raw)?,
            headers,
            proxy: (!host.is_empty() && port > 0).then(|| format!("{host}:{port}")),
            connect_timeout: millis(CONNECT_TIMEOUT)?,
            read_timeout: millis(READ_TIMEOUT)?,
            retries: Retries {
                limit: u32::try_from(parsed.int(MAX_RETRIES)?).unwrap_or(0),
                first_wait: millis(RETRIES_WAIT)?,
                longest_wait: millis(RETRIES_MAX_WAIT)?,
            },
            capacity: usize::try_from(parsed.int(CAPACITY)?).unwrap_or(0),
            latest_capacity: usize::try_from(parsed.int(LATEST_CAPACITY)?).unwrap_or(0),
            latest_life: u64::try_from(parsed.int(LATEST_LIFE)?)
                .ok()
                .map(Duration::from_secs),
        })
    }

    /// The name of a registry within the process, if that is what is meant.
    pub(super) fn mock_scope(&self) -> Option<&str> {
        self.urls.iter().find_map(|url| url.strip_prefix(MOCK))
    }

    /// The addresses.
    pub(super) fn urls(&self) -> Result<Vec<Url>> {
        self.urls
            .iter()
            .map(|text| {
                // An address may carry a password and so must not be shown.
                let url = Url::parse(text).map_err(|error| {
                    ConnectError::config(format!("{URLS} has an invalid address: {error}"))
                })?;
                match url.scheme() {
                    "http" | "https" => Ok(url),
                    scheme => Err(ConnectError::config(format!(
                        "{URLS} has an address with the scheme {scheme}; use http or https"
                    ))),
                }
            })
            .collect()
    }
}

/// Adds the keys.
pub(crate) fn define(def: &mut ConfigDef) {
    use ConfigType::{Boolean, Class, Int, List, Password, Short, String};
    use Importance::{High, Low, Medium};
    let key = ConfigKey::new;
    let mut add = |key: ConfigKey, importance, doc: &'static str| {
        def.add(key.importance(importance).doc(doc));
    };
    let strategy = || ConfigData::Class(format!("{}TopicNameStrategy", subject::PACKAGE));
    let no_secret = || ConfigData::Password(Secret::default());
    add(
        key(URLS, List),
        High,
        "Addresses of the schema registry, separated by commas; the next one is asked when one \
         fails. mock://name is a registry within this process, for tests.",
    );
    add(
        key(CAPACITY, Int).default_int(1000),
        Low,
        "How many schemas are remembered.",
    );
    add(
        key("normalize.schemas", Boolean).default_boolean(false),
        Medium,
        "Whether the registry normalizes schemas before it compares them.",
    );
    add(
        key("auto.register.schemas", Boolean).default_boolean(true),
        Medium,
        "Whether schemas are registered when they are first used.",
    );
    add(
        key("use.schema.id", Int).default_int(-1),
        Low,
        "Id of the registered schema to write with; -1 for none.",
    );
    add(
        key("id.compatibility.strict", Boolean).default_boolean(true),
        Low,
        "Whether data must fit the schema of use.schema.id.",
    );
    add(
        key("use.latest.version", Boolean).default_boolean(false),
        Low,
        "Whether data is written with the latest schema of its subject.",
    );
    add(
        key("use.latest.with.metadata", String).default_null(),
        Low,
        "Properties of the schema to write with, the latest of its subject that has them: \
         name=value, several separated by commas.",
    );
    add(
        key("latest.compatibility.strict", Boolean).default_boolean(true),
        Low,
        "Whether data must fit the latest schema of its subject.",
    );
    add(
        key(LATEST_CAPACITY, Int).default_int(1000),
        Low,
        "How many latest schemas are remembered.",
    );
    add(
        key(LATEST_LIFE, Int).default_int(-1),
        Low,
        "How long a latest schema is remembered; -1 for ever.",
    );
    add(
        key(auth::BASIC_SOURCE, String).default_string("URL"),
        Medium,
        "Where user and password come from: URL, USER_INFO or SASL_INHERIT.",
    );
    add(
        key(auth::BEARER_SOURCE, String).default_string("STATIC_TOKEN"),
        Medium,
        "Where the bearer token comes from: STATIC_TOKEN, OAUTHBEARER or SASL_OAUTHBEARER_INHERIT.",
    );
    add(
        key(auth::OLD_USER_INFO, Password).default(no_secret()),
        Medium,
        "User and password, separated by a colon; the old name of the key.",
    );
    add(
        key(auth::USER_INFO, Password).default(no_secret()),
        Medium,
        "User and password, separated by a colon.",
    );
    add(
        key(auth::BEARER_TOKEN, Password).default(no_secret()),
        Medium,
        "The bearer token.",
    );
    add(
        key(auth::ISSUER, String).default_null(),
        Medium,
        "Address of the identity provider that gives tokens.",
    );
    add(
        key(auth::CLIENT_ID, String).default_null(),
        Medium,
        "Id of the client that tokens are for.",
    );
    add(
        key(auth::CLIENT_SECRET, Password).default_null(),
        Medium,
        "Secret of the client that tokens are for.",
    );
    add(
        key(auth::SCOPE, String).default_null(),
        Medium,
        "Scope of tokens.",
    );
    add(
        key("bearer.auth.scope.claim.name", String).default_string("scope"),
        Low,
        "Claim of tokens that names their scope.",
    );
    add(
        key(auth::SUB_CLAIM, String).default_string("sub"),
        Low,
        "Claim of tokens that names the principal.",
    );
    add(
        key(auth::LOGICAL_CLUSTER, String).default_null(),
        Medium,
        "The registry that is meant, of several at one address.",
    );
    add(
        key(auth::IDENTITY_POOL, String).default_null(),
        Medium,
        "The identity pool that authorises.",
    );
    add(
        key(auth::BUFFER, Short)
            .default(ConfigData::Short(300))
            .validator(Validator::Between(0, 3600)),
        Low,
        "How many seconds before its end a token is renewed.",
    );
    add(
        key(subject::CONTEXT_STRATEGY, Class)
            .default(ConfigData::Class(subject::NO_CONTEXT.to_owned())),
        Medium,
        "How the context of a subject is named; only NullContextNameStrategy, which names none.",
    );
    add(
        key(subject::KEY_STRATEGY, Class).default(strategy()),
        Medium,
        "How the subjects of keys are named; by default <topic>-key.",
    );
    add(
        key(subject::VALUE_STRATEGY, Class).default(strategy()),
        Medium,
        "How the subjects of values are named; by default <topic>-value.",
    );
    add(
        key(PROXY_HOST, String).default_string(""),
        Low,
        "Host of the proxy to the registry.",
    );
    add(
        key(PROXY_PORT, Int).default_int(-1),
        Low,
        "Port of the proxy to the registry.",
    );
    add(
        key(CONNECT_TIMEOUT, Int).default_int(60_000),
        Low,
        "How long connecting to the registry may take, in milliseconds.",
    );
    add(
        key(READ_TIMEOUT, Int).default_int(60_000),
        Low,
        "How long an answer of the registry may take, in milliseconds.",
    );
    add(
        key(MAX_RETRIES, Int).default_int(3),
        Low,
        "How often a request that failed and may succeed is repeated.",
    );
    add(
        key(RETRIES_WAIT, Int).default_int(1000),
        Low,
        "The longest wait before the first repetition, in milliseconds.",
    );
    add(
        key(RETRIES_MAX_WAIT, Int).default_int(20_000),
        Low,
        "The longest wait before any repetition, in milliseconds.",
    );
    tls::define(def);
}
