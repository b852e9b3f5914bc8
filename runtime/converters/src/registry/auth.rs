//! Who the registry is told that we are.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tether_api::config::{ConfigData, ConfigMap, ParsedConfig, Password};
use tether_api::{ConnectError, Result};

use super::oauth::ClientCredentials;

pub(super) const BASIC_SOURCE: &str = "basic.auth.credentials.source";
pub(super) const USER_INFO: &str = "basic.auth.user.info";
pub(super) const OLD_USER_INFO: &str = "schema.registry.basic.auth.user.info";
pub(super) const BEARER_SOURCE: &str = "bearer.auth.credentials.source";
pub(super) const BEARER_TOKEN: &str = "bearer.auth.token";
pub(super) const ISSUER: &str = "bearer.auth.issuer.endpoint.url";
pub(super) const CLIENT_ID: &str = "bearer.auth.client.id";
pub(super) const CLIENT_SECRET: &str = "bearer.auth.client.secret";
pub(super) const SCOPE: &str = "bearer.auth.scope";
pub(super) const SUB_CLAIM: &str = "bearer.auth.sub.claim.name";
pub(super) const LOGICAL_CLUSTER: &str = "bearer.auth.logical.cluster";
pub(super) const IDENTITY_POOL: &str = "bearer.auth.identity.pool.id";
pub(super) const BUFFER: &str = "bearer.auth.cache.expiry.buffer.seconds";
const JAAS_CONFIG: &str = "sasl.jaas.config";

/// How requests are authorised.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// By what the address of the registry carries, if anything.
    OfUrl,
    /// By user and password.
    Basic(Password),
    /// By a token.
    Bearer(Password),
    /// By tokens of an identity provider.
    OAuth(ClientCredentials),
}

impl Credentials {
    /// Reads the credentials. `raw` is the whole configuration, from which
    /// `SASL_INHERIT` takes the user of the Kafka client.
    pub(super) fn parse(parsed: &ParsedConfig, raw: &ConfigMap) -> Result<Self> {
        if raw.contains_key(BEARER_SOURCE) || raw.contains_key(BEARER_TOKEN) {
            if raw.contains_key(BASIC_SOURCE) && raw.contains_key(BEARER_SOURCE) {
                return Err(ConnectError::config(format!(
                    "Only one of '{BASIC_SOURCE}' and '{BEARER_SOURCE}' may be specified"
                )));
            }
            return Self::bearer(parsed, raw);
        }
        match parsed.string(BASIC_SOURCE)?.as_str() {
            "URL" => Ok(Self::OfUrl),
            "USER_INFO" => {
                let user_info = parsed.password(USER_INFO)?;
                if user_info.is_empty() {
                    return Err(ConnectError::config(format!(
                        "{USER_INFO} must be provided when {BASIC_SOURCE} is set to USER_INFO"
                    )));
                }
                Ok(Self::Basic(user_info))
            }
            "SASL_INHERIT" => {
                let jaas = raw.get(JAAS_CONFIG).map(String::as_str).unwrap_or_default();
                match (option(jaas, "username"), option(jaas, "password")) {
                    (Some(user), Some(password)) => {
                        Ok(Self::Basic(Password::new(format!("{user}:{password}"))))
                    }
                    _ => Err(ConnectError::config(format!(
                        "{JAAS_CONFIG} with username and password must be provided when \
                         {BASIC_SOURCE} is set to SASL_INHERIT"
                    ))),
                }
            }
            other => Err(unknown(BASIC_SOURCE, other, "URL, USER_INFO, SASL_INHERIT")),
        }
    }

    fn bearer(parsed: &ParsedConfig, raw: &ConfigMap) -> Result<Self> {
        match parsed.string(BEARER_SOURCE)?.as_str() {
            "STATIC_TOKEN" => {
                let token = parsed.password(BEARER_TOKEN)?;
                if token.is_empty() {
                    return Err(ConnectError::config(format!(
                        "{BEARER_TOKEN} must be provided when {BEARER_SOURCE} is set to \
                         STATIC_TOKEN"
                    )));
                }
                Ok(Self::Bearer(token))
            }
            "OAUTHBEARER" => Self::oauth(parsed, raw, None),
            "SASL_OAUTHBEARER_INHERIT" => Self::oauth(parsed, raw, raw.get(JAAS_CONFIG)),
            other => Err(unknown(
                BEARER_SOURCE,
                other,
                "STATIC_TOKEN, OAUTHBEARER, SASL_OAUTHBEARER_INHERIT",
            )),
        }
    }

