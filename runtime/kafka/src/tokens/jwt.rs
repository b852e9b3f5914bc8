//! Just enough of JSON Web Tokens: who they are for and until when.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Token, failure, now_ms};
use crate::Result;

/// Reads the claims of a token. The broker checks the signature; here it is of
/// no concern.
///
/// # Errors
/// `NotAuthorized`, if the text is no token, or tells not how long it lasts
/// while `lifetime` doesn't either.
pub(super) fn token(
    text: &str,
    principal_claim: &str,
    lifetime: Option<Duration>,
) -> Result<Token> {
    let claims = claims(text).ok_or_else(|| failure("what was given is not a JSON Web Token"))?;
    let expires_at = claims
        .get("exp")
        .and_then(Value::as_f64)
        .map(|seconds| (seconds * 1000.0) as i64)
        .or_else(|| lifetime.map(|lifetime| now_ms().saturating_add(milliseconds(lifetime))))
        .ok_or_else(|| failure("the token does not say when it expires"))?;
    let principal = claims
        .get(principal_claim)
        .and_then(Value::as_str)
        .ok_or_else(|| failure(&format!("the token has no claim {principal_claim}")))?;
    Ok(Token::new(
        text.to_owned(),
        principal.to_owned(),
        expires_at,
    ))
}

fn claims(text: &str) -> Option<serde_json::Map<String, Value>> {
    let mut parts = text.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// A token without signature.
pub(super) fn unsecured(principal: &str, lifetime: Duration, scope: Option<&str>) -> Token {
    let now = now_ms();
    let expires_at = now.saturating_add(milliseconds(lifetime));
    let mut claims = json!({
        "sub": principal,
        "iat": now / 1000,
        "exp": expires_at / 1000,
    });
    if let (Some(scope), Some(claims)) = (scope, claims.as_object_mut()) {
        claims.insert("scope".to_owned(), scope.into());
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims));
    Token::new(text, principal.to_owned(), expires_at)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
