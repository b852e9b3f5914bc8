//! JDBC URLs and driver parameters (spec section 12).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tether_api::config::Password;
use tether_api::{ConnectError, Result};

/// The environment variable in which whoever runs the worker lists driver
/// parameters that connectors must not set, separated by commas.
const BLOCKED_PARAMETERS: &str = "JDBC_CONNECTION_URL_BLOCKED_PARAMS";

/// A JDBC URL: `jdbc:<subprotocol>:<rest>`. It prints itself without secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct JdbcUrl {
    text: String,
    /// Where the subprotocol ends.
    colon: usize,
}

const SCHEME: &str = "jdbc:";

impl JdbcUrl {
    /// Splits a URL.
    ///
    /// # Errors
    /// Config, if it has not the form.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let length = text
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.find(':'))
            .filter(|length| *length > 0);
        match length {
            Some(length) => Ok(Self {
                text: text.to_owned(),
                colon: SCHEME.len() + length,
            }),
            None => Err(ConnectError::config(format!(
                "Not a valid JDBC URL: {}",
                masked(text)
            ))),
        }
    }

    /// The word after `jdbc:`, which names the kind of database.
    pub(crate) fn subprotocol(&self) -> &str {
        &self.text[SCHEME.len()..self.colon]
    }

    /// Everything after the subprotocol, up to the parameters.
    pub(crate) fn location(&self) -> &str {
        let rest = &self.text[self.colon + 1..];
        rest.split_once('?').map_or(rest, |(location, _)| location)
    }

    /// The parameters after the question mark, decoded, in order.
    ///
    /// # Errors
    /// Config, if a value is not UTF-8 once it is decoded.
    pub(crate) fn parameters(&self) -> Result<Vec<(String, Password)>> {
        let Some((_, query)) = self.text.split_once('?') else {
            return Ok(Vec::new());
        };
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, Password::new(decode(value)?)))
            })
            .collect()
    }
}

impl fmt::Display for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.text))
    }
}

impl fmt::Debug for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Percent-decodes a part of a URL.
///
/// # Errors
/// Config, if the bytes are not UTF-8.
pub(crate) fn decode(text: &str) -> Result<String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(ConnectError::config(
            "The JDBC URL has percent-encoded bytes that are not UTF-8",
        )),
    }
}

/// Hides secrets: the values of parameters whose names contain `password`,
/// whatever separates them, and what follows the user's name before an `@`.
fn masked(url: &str) -> String {
    let mut shown = String::with_capacity(url.len());
    for part in url.split_inclusive(['?', '&', ';', ',']) {
        let (body, separator) = match part.char_indices().next_back() {
            Some((at, '?' | '&' | ';' | ',')) => part.split_at(at),
            _ => (part, ""),
        };
        match body.split_once('=') {
            Some((name, _)) if is_secret(name) => shown.push_str(&format!("{name}=****")),
            _ => shown.push_str(body),
        }
        shown.push_str(separator);
    }
    let Some(start) = shown.find("//").map(|at| at + 2) else {
        return shown;
    };
    let end = shown[start..]
        .find('?')
        .map_or(shown.len(), |at| start + at);
    let Some(at) = shown[start..end].rfind('@').map(|at| start + at) else {
        return shown;
    };
    match shown[start..at].find(':').map(|colon| start + colon) {
        Some(colon) => format!("{}:****{}", &shown[..colon], &shown[at..]),
        None => shown,
    }
}

fn is_secret(name: &str) -> bool {
    percent_decode_str(name)
        .decode_utf8_lossy()
        .to_lowercase()
        .contains("password")
}

/// What configures a driver: the URL's parameters, then the `connection.*`
/// properties, which win.
#[derive(Debug)]
pub(crate) struct DriverParameters(BTreeMap<String, Password>);

impl DriverParameters {
    /// Collects the parameters.
    ///
    /// # Errors
    /// Config, if one is not UTF-8 or the worker's environment forbids it.
    pub(crate) fn new(url: &JdbcUrl, properties: &BTreeMap<String, Password>) -> Result<Self> {
        let blocked = std::env::var(BLOCKED_PARAMETERS).unwrap_or_default();
        Self::with_blocked(url, properties, &blocked)
    }

    fn with_blocked(
        url: &JdbcUrl,
        properties: &BTreeMap<String, Password>,
        blocked: &str,
    ) -> Result<Self> {
        let mut parameters: BTreeMap<_, _> = url.parameters()?.into_iter().collect();
        for (name, value) in properties {
            parameters.insert(name.clone(), value.clone());
        }
        for name in parameters.keys() {
            let mut words = blocked.split(',').map(str::trim);
            if words.any(|word| !word.is_empty() && word.eq_ignore_ascii_case(name)) {
                return Err(ConnectError::config(format!(
                    "JDBC URL contains blocked connection parameter '{name}' which is not \
                     permitted by the Connect cluster's configured policy."
                )));
            }
        }
        Ok(Self(parameters))
    }

