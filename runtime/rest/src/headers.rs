//! Headers that a worker adds to every answer (`response.http.headers.config`).

use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tether_api::{ConnectError, Result};

use crate::date;

/// What a rule does with its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Sets it, unless the answer has one of its own.
    Set,
    /// Adds a further one.
    Add,
    /// Sets it to a date, so many milliseconds from now.
    SetDate,
    /// Adds a further one with a date.
    AddDate,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    action: Action,
    name: HeaderName,
    value: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(HeaderValue),
    /// Milliseconds from now.
    Date(i64),
}

/// The rules of a worker, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderRules(Vec<Rule>);

const ACTIONS: &[(&str, Action)] = &[
    ("set", Action::Set),
    ("add", Action::Add),
    ("setDate", Action::SetDate),
    ("addDate", Action::AddDate),
];

impl HeaderRules {
    /// Reads comma-separated rules, `action name:value` each. A rule with a
    /// comma in it stands in double quotes.
    ///
    /// # Errors
    /// Config, with the reference's message.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        split(text)
            .iter()
            .map(|rule| parse_rule(rule))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn apply(&self, headers: &mut HeaderMap, now: SystemTime) {
        let own: Vec<HeaderName> = headers.keys().cloned().collect();
        for rule in &self.0 {
            let value = match &rule.value {
                Content::Text(value) => value.clone(),
                Content::Date(offset) => date_value(now, *offset),
            };
            match rule.action {
                Action::Set | Action::SetDate if own.contains(&rule.name) => {}
                Action::Set | Action::SetDate => {
                    headers.insert(&rule.name, value);
                }
                Action::Add | Action::AddDate => {
                    headers.append(&rule.name, value);
                }
            }
        }
    }
}

/// Adds the headers to an answer.
pub(crate) async fn add(
    State(rules): State<std::sync::Arc<HeaderRules>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    rules.apply(response.headers_mut(), SystemTime::now());
    response
}

fn date_value(now: SystemTime, offset: i64) -> HeaderValue {
    let distance = Duration::from_millis(offset.unsigned_abs());
    let date = if offset < 0 {
        now.checked_sub(distance)
    } else {
        now.checked_add(distance)
    };
    let text = date::http(date.unwrap_or(now));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

fn parse_rule(rule: &str) -> Result<Rule> {
    let Some((word, header)) = rule.trim().split_once(char::is_whitespace) else {
        return Err(ConnectError::config(format!(
            "Invalid format of header config '{rule}'. Expected: '[action] [header name]:[header value]'"
        )));
    };
    let action = ACTIONS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, action)| *action)
        .ok_or_else(|| {
            ConnectError::config(format!(
                "Invalid header config action: '{word}'. Expected one of [set, add, setDate, addDate]"
            ))
        })?;
    let header = header.trim();
    let (name, value) = match header.split_once(':') {
        Some((name, value)) if !value.is_empty() && !value.contains(':') => {
            (name.trim(), value.trim())
        }
        _ => {
            return Err(ConnectError::config(format!(
                "Invalid format of header name and header value pair '{header}'. \
                 Expected: '[header name]:[header value]'"
            )));
        }
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(ConnectError::config(format!(
            "Invalid header name '{name}'. The '[header name]' cannot contain whitespace"
        )));
    }
    let invalid = |what: &str| ConnectError::config(format!("Invalid header {what} '{header}'."));
    let value = match action {
        Action::Set | Action::Add => {
            Content::Text(HeaderValue::from_str(value).map_err(|_| invalid("value in"))?)
        }
        Action::SetDate | Action::AddDate => Content::Date(
            value
                .parse()
                .map_err(|_| invalid("date, which must be milliseconds from now, in"))?,
        ),
    };
    let name = name.parse().map_err(|_| invalid("name in"))?;
    Ok(Rule {
        action,
        name,
        value,
    })
}

/// Splits at commas outside of double quotes; quotes go away, and a backslash
/// within them keeps the next character.
fn split(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => part.extend(characters.next()),
            ',' if !quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(character),
        }
    }
    parts.push(part);
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rules: &str) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        HeaderRules::parse(rules)
            .unwrap()
            .apply(&mut headers, SystemTime::UNIX_EPOCH);
        headers.remove("content-type");
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    fn message(rules: &str) -> String {
        HeaderRules::parse(rules).unwrap_err().to_string()
    }

    #[test]
    fn rules_are_applied_in_order() {
        let rules = r#"set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store","add Cache-Control: a",setDate Expires: 86400000,set Content-Type:text/html"#;
        let expected = [
            ("x-frame-options", "DENY"),
            ("cache-control", "no-cache, no-store"),
            ("cache-control", "a"),
            ("expires", "Fri, 02 Jan 1970 00:00:00 GMT"),
        ];
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        expected.sort_by(|left, right| left.0.cmp(&right.0));
        let mut found = applied(rules);
        found.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(found, expected);
        assert_eq!(applied(" "), []);
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(
            message("set"),
            "Invalid format of header config 'set'. Expected: '[action] [header name]:[header value]'"
        );
        assert_eq!(
            message("badaction X:1"),
            "Invalid header config action: 'badaction'. Expected one of [set, add, setDate, addDate]"
        );
        assert_eq!(
            message("set add X-XSS-Protection"),
            "Invalid format of header name and header value pair 'add X-XSS-Protection'. \
             Expected: '[header name]:[header value]'"
        );
        assert_eq!(
            message("set add X-XSS-Protection: 1"),
            "Invalid header name 'add X-XSS-Protection'. The '[header name]' cannot contain whitespace"
        );
        assert_eq!(
            message("setDate Expires: soon"),
            "Invalid header date, which must be milliseconds from now, in 'Expires: soon'."
        );
    }
}
