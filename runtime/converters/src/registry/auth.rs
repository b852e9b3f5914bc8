//! Who the registry is told that we are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::HeaderValue;
use tether_api::config::{ConfigMap, ParsedConfig, Password};
use tether_api::{ConnectError, Result};

pub(super) const BASIC_SOURCE: &str = "basic.auth.credentials.source";
pub(super) const USER_INFO: &str = "basic.auth.user.info";
pub(super) const OLD_USER_INFO: &str = "schema.registry.basic.auth.user.info";
pub(super) const BEARER_SOURCE: &str = "bearer.auth.credentials.source";
pub(super) const BEARER_TOKEN: &str = "bearer.auth.token";
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
}

impl Credentials {
    /// Reads the credentials. `raw` is the whole configuration, from which
    /// `SASL_INHERIT` takes the user of the Kafka client.
    pub(super) fn parse(parsed: &ParsedConfig, raw: &ConfigMap) -> Result<Self> {
        if raw.contains_key(BEARER_SOURCE) || raw.contains_key(BEARER_TOKEN) {
            return Self::bearer(parsed);
        }
        match parsed.string(BASIC_SOURCE)?.as_str() {
            "URL" => Ok(Self::OfUrl),
            "USER_INFO" => {
                let old = parsed.password(OLD_USER_INFO)?;
                let user_info = if old.is_empty() {
                    parsed.password(USER_INFO)?
                } else {
                    old
                };
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

    fn bearer(parsed: &ParsedConfig) -> Result<Self> {
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
            other => Err(unknown(BEARER_SOURCE, other, "STATIC_TOKEN")),
        }
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
