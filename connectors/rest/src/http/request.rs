//! What is sent, and what is left of it after a redirect.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder};
use tether_api::config::Password;
use url::Url;

use super::HttpError;
use crate::config::RestSourceConfig;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A GET request with its credentials.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    url: Url,
    api_key: Option<HeaderValue>,
    user: Option<(String, Password)>,
}

impl Request {
    /// The request that a configuration asks for.
    pub(crate) fn new(config: &RestSourceConfig) -> Self {
        Self {
            url: config.endpoint.url.clone(),
            api_key: config.api_key.clone(),
            user: config.endpoint.user.clone(),
        }
    }

    /// Where it goes.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The request as the client sends it.
    pub(super) fn build(&self, client: &Client) -> RequestBuilder {
        let mut builder = client.get(self.url.clone());
        if let Some(key) = &self.api_key {
            builder = builder.header(API_KEY, key.clone());
        }
        if let Some((user, password)) = &self.user {
            builder = builder.basic_auth(user, Some(password.reveal()));
        }
        builder
    }

    /// The request that follows a redirect to `location`. Credentials are for
    /// the server they were given for, so they stay behind when scheme, host or
    /// port change.
    ///
    /// # Errors
    /// If there is no such place.
    pub(super) fn redirected(self, location: Option<&HeaderValue>) -> Result<Self, HttpError> {
        let location = location.ok_or(HttpError::Redirect("without a location"))?;
        let mut url = location
            .to_str()
            .ok()
            .and_then(|location| self.url.join(location).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(HttpError::Redirect("to something that is not an HTTP URL"))?;
        // Both fail only for URLs without a host, which http and https have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let same = url.origin() == self.url.origin();
        Ok(Self {
            url,
            api_key: self.api_key.filter(|_| same),
            user: self.user.filter(|_| same),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            url: Url::parse("https://example.com/v1/users?page=1").unwrap(),
            api_key: Some(HeaderValue::from_static("k")),
            user: Some(("me".to_owned(), Password::new("p"))),
        }
    }

    fn redirected(location: &'static str) -> Result<(String, bool), HttpError> {
        let request = request().redirected(Some(&HeaderValue::from_static(location)))?;
        assert_eq!(request.api_key.is_some(), request.user.is_some());
        Ok((request.url.to_string(), request.api_key.is_some()))
    }

    #[test]
    fn credentials_stay_with_their_server() {
        for (location, url, kept) in [
            ("/v2/users", "https://example.com/v2/users", true),
            ("people", "https://example.com/v1/people", true),
            ("https://example.com:443/x", "https://example.com/x", true),
            ("http://example.com/x", "http://example.com/x", false),
            (
                "https://example.com:444/x",
                "https://example.com:444/x",
                false,
            ),
            ("//evil.test/x", "https://evil.test/x", false),
            ("https://me:p@evil.test/", "https://evil.test/", false),
        ] {
            assert_eq!(redirected(location).unwrap(), (url.to_owned(), kept));
        }
    }

    #[test]
    fn credentials_do_not_come_back() {
        let away = request().redirected(Some(&HeaderValue::from_static("https://evil.test/")));
        let back = away
            .unwrap()
            .redirected(Some(&HeaderValue::from_static("https://example.com/")));
        assert!(back.unwrap().api_key.is_none());
    }

    #[test]
    fn other_places_are_refused() {
        assert!(redirected("ftp://example.com/").is_err());
        assert!(redirected("https://").is_err());
        assert!(request().redirected(None).is_err());
    }
}
