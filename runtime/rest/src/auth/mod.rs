//! Basic authentication
//! (`org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension`).
//!
//! Users and passwords come from the property files that the entry
//! `KafkaConnect` of a JAAS file names.

mod credentials;
mod jaas;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::{ConnectError, Result};

use crate::cors::AllowedPreflight;
use crate::error::RestError;
use credentials::Credentials;

/// The class that turns authentication on.
pub(crate) const EXTENSION: &str =
    "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";

/// The entry of the JAAS file.
const ENTRY: &str = "KafkaConnect";

/// The one login module there is.
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";

/// Who may use the API.
#[derive(Debug, Clone)]
pub struct BasicAuth {
    credentials: Credentials,
}

impl BasicAuth {
    /// Reads the JAAS file and the property files that it names.
    ///
    /// # Errors
    /// Config, if a file can't be read, has nothing for us or names a login
    /// module that we don't have.
    pub fn load(jaas_file: &str) -> Result<Self> {
        let text = std::fs::read_to_string(jaas_file).map_err(|error| {
            ConnectError::config(format!("Could not read the JAAS file {jaas_file}"))
                .caused_by(error)
        })?;
        let within = |error: ConnectError| error.context(format!("JAAS file {jaas_file}"));
        let modules = jaas::entry(&text, ENTRY).map_err(within)?;
        let mut credentials = Credentials::default();
        for module in modules {
            if module.class != MODULE {
                return Err(within(ConnectError::config(format!(
                    "Login module {} of the entry {ENTRY} is not supported; use {MODULE}",
                    module.class
                ))));
            }
            let file = module.options.get("file").ok_or_else(|| {
                within(ConnectError::config(
                    "Property Credentials file must be specified: the login module needs \
                     file=\"...\"",
                ))
            })?;
            credentials.load(file)?;
        }
        Ok(Self { credentials })
    }

    /// Whether the headers carry the name and password of a user.
    fn admits(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .and_then(user_and_password)
            .is_some_and(|(user, password)| self.credentials.contain(&user, &password))
    }
}

/// Name and password of an `Authorization` header.
fn user_and_password(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Requests of other workers carry a signature in place of a password.
fn is_internal(request: &Request) -> bool {
    let segments: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    match segments[..] {
        ["connectors", _, "tasks"] => request.method() == Method::POST,
        ["connectors", _, "fence"] => request.method() == Method::PUT,
        _ => false,
    }
}

/// Lets only users pass, and preflights, in which browsers name no user.
pub(crate) async fn require(
    State(auth): State<Arc<BasicAuth>>,
    request: Request,
    next: Next,
) -> Response {
    let preflight = request.extensions().get::<AllowedPreflight>().is_some();
    if preflight || is_internal(&request) || auth.admits(request.headers()) {
        return next.run(request).await;
    }
    tracing::debug!("Request failed authentication");
    RestError::new(StatusCode::UNAUTHORIZED, "User cannot access the resource.")
        .with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Kafka Connect\""),
        )
        .into_response()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn load(jaas: &str, users: &str) -> super::Result<BasicAuth> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.properties");
        fs::write(&file, users).unwrap();
        let jaas_file = folder.path().join("jaas.conf");
        fs::write(&jaas_file, jaas.replace("FILE", file.to_str().unwrap())).unwrap();
        BasicAuth::load(jaas_file.to_str().unwrap())
    }

    fn jaas(module: &str) -> String {
        format!("KafkaConnect {{\n  {module} required\n  file=\"FILE\";\n}};\n")
    }

    fn admits(auth: &BasicAuth, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        auth.admits(&headers)
    }

    #[test]
    fn users_of_the_file_pass() {
        let auth = load(&jaas(MODULE), "alice=wonder:land\n# note\nbob : secret\n").unwrap();
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(admits(&auth, &basic("alice:wonder:land")));
        assert!(admits(
            &auth,
            &basic("bob:secret").replace("Basic", "bAsIc")
        ));
        assert!(!admits(&auth, &basic("alice:")));
        assert!(!admits(&auth, &basic("alice:wonder")));
        assert!(!admits(&auth, &basic("carol:secret")));
        assert!(!admits(&auth, &basic(":")));
        assert!(!admits(&auth, "Basic"));
        assert!(!admits(&auth, "Basic !!"));
        assert!(!admits(&auth, "Bearer x"));
        assert!(!auth.admits(&HeaderMap::new()));
        assert!(!format!("{auth:?}").contains("secret"));
    }

    #[test]
    fn mistakes_are_explained() {
        let message = |jaas: &str, users| load(jaas, users).unwrap_err().to_string();
        assert!(
            message(&jaas("com.example.Ldap"), "a=b").contains(
                "Login module com.example.Ldap of the entry KafkaConnect is not supported"
            )
        );
        assert!(message(&jaas(MODULE), "").contains("has no users"));
        assert!(
            message(&format!("KafkaConnect {{ {MODULE} required; }};"), "a=b")
                .contains("Property Credentials file must be specified")
        );
        assert!(message("Other { x required; };", "a=b").contains("has no entry KafkaConnect"));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
            for text in [STANDARD.encode(&bytes).into_bytes(), bytes] {
                let value = [b"Basic ", &text[..]].concat();
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    let _ = user_and_password(&value);
                }
            }
        }
    }
}
