//! Says who this client is: SaslHandshake and SaslAuthenticate with PLAIN,
//! SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (`SaslClientAuthenticator`).

pub(crate) mod scram;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tether_api::config::Password;

use super::wire::Wire;
use crate::broker::messages::{Authenticated, SaslAuthenticate, SaslHandshake, SupportedVersions};
use crate::broker::{BrokerError, BrokerErrorKind};
use crate::tokens::TokenProvider;

/// The broker does not accept the mechanism.
const UNSUPPORTED_SASL_MECHANISM: i16 = 33;
/// The listener is one without SASL.
const ILLEGAL_SASL_STATE: i16 = 34;

/// Random bytes in a nonce.
const NONCE_BYTES: usize = 24;

/// What this client says who it is with.
pub(super) enum Credentials {
    Plain {
        username: String,
        password: Password,
    },
    Scram(Arc<scram::Login>),
    OauthBearer(Arc<TokenProvider>),
}

impl Credentials {
    fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::Scram(login) => login.hash.mechanism(),
            Self::OauthBearer(_) => "OAUTHBEARER",
        }
    }
}

/// Says who this client is. Returns how long the broker takes that for proven
/// (KIP-368), if it has a limit.
///
/// # Errors
/// Refused, if one of both does not trust the other; without secrets.
pub(super) async fn authenticate(
    wire: &mut Wire,
    versions: &SupportedVersions,
    credentials: &Credentials,
    timeout: Duration,
) -> Result<Option<Duration>, BrokerError> {
    let mechanism = credentials.mechanism();
    let handshake = SaslHandshake {
        mechanism: mechanism.to_owned(),
    };
    let answer = wire.ask(versions, &handshake, timeout).await?;
    match answer.error {
        0 => {}
        UNSUPPORTED_SASL_MECHANISM => {
            let accepted = answer.accepted.join(", ");
            return Err(wire.peer.refused(format!(
                "it does not accept the SASL mechanism {mechanism}; set sasl.mechanism to one of \
                 those that it has: {accepted:.200}"
            )));
        }
        ILLEGAL_SASL_STATE => {
            return Err(wire.peer.refused(
                "it does not want to know who this client is; set security.protocol to one \
                 without SASL, or use another listener of the broker",
            ));
        }
        code => {
            return Err(wire
                .peer
                .refused(format!("it refuses SASL with error {code}")));
        }
    }
    let mut dialogue = Dialogue {
        wire,
        versions,
        mechanism,
        timeout,
    };
    let last = match credentials {
        Credentials::Plain { username, password } => {
            let message = format!("\0{username}\0{}", password.reveal());
            dialogue.say(message.into_bytes()).await?
        }
        Credentials::Scram(login) => dialogue.scram(login).await?,
        Credentials::OauthBearer(tokens) => dialogue.oauth_bearer(tokens).await?,
    };
    let lifetime = u64::try_from(last.lifetime_ms).unwrap_or(0);
    Ok((lifetime > 0).then(|| Duration::from_millis(lifetime)))
}

/// What a mechanism says to a broker that accepts it.
struct Dialogue<'a> {
    wire: &'a mut Wire,
    versions: &'a SupportedVersions,
    mechanism: &'static str,
    timeout: Duration,
}

impl Dialogue<'_> {
    async fn say(&mut self, bytes: Vec<u8>) -> Result<Authenticated, BrokerError> {
        let request = SaslAuthenticate { bytes };
        let answer = self.wire.ask(self.versions, &request, self.timeout).await?;
        if answer.error == 0 {
            return Ok(answer);
        }
        let reason = answer
            .message
            .unwrap_or_else(|| format!("error {}", answer.error));
        Err(self.refused(&format!("{reason:.500}")))
    }

    fn refused(&self, reason: &str) -> BrokerError {
        self.wire.peer.refused(format!(
            "SASL {} failed: {reason}; check sasl.jaas.config",
            self.mechanism
        ))
    }

    async fn scram(&mut self, login: &Arc<scram::Login>) -> Result<Authenticated, BrokerError> {
        let nonce = STANDARD_NO_PAD.encode(rand::random::<[u8; NONCE_BYTES]>());
        let first = self.say(login.first(&nonce).into_bytes()).await?;
        let login = Arc::clone(login);
        let (response, proof) =
            tokio::task::spawn_blocking(move || login.respond(&nonce, &first.bytes))
                .await
                .map_err(|_| self.refused("the runtime is shutting down"))?
                .map_err(|error| self.refused(&error.to_string()))?;
        let last = self.say(response.into_bytes()).await?;
        proof
            .check(&last.bytes)
            .map_err(|error| self.refused(&error.to_string()))?;
        Ok(last)
    }

    /// RFC 7628, without extensions.
    async fn oauth_bearer(
        &mut self,
        tokens: &Arc<TokenProvider>,
    ) -> Result<Authenticated, BrokerError> {
        let tokens = Arc::clone(tokens);
        let token = tokio::task::spawn_blocking(move || tokens.token())
            .await
            .map_err(|_| self.refused("the runtime is shutting down"))?
            .map_err(|error| BrokerError::new(BrokerErrorKind::Refused, error.message))?
            .text;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(self.refused("the token has characters that tokens must not have"));
        }
        let message = format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}");
        let answer = self.say(message.into_bytes()).await?;
        if answer.bytes.is_empty() {
            return Ok(answer);
        }
        // The broker says what is wrong with the token, and refuses it once it
        // knows that this was read.
        let reason = String::from_utf8_lossy(&answer.bytes).into_owned();
        self.say(vec![1]).await?;
        Err(self.refused(&format!("{reason:.500}")))
    }
}
