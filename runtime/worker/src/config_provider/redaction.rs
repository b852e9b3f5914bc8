//! Values of variables are secrets: none may come out again in a message.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use tether_api::ConnectError;

/// A value shorter than this stands in too many words by chance; it counts only
/// where it is a word of its own.
const DISTINCTIVE: usize = 4;

/// Puts variables back where a message has their values.
///
/// A message about a wrong value quotes it: `Invalid value hunter2 for
/// configuration x`. Whoever writes such a message, a validator or a connector,
/// does not know where the value came from; this does.
#[derive(Clone, Default)]
pub struct Redaction {
    /// Values and their variables, the longest value first.
    values: Vec<(String, String)>,
}

impl Redaction {
    /// Learns the value of a variable.
    pub(super) fn add(&mut self, value: &str, variable: &str) {
        let value = value.trim();
        self.insert(value, variable);
        // A key of several lines is quoted line by line, if at all.
        for line in value.lines().map(str::trim) {
            if line.len() >= DISTINCTIVE {
                self.insert(line, variable);
            }
        }
    }

    fn insert(&mut self, value: &str, variable: &str) {
        if value.is_empty() || self.values.iter().any(|(known, _)| known == value) {
            return;
        }
        let at = self
            .values
            .partition_point(|(known, _)| known.len() >= value.len());
        self.values
            .insert(at, (value.to_owned(), variable.to_owned()));
    }

    /// Learns what another one knows.
    pub(crate) fn extend(&mut self, other: Self) {
        for (value, variable) in other.values {
            self.insert(&value, &variable);
        }
    }

    /// The text with variables in place of their values.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = String::new();
        // What stands before `from` is in `out`.
        let mut from = 0;
        while let Some((at, value, variable)) = self.first(text, from) {
            out.push_str(&text[from..at]);
            out.push_str(variable);
            from = at + value.len();
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[from..]);
        Cow::Owned(out)
    }

    /// The error with variables in place of their values, in its own message
    /// and in those of its causes. Kinds and classes stay.
    pub fn error(&self, error: ConnectError) -> ConnectError {
        if matches!(self.text(&error.to_string()), Cow::Borrowed(_)) {
            return error;
        }
        self.rebuilt(&error)
    }

    fn rebuilt(&self, error: &ConnectError) -> ConnectError {
        let mut redacted = ConnectError::new(error.kind(), self.text(error.message()));
        if error.java_class() != error.kind().java_class() {
            redacted = redacted.with_class(error.java_class());
        }
        match error.source() {
            Some(cause) => redacted.caused_by(self.cause(cause)),
            None => redacted,
        }
    }

    fn cause(&self, cause: &(dyn Error + 'static)) -> Box<dyn Error + Send + Sync> {
        match cause.downcast_ref::<ConnectError>() {
            Some(error) => Box::new(self.rebuilt(error)),
            None => Box::new(Cause {
                message: self.text(&cause.to_string()).into_owned(),
                source: cause.source().map(|source| self.cause(source)),
            }),
        }
    }

    /// The first value in the text from there on: where, and its variable.
    fn first(&self, text: &str, from: usize) -> Option<(usize, &str, &str)> {
        self.values
            .iter()
            .filter_map(|(value, variable)| {
                let at = occurrences(text, value, from).next()?;
                Some((at, value.as_str(), variable.as_str()))
            })
            // Of several at one place the first one is the longest.
            .min_by_key(|(at, ..)| *at)
    }
}

fn occurrences<'a>(text: &'a str, value: &'a str, from: usize) -> impl Iterator<Item = usize> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text[from..]
        .match_indices(value)
        .map(move |(at, _)| from + at)
        .filter(move |at| {
            value.len() >= DISTINCTIVE
                || !(is_word(text[..*at].chars().next_back())
                    || is_word(text[at + value.len()..].chars().next()))
        })
}

/// A cause that is no [`ConnectError`], with what it said.
#[derive(Debug)]
struct Cause {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Debug for Redaction {
    /// The variables only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.values.iter().map(|(_, variable)| variable))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tether_api::ErrorKind;

    use super::*;

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        redaction.add("hunter2\n", "${file:/f:password}");
        redaction.add("hunter2-and-more", "${file:/f:more}");
        redaction.add("ab", "${env:A}");
        redaction.add("", "${env:EMPTY}");
        redaction.add("-----BEGIN-----\nMIIE\n-----END-----", "${file:/f:key}");
        redaction
    }

    #[test]
    fn values_become_variables() {
        let redaction = redaction();
        for (text, expected) in [
            (
                "Invalid value hunter2 for x",
                "Invalid value ${file:/f:password} for x",
            ),
            (
                "jdbc:x?password=hunter2&u=hunter2-and-more",
                "jdbc:x?password=${file:/f:password}&u=${file:/f:more}",
            ),
            ("xhunter2y", "x${file:/f:password}y"),
            ("cab ab [ab]", "cab ${env:A} [${env:A}]"),
            ("no key in MIIE", "no key in ${file:/f:key}"),
            ("nothing to hide", "nothing to hide"),
        ] {
            assert_eq!(redaction.text(text), expected);
        }
        assert!(!format!("{redaction:?}").contains("hunter2"));
    }

    #[test]
    fn errors_keep_what_they_are() {
        let inner = ConnectError::data("read hunter2").caused_by("password=hunter2");
        let error = ConnectError::config("Invalid value hunter2")
            .with_class("x.Y")
            .caused_by(inner);
        let error = redaction().error(error);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.trace(),
            "x.Y: Invalid value ${file:/f:password}\n\
             Caused by: org.apache.kafka.connect.errors.DataException: read ${file:/f:password}\n\
             Caused by: password=${file:/f:password}\n"
        );
    }

    proptest! {
        #[test]
        fn no_distinctive_value_stays(before in "\\PC{0,9}", after in "\\PC{0,9}") {
            let text = format!("{before}hunter2{after}");
            prop_assert!(!redaction().text(&text).contains("hunter2"));
        }
    }
}
