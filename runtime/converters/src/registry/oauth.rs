//! Tokens that an identity provider gives for a client's id and secret
//! (`OauthCredentialProvider`).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;
use tether_api::config::Password;
use tokio::sync::Mutex;

use super::RegistryError;
use super::http::innermost;

/// Bytes that an answer may have.
const LARGEST_ANSWER: usize = 1 << 20;

/// What an identity provider wants to know.
#[derive(Debug, Clone)]
pub(super) struct ClientCredentials {
    pub(super) url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Password,
    pub(super) scope: Option<String>,
    /// The claim that names the principal.
    pub(super) principal_claim: String,
    /// How long before its end a token is renewed.
    pub(super) buffer: Duration,
}

/// The token that requests carry, renewed before its end.
pub(super) struct Tokens {
    client: Client,
    credentials: ClientCredentials,
    current: Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    /// When to ask for another one.
    until: Instant,
}

impl Tokens {
    pub(super) fn new(client: Client, credentials: ClientCredentials) -> Self {
        Self {
            client,
            credentials,
            current: Mutex::new(None),
        }
    }

    /// The header for a request. Only one of those who want a token asks for it.
    pub(super) async fn header(&self) -> Result<HeaderValue, RegistryError> {
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && Instant::now() < token.until
        {
            return Ok(token.header.clone());
        }
        let token = self.fetch().await?;
        let header = token.header.clone();
        *current = Some(token);
        Ok(header)
    }

    /// Forgets a token that the registry refused.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    async fn fetch(&self) -> Result<Token, RegistryError> {
        let ClientCredentials {
            client_id,
            client_secret,
            scope,
            url,
            ..
        } = &self.credentials;
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mut body = "grant_type=client_credentials".to_owned();
        if let Some(scope) = scope.as_deref().map(str::trim) {
            body.push_str(&format!("&scope={}", encode(scope)));
        }
        let user_info = STANDARD.encode(format!("{client_id}:{}", client_secret.reveal()));
        let request = self
            .client
            .post(url.clone())
            .header(AUTHORIZATION, format!("Basic {user_info}"))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let unreachable =
            |error: reqwest::Error| self.refused(innermost(&error.without_url()), true);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if answer.len() + chunk.len() > LARGEST_ANSWER {
                return Err(self.refused("its answer is too long".to_owned(), false));
            }
            answer.extend_from_slice(&chunk);
        }
        if status != 200 {
            let error = serde_json::from_slice::<Refusal>(&answer).unwrap_or_default();
            let reason = format!("it answers with status {status} {}", error.error);
            return Err(self.refused(reason.trim_end().to_owned(), status >= 500));
        }
        self.token(&answer)
            .map_err(|reason| self.refused(reason.to_owned(), false))
    }

    fn token(&self, answer: &[u8]) -> Result<Token, &'static str> {
        let answer: Answer =
            serde_json::from_slice(answer).map_err(|_| "its answer has no access_token")?;
        let text = answer.access_token.trim();
        let life = match claims(text) {
            Some(claims) => {
                if !claims.contains_key(&self.credentials.principal_claim) {
                    return Err("its token names no principal (bearer.auth.sub.claim.name)");
                }
                let end = claims.get("exp").and_then(serde_json::Value::as_f64);
                let end = end.ok_or("its token has no claim exp")?;
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                Duration::try_from_secs_f64(end - now.unwrap_or_default().as_secs_f64())
            }
            // No token that shows what is in it.
            None => Duration::try_from_secs_f64(answer.expires_in.unwrap_or_default()),
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {text}"))
            .map_err(|_| "its token has characters that no HTTP header may have")?;
        header.set_sensitive(true);
        let rest = usable(life.unwrap_or_default(), self.credentials.buffer);
        Ok(Token {
            header,
            until: Instant::now() + rest,
        })
    }

    fn refused(&self, reason: String, passes: bool) -> RegistryError {
        RegistryError::NoToken {
            url: self.credentials.url.to_string(),
            reason,
            passes,
        }
    }
}

/// How long a token is used that is valid for so long.
fn usable(life: Duration, buffer: Duration) -> Duration {
    let most = life.mul_f32(0.8);
    match life.checked_sub(buffer) {
        // The buffer cannot be kept.
        None => most,
        Some(rest) => rest.min(most),
    }
    // So that arithmetic on instants holds for ever.
    .min(Duration::from_secs(3600 * 24 * 365))
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<f64>,
}

#[derive(Deserialize, Default)]
struct Refusal {
    error: String,
}

/// What a JSON web token says; `None` if it is none.
fn claims(token: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_in_time() {
        let seconds = Duration::from_secs;
        assert_eq!(usable(seconds(3600), seconds(300)), seconds(2880));
        assert_eq!(usable(seconds(1000), seconds(300)), seconds(700));
        assert_eq!(usable(seconds(100), seconds(300)), seconds(80));
        assert_eq!(usable(seconds(0), seconds(300)), seconds(0));
    }

    #[test]
    fn claims_are_read() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":5,"sub":"me"}"#);
        let found = claims(&format!("e30.{payload}.x")).unwrap();
        assert_eq!(found["sub"], "me");
        assert!(claims("opaque").is_none());
        assert!(claims("a.b.c").is_none());
    }
}
