//! Where tokens of the mechanism OAUTHBEARER come from.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tether_api::config::Password;

use super::jaas::LoginModule;
use super::{Translator, invalid};
use crate::Result;

/// Where tokens come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TokenSource {
    /// An endpoint that gives tokens for a client's id and secret
    /// (`ClientCredentialsJwtRetriever`).
    Endpoint(ClientCredentials),
    /// A file with a token (`FileJwtRetriever`).
    File(PathBuf),
    /// Tokens without signature, for tests
    /// (`OAuthBearerUnsecuredLoginCallbackHandler`).
    Unsecured {
        /// The name of the principal.
        principal: String,
        /// How long a token is valid.
        lifetime: Duration,
        /// The scope, if any.
        scope: Option<String>,
    },
}

/// What an endpoint wants to know.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientCredentials {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Password,
    pub(crate) scope: Option<String>,
    /// Whether id and secret are percent-encoded in the header, as RFC 6749 has
    /// it.
    pub(crate) url_encoded: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    /// The claim that names the principal.
    pub(crate) principal_claim: String,
    /// Certificates that the endpoint is checked with, as PEM.
    pub(crate) trusted: Option<String>,
}

impl std::hash::Hash for ClientCredentials {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.url.hash(state);
        self.client_id.hash(state);
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// How long Java waits where the properties don't say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The lifetime of an unsecured token where the options don't say.
const UNSECURED_LIFETIME: Duration = Duration::from_secs(3600);

/// The class that fetches tokens, in the packages it has been in.
const LOGIN_HANDLERS: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
];

/// The class that makes unsecured tokens.
const UNSECURED_HANDLER: &str = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.\
                                 OAuthBearerUnsecuredLoginCallbackHandler";

impl Translator<'_> {
    pub(super) fn token_source(
        &mut self,
        module: &LoginModule,
        trusted: Option<&String>,
    ) -> Result<TokenSource> {
        let handler = self.text("sasl.login.callback.handler.class");
        let url = self.text("sasl.oauthbearer.token.endpoint.url");
        match handler.as_deref() {
            None | Some(UNSECURED_HANDLER) if url.is_none() => self.unsecured(module),
            None | Some(UNSECURED_HANDLER) => self.endpoint(url, module, trusted),
            Some(handler) if LOGIN_HANDLERS.contains(&handler) => {
                self.endpoint(url, module, trusted)
            }
            Some(handler) => Err(invalid(format!(
                "The class {handler} of the property sasl.login.callback.handler.class is not \
                 available here; OAUTHBEARER works with {} and \
                 sasl.oauthbearer.token.endpoint.url",
                LOGIN_HANDLERS[0]
            ))),
        }
    }

    fn endpoint(
        &mut self,
        url: Option<String>,
        module: &LoginModule,
        trusted: Option<&String>,
    ) -> Result<TokenSource> {
        let url = url.filter(|url| !url.is_empty()).ok_or_else(|| {
            invalid(
                "The OAuth configuration option sasl.oauthbearer.token.endpoint.url value must be \
                 non-null",
            )
        })?;
        if let Some(path) = url.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Ok(TokenSource::File(PathBuf::from(path)));
        }
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(invalid(
                "The property sasl.oauthbearer.token.endpoint.url must be an https, http or file \
                 URL",
            ));
        }
        for option in module
            .options()
            .filter(|name| name.starts_with("extension_"))
        {
            self.warn(format!(
                "The option {option} of sasl.jaas.config is ignored: SASL extensions are not \
                 sent"
            ));
        }
        let required = |value: Option<String>, property: &str, option: &str| {
            value
                .or_else(|| module.option(option).map(str::to_owned))
                .ok_or_else(|| {
                    invalid(format!(
                        "OAUTHBEARER needs the property {property}, or the option {option} in \
                         sasl.jaas.config"
                    ))
                })
        };
        let id = "sasl.oauthbearer.client.credentials.client.id";
        let secret = "sasl.oauthbearer.client.credentials.client.secret";
        Ok(TokenSource::Endpoint(ClientCredentials {
            client_id: required(self.text(id), id, "clientId")?,
            client_secret: required(self.secret(secret), secret, "clientSecret")
                .map(Password::new)?,
            scope: self
                .text("sasl.oauthbearer.scope")
                .or_else(|| module.option("scope").map(str::to_owned)),
            url_encoded: self.flag("sasl.oauthbearer.header.urlencode"),
            connect_timeout: self.timeout("sasl.login.connect.timeout.ms"),
            read_timeout: self.timeout("sasl.login.read.timeout.ms"),
            principal_claim: self
                .text("sasl.oauthbearer.sub.claim.name")
                .unwrap_or_else(|| "sub".to_owned()),
            trusted: trusted.cloned(),
            url,
        }))
    }

    fn timeout(&self, name: &str) -> Duration {
        match self.number(name) {
            0 => DEFAULT_TIMEOUT,
            milliseconds => Duration::from_millis(milliseconds.unsigned_abs()),
        }
    }

    fn unsecured(&self, module: &LoginModule) -> Result<TokenSource> {
        let principal_claim = module
            .option("unsecuredLoginPrincipalClaimName")
            .unwrap_or("sub");
        let claim = format!("unsecuredLoginStringClaim_{principal_claim}");
        let principal = module.option(&claim).ok_or_else(|| {
            invalid(format!(
                "OAUTHBEARER without sasl.oauthbearer.token.endpoint.url needs the option {claim} \
                 in sasl.jaas.config"
            ))
        })?;
        let lifetime = match module.option("unsecuredLoginLifetimeSeconds") {
            None => UNSECURED_LIFETIME,
            Some(text) => text.trim().parse().map(Duration::from_secs).map_err(|_| {
                invalid(
                    "The option unsecuredLoginLifetimeSeconds in sasl.jaas.config is not a number",
                )
            })?,
        };
        Ok(TokenSource::Unsecured {
            principal: principal.to_owned(),
            lifetime,
            scope: module
                .option("unsecuredLoginStringClaim_scope")
                .map(str::to_owned),
        })
    }
}
