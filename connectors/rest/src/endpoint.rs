//! The URL that is polled, taken apart into what may be shown and what not.

use std::sync::Arc;

use tether_api::config::Password;
use url::Url;

/// Query parameters of these names, or with these words in their names, carry
/// secrets.
const SECRET_NAMES: [&str; 7] = ["key", "sig", "auth", "pwd", "pass", "code", "jwt"];
const SECRET_WORDS: [&str; 8] = [
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "credential",
    "signature",
    "authorization",
];

/// An HTTP endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Where to send requests; without user and password.
    pub(crate) url: Url,
    /// User and password that the URL carried.
    pub(crate) user: Option<(String, Password)>,
    /// The URL as it was given, secrets hidden; for logs, errors and the source
    /// partition.
    pub(crate) shown: Arc<str>,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// The reason, without the URL.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("Not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "The URL must start with http:// or https://, not with {}:",
                url.scheme()
            ));
        }
        let user = take_user(&mut url);
        let shown = match hide_query(&url) {
            Some(hidden) => hidden.as_str().into(),
            None if user.is_some() => url.as_str().into(),
            None => text.into(),
        };
        Ok(Self { url, user, shown })
    }
}

/// A URL without its secrets, for logs and errors.
pub(crate) fn shown(url: &Url) -> Url {
    let mut shown = hide_query(url).unwrap_or_else(|| url.clone());
    take_user(&mut shown);
    shown
}

/// Removes user and password and returns them decoded.
fn take_user(url: &mut Url) -> Option<(String, Password)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let user = decode(url.username());
    let password = decode(url.password().unwrap_or_default());
    // Both fail only for URLs without a host, which http and https have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some((user, Password::new(password)))
}

/// The URL with the values of secret query parameters hidden; `None` if it has
/// none.
fn hide_query(url: &Url) -> Option<Url> {
    if !url.query_pairs().any(|(name, _)| is_secret(&name)) {
        return None;
    }
    let mut hidden = url.clone();
    hidden
        .query_pairs_mut()
        .clear()
        .extend_pairs(url.query_pairs().map(|(name, value)| {
            if is_secret(&name) {
                (name, Password::HIDDEN.into())
            } else {
                (name, value)
            }
        }));
    Some(hidden)
}

fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect::<String>()
        .to_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_secrets_is_shown_as_given() {
        for text in [
            "https://jsonplaceholder.typicode.com/users",
            "http://127.0.0.1:8080",
            "https://example.com/a?page=1&q=x%20y",
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(&*endpoint.shown, text);
            assert!(endpoint.user.is_none());
        }
    }

    #[test]
    fn user_and_password_leave_the_url() {
        let endpoint = Endpoint::parse("https://me:p%40ss@example.com/a").unwrap();
        assert_eq!(endpoint.url.as_str(), "https://example.com/a");
        assert_eq!(&*endpoint.shown, "https://example.com/a");
        let (user, password) = endpoint.user.unwrap();
        assert_eq!((user.as_str(), password.reveal()), ("me", "p@ss"));
    }

    #[test]
    fn secret_parameters_are_sent_but_not_shown() {
        let text = "https://example.com/a?page=2&api_key=s3cret&X-Auth-Token=s3cret";
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.url.as_str(), text);
        assert!(!endpoint.shown.contains("s3cret"));
        assert!(endpoint.shown.contains("page=2"));
        assert!(endpoint.shown.contains("api_key=%5Bhidden%5D"));
    }

    #[test]
    fn other_schemes_are_refused() {
        assert!(Endpoint::parse("ftp://example.com").is_err());
        assert!(Endpoint::parse("users").is_err());
        assert!(Endpoint::parse("https://").is_err());
    }
}