    /// Takes a parameter; what is left in the end is not known to the driver.
    pub(crate) fn take(&mut self, name: &str) -> Option<Password> {
        self.0.remove(name)
    }

    /// Takes a parameter that is no secret; an empty one counts as not given.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        (!value.is_empty()).then(|| value.reveal().to_owned())
    }

    /// Takes a parameter that is a whole number.
    ///
    /// # Errors
    /// Config, if it is not.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(invalid(name, &text, "a whole number, at least 0")),
        }
    }

    /// Takes a parameter that is a time, of which `unit` makes so many; zero means
    /// no limit.
    ///
    /// # Errors
    /// Config, if it is no whole number.
    pub(crate) fn timeout(
        &mut self,
        name: &str,
        unit: fn(u64) -> Duration,
        default: u64,
    ) -> Result<Option<Duration>> {
        let time = self.number(name)?.unwrap_or(default);
        Ok((time > 0).then(|| unit(time)))
    }

    /// Takes a parameter that is `true` or `false`.
    ///
    /// # Errors
    /// Config, if it is something else.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(invalid(name, &text, "true or false")),
        }
    }

    /// Warns of everything that was not taken. Only names are shown.
    pub(crate) fn warn_of_rest(self) {
        for name in self.0.into_keys() {
            tracing::warn!(parameter = %name, "ignoring an unknown driver parameter");
        }
    }
}

/// The error for a parameter with a wrong value.
pub(crate) fn invalid(name: &str, value: &str, expected: &str) -> ConnectError {
    ConnectError::config(format!(
        "Driver parameter {name} is '{value}', but has to be {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url() -> Result<()> {
        let url = JdbcUrl::parse("jdbc:postgresql://h:1/d?user=a&password=b%26c&x=%C3%A4&y")?;
        assert_eq!(url.subprotocol(), "postgresql");
        assert_eq!(url.location(), "//h:1/d");
        let parameters: Vec<_> = url
            .parameters()?
            .into_iter()
            .map(|(name, value)| (name, value.reveal().to_owned()))
            .collect();
        let expected = [("user", "a"), ("password", "b&c"), ("x", "ä"), ("y", "")];
        assert_eq!(
            parameters,
            expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
        assert_eq!(
            JdbcUrl::parse("jdbc:sqlite::memory:")?.location(),
            ":memory:"
        );
        for text in ["", "jdbc:", "jdbc:pg", "jdbc::x", "postgresql://h/d"] {
            let error = JdbcUrl::parse(text).unwrap_err().to_string();
            assert_eq!(error, format!("Not a valid JDBC URL: {text}"));
        }
        assert!(
            JdbcUrl::parse("jdbc:postgresql://h/d?a=%FF")?
                .parameters()
                .is_err()
        );
        Ok(())
    }

    #[test]
    fn secrets_are_masked() {
        let cases = [
            (
                "jdbc:postgresql://h/d?user=u&password=s3cret&ssl=true",
                "jdbc:postgresql://h/d?user=u&password=****&ssl=true",
            ),
            (
                "jdbc:postgresql://h/d?sslPassword=s3cret",
                "jdbc:postgresql://h/d?sslPassword=****",
            ),
            (
                "jdbc:postgresql://h/d?pass%77ord=s3cret",
                "jdbc:postgresql://h/d?pass%77ord=****",
            ),
            (
                "jdbc:mysql://u:s3:cr@t@h/d?a=b",
                "jdbc:mysql://u:****@h/d?a=b",
            ),
            (
                "jdbc:sqlserver://h;user=u;password=s3cret;x=y",
                "jdbc:sqlserver://h;user=u;password=****;x=y",
            ),
        ];
        for (url, shown) in cases {
            assert_eq!(JdbcUrl::parse(url).unwrap().to_string(), shown);
            assert_eq!(format!("{:?}", JdbcUrl::parse(url).unwrap()), shown);
        }
        let error = JdbcUrl::parse("postgresql://h/d?password=s3cret").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn properties_win_and_blocked_ones_are_refused() -> Result<()> {
        let url = JdbcUrl::parse("jdbc:postgresql://h/d?a=1&Socket=2&a=3")?;
        let properties = BTreeMap::from([("Socket".to_owned(), Password::new("4"))]);
        let mut parameters = DriverParameters::with_blocked(&url, &properties, "")?;
        assert_eq!(parameters.number("a")?, Some(3));
        assert_eq!(parameters.text("Socket").as_deref(), Some("4"));
        let error = DriverParameters::with_blocked(&url, &properties, "x, socket").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("blocked connection parameter 'Socket'")
        );
        Ok(())
    }
}
