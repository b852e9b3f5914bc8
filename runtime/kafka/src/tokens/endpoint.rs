//! The client credentials grant of RFC 6749.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Certificate, Client};
use serde::Deserialize;

use super::{Token, failure, jwt};
use crate::Result;
use crate::properties::ClientCredentials;

/// Bytes that an answer may have.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Asks the endpoint for a token; blocks.
pub(super) fn fetch(credentials: &ClientCredentials) -> Result<Token> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failure(&error.to_string()))?;
    let (status, answer) = runtime
        .block_on(post(credentials))
        .map_err(|error| failure(&format!("{} {}", credentials.url, cause(&error))))?;
    read(credentials, status, &answer)
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    id_token: Option<String>,
    expires_in: Option<f64>,
    error: Option<String>,
}

fn read(credentials: &ClientCredentials, status: u16, answer: &[u8]) -> Result<Token> {
    let url = &credentials.url;
    let parsed: Option<Answer> = serde_json::from_slice(answer).ok();
    if status != 200 {
        let reason = parsed.and_then(|answer| answer.error).unwrap_or_default();
        return Err(failure(&format!(
            "{url} answers with status {status} {reason}"
        )));
    }
    let parsed = parsed.ok_or_else(|| failure(&format!("{url} gives no JSON object")))?;
    let lifetime = parsed
        .expires_in
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let text = parsed
        .access_token
        .or(parsed.id_token)
        .ok_or_else(|| failure(&format!("{url} gives no access_token")))?;
    jwt::token(text.trim(), &credentials.principal_claim, lifetime)
}

async fn post(credentials: &ClientCredentials) -> reqwest::Result<(u16, Vec<u8>)> {
    // A second installation is refused, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(credentials.connect_timeout)
        .timeout(credentials.connect_timeout + credentials.read_timeout)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(trusted) = &credentials.trusted {
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(trusted.as_bytes())?);
    }
    let mut response = builder
        .build()?
        .post(&credentials.url)
        .header(AUTHORIZATION, authorization(credentials))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body(credentials))
        .send()
        .await?;
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        answer.extend_from_slice(&chunk);
        if answer.len() > LARGEST_ANSWER {
            answer.clear();
            break;
        }
    }
    Ok((response.status().as_u16(), answer))
}

fn body(credentials: &ClientCredentials) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = credentials.scope.as_deref().map(str::trim) {
        form.append_pair("scope", scope);
    }
    form.finish()
}

fn authorization(credentials: &ClientCredentials) -> String {
    let encode = |text: &str| -> String {
        if credentials.url_encoded {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        } else {
            text.to_owned()
        }
    };
    let id = encode(&credentials.client_id);
    let secret = encode(credentials.client_secret.reveal());
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// The innermost cause; the outer ones repeat the URL.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