    /// The client of an identity provider; what is not set is the Kafka
    /// client's, where its login module is given.
    fn oauth(parsed: &ParsedConfig, raw: &ConfigMap, jaas: Option<&String>) -> Result<Self> {
        let inherited = |name| jaas.and_then(|jaas| option(jaas, name));
        let missing = |key: &str| {
            ConnectError::config(format!(
                "The OAuth configuration option {key} value must be non-null"
            ))
        };
        let url = parsed
            .optional_string(ISSUER)
            .or_else(|| jaas.and_then(|_| raw.get("sasl.oauthbearer.token.endpoint.url").cloned()));
        let url = url.ok_or_else(|| missing(ISSUER))?;
        let url = Url::parse(&url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                ConnectError::config(format!(
                    "The OAuth configuration option {ISSUER} must be an http or https URL"
                ))
            })?;
        let client_id = parsed
            .optional_string(CLIENT_ID)
            .or_else(|| inherited("clientId"));
        let client_secret = parsed
            .optional_password(CLIENT_SECRET)
            .or_else(|| inherited("clientSecret").map(Password::new));
        Ok(Self::OAuth(ClientCredentials {
            url,
            client_id: client_id.ok_or_else(|| missing(CLIENT_ID))?,
            client_secret: client_secret.ok_or_else(|| missing(CLIENT_SECRET))?,
            scope: parsed.optional_string(SCOPE).or_else(|| inherited("scope")),
            principal_claim: parsed.string(SUB_CLAIM)?,
            buffer: match parsed.get(BUFFER) {
                Some(ConfigData::Short(seconds)) => {
                    Duration::from_secs(seconds.unsigned_abs().into())
                }
                _ => Duration::ZERO,
            },
        }))
    }

    /// Headers that tell which registry is meant, and by whom.
    pub(super) fn more_headers(
        &self,
        parsed: &ParsedConfig,
        raw: &ConfigMap,
    ) -> Vec<(String, String)> {
        if !matches!(self, Self::Bearer(_) | Self::OAuth(_)) {
            return Vec::new();
        }
        let inherits = matches!(self, Self::OAuth(_))
            && parsed
                .string(BEARER_SOURCE)
                .is_ok_and(|source| source.starts_with("SASL"));
        let pool = parsed.optional_string(IDENTITY_POOL).or_else(|| {
            let jaas = raw.get(JAAS_CONFIG).filter(|_| inherits)?;
            option(jaas, "extension_identityPoolId")
        });
        let headers = [
            ("Confluent-Identity-Pool-Id", pool),
            ("target-sr-cluster", parsed.optional_string(LOGICAL_CLUSTER)),
        ];
        let given = headers.into_iter();
        given
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }

    /// The header for requests to an address, without what the address carries.
    pub(super) fn header(&self, user: &str, password: Option<&str>) -> Result<Option<HeaderValue>> {
        let text = match self {
            Self::OfUrl if user.is_empty() && password.is_none() => return Ok(None),
            Self::OfUrl => {
                let decode = |text| percent_decode_str(text).decode_utf8_lossy();
                let password = decode(password.unwrap_or_default());
                basic(&format!("{}:{password}", decode(user)))
            }
            Self::Basic(user_info) => basic(user_info.reveal()),
            Self::Bearer(token) => format!("Bearer {}", token.reveal()),
            Self::OAuth(_) => return Ok(None),
        };
        let mut header = HeaderValue::from_str(&text).map_err(|_| {
            ConnectError::config(format!(
                "{BEARER_TOKEN} has characters that no HTTP header may have"
            ))
        })?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

fn basic(user_info: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_info))
}

fn unknown(key: &str, value: &str, known: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {value} for configuration {key}: String must be one of: {known}"
    ))
}

/// The value of an option in a JAAS line: `Module required username="u";`.
fn option(jaas: &str, name: &str) -> Option<String> {
    let mut rest = jaas;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        if before.is_some_and(|c| !c.is_whitespace()) {
            continue;
        }
        let value = value.trim_start();
        return Some(match value.strip_prefix(['"', '\'']) {
            Some(quoted) => {
                let quote = value.chars().next()?;
                quoted.split(quote).next()?.to_owned()
            }
            None => value
                .split(|c: char| c.is_whitespace() || c == ';')
                .next()?
                .to_owned(),
        });
    }
}

/// An address without credentials, to be shown.
pub(super) fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // Only addresses that cannot be a registry's refuse this.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_jaas_lines() {
        let line = r#"a.PlainLoginModule required username="the user" password='p"w' x=y;"#;
        assert_eq!(option(line, "username").as_deref(), Some("the user"));
        assert_eq!(option(line, "password").as_deref(), Some("p\"w"));
        assert_eq!(option(line, "x").as_deref(), Some("y"));
        assert_eq!(option(line, "z"), None);
        assert_eq!(option("superusername=a", "username"), None);
    }

    #[test]
    fn headers_carry_credentials() {
        let header = |credentials: Credentials, user, password| {
            let header = credentials.header(user, password).unwrap();
            header.map(|header| header.to_str().unwrap().to_owned())
        };
        assert_eq!(header(Credentials::OfUrl, "", None), None);
        assert_eq!(
            header(Credentials::OfUrl, "u", Some("p%40")).as_deref(),
            Some("Basic dTpwQA==")
        );
        let basic = Credentials::Basic(Password::new("u:p@"));
        assert_eq!(header(basic, "x", None).as_deref(), Some("Basic dTpwQA=="));
        let bearer = Credentials::Bearer(Password::new("t"));
        assert_eq!(header(bearer, "", None).as_deref(), Some("Bearer t"));
    }
}
