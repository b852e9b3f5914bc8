//! Regular expressions and replacements in Java's dialect
//! (`java.util.regex.Pattern`, `Matcher.replaceFirst`), for short texts such as
//! names of topics, tables, columns, origins or environment variables.

mod dialect;
mod replacement;
mod syntax;
#[cfg(test)]
mod tests;

use fancy_regex::{Regex, RegexBuilder};

use self::dialect::from_java;

/// How many steps a match may take. The name of a topic has at most 249
/// characters and other texts are about as short, so only an expression that
/// explodes comes near.
const BACKTRACK_LIMIT: usize = 100_000;

/// A regular expression of Java's dialect.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// What is wrong with an expression or a replacement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The expression is wrong, in Java's words.
    #[error("{0}")]
    Syntax(String),
    /// The expression is wrong, or uses what only Java has.
    #[error("{0}")]
    Expression(#[source] Box<fancy_regex::Error>),
    /// A replacement names a group that the expression has not.
    #[error("{0}")]
    NoGroup(String),
    /// A replacement has an escape or reference that is not finished.
    #[error("{0}")]
    Replacement(String),
}

impl Error {
    /// The Java exception class that the reference raises.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Syntax(_) | Self::Expression(_) => "java.util.regex.PatternSyntaxException",
            Self::NoGroup(_) => "java.lang.IndexOutOfBoundsException",
            Self::Replacement(_) => "java.lang.IllegalArgumentException",
        }
    }
}

impl Pattern {
    /// A pattern that has to match a whole text (`Matcher.matches`).
    ///
    /// # Errors
    /// The expression is wrong or uses what only Java has.
    pub fn whole(expression: &str) -> Result<Self, Error> {
        Self::compile(expression, |expression| format!(r"\A(?:{expression})\z"))
    }

    /// A pattern that has to match a whole text, whatever the case of letters
    /// (`Pattern.CASE_INSENSITIVE`; there, only ASCII letters have cases).
    ///
    /// # Errors
    /// The expression is wrong or uses what only Java has.
    pub fn whole_ignoring_case(expression: &str) -> Result<Self, Error> {
        Self::compile(expression, |expression| {
            format!(r"(?i)\A(?:{expression})\z")
        })
    }

    /// A pattern that may match anywhere (`Matcher.find`).
    ///
    /// # Errors
    /// The expression is wrong or uses what only Java has.
    pub fn anywhere(expression: &str) -> Result<Self, Error> {
        Self::compile(expression, |expression| expression)
    }

    fn compile(java: &str, around: impl Fn(String) -> String) -> Result<Self, Error> {
        syntax::check(java)?;
        RegexBuilder::new(&around(from_java(java)))
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| Error::Expression(Box::new(error)))
    }

    /// Whether the pattern matches. An expression that needs too many steps
    /// does not match.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text).unwrap_or(false)
    }

    /// The text with its first match replaced (`Matcher.replaceFirst`); `$1`
    /// and `${name}` stand for groups, a backslash for the character after it.
    ///
    /// # Errors
    /// The replacement is wrong, which counts only if there is a match.
    pub fn replace_first(&self, text: &str, replacement: &str) -> Result<String, Error> {
        let Ok(Some(captures)) = self.0.captures(text) else {
            return Ok(text.to_owned());
        };
        let Some(found) = captures.get(0) else {
            return Ok(text.to_owned());
        };
        let mut out = text[..found.start()].to_owned();
        replacement::expand(replacement, &captures, &mut out)?;
        out.push_str(&text[found.end()..]);
        Ok(out)
    }
}
