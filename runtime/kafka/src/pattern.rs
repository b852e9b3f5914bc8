//! Topic patterns in Java's dialect of regular expressions.

use fancy_regex::{Regex, RegexBuilder};

use crate::{KafkaError, KafkaErrorKind, Result};

/// How many steps a match may take. A name has at most 249 characters, so only
/// an expression that explodes comes near.
const BACKTRACK_LIMIT: usize = 100_000;

/// A pattern that has to match a topic's whole name (`Pattern.matches`).
#[derive(Debug, Clone)]
pub struct TopicPattern(Regex);

impl TopicPattern {
    /// Compiles a regular expression of Java's dialect.
    ///
    /// # Errors
    /// Invalid, if the expression is wrong or uses what only Java has.
    pub fn new(expression: &str) -> Result<Self> {
        let anchored = format!(r"\A(?:{})\z", from_java(expression));
        RegexBuilder::new(&anchored)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| {
                KafkaError::new(
                    KafkaErrorKind::Invalid,
                    format!("Invalid topic pattern '{expression}': {error}"),
                )
            })
    }

    /// Whether the pattern matches the whole name. An expression that needs
    /// too many steps does not match.
    pub fn matches(&self, topic: &str) -> bool {
        self.0.is_match(topic).unwrap_or(false)
    }
}

/// Java's POSIX classes (`java.util.regex.Pattern`), ASCII only.
const CLASSES: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"!-/:-@\[-`{-~"),
    ("Graph", "!-~"),
    ("Print", " -~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", r" \t\n\x0B\f\r"),
];

/// Rewrites what Java has and the regex engine has not: `\Q…\E` quotes and the
/// POSIX classes `\p{Alpha}`, `\P{Alpha}`.
fn from_java(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix(r"\Q") {
            let (text, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            out.push_str(&fancy_regex::escape(text));
            rest = after;
        } else if let Some((class, after)) = posix_class(rest) {
            out.push_str(&class);
            rest = after;
        } else {
            // The escaped character goes along, so that `\\Q` is no quote.
            let escape = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..escape]);
            rest = &rest[escape..];
        }
    }
    out.push_str(rest);
    out
}

/// The bracket expression of a POSIX class at the start of the text, and the
/// text after it.
fn posix_class(text: &str) -> Option<(String, &str)> {
    let (negation, name) = match text.strip_prefix(r"\p{") {
        Some(name) => ("", name),
        None => ("^", text.strip_prefix(r"\P{")?),
    };
    let (name, after) = name.split_once('}')?;
    let (_, members) = CLASSES.iter().find(|(class, _)| *class == name)?;
    Some((format!("[{negation}{members}]"), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, topic: &str) -> bool {
        TopicPattern::new(expression).unwrap().matches(topic)
    }

    #[test]
    fn the_whole_name_has_to_match() {
        assert!(matches("a.*", "abc"));
        assert!(!matches("b", "abc"));
        assert!(!matches("a|b", "ab"));
        assert!(!matches("^a", "ab"));
        assert!(matches("(?i)USERS-\\d+", "users-12"));
        assert!(matches("(?!__).*", "users"));
        assert!(!matches("(?!__).*", "__consumer_offsets"));
    }

    #[test]
    fn java_only_syntax_is_understood() {
        assert!(matches(r"\Qa.b\E.*", "a.b-c"));
        assert!(!matches(r"\Qa.b\E.*", "axb-c"));
        assert!(matches(r"\Qa.b", "a.b"));
        assert!(matches(r"\p{Alpha}+\P{Alpha}", "abc1"));
        assert!(matches(r"[\p{Digit}x]+", "12x"));
        assert!(!matches(r"\\Q", "Q"));
    }

    #[test]
    fn wrong_expressions_are_named() {
        let error = TopicPattern::new("a(").unwrap_err();
        assert_eq!(error.kind, KafkaErrorKind::Invalid);
        assert!(error.message.contains("'a('"), "{error}");
    }

    #[test]
    fn exploding_expressions_end() {
        assert!(!matches(r"(a+)+(?=b)\1c", &"a".repeat(249)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_compiles_or_fails(expression in ".{0,40}", topic in "[a-z._-]{0,20}") {
            if let Ok(pattern) = TopicPattern::new(&expression) {
                pattern.matches(&topic);
            }
        }

        #[test]
        fn quoted_text_matches_itself(topic in "[a-zA-Z0-9._-]{1,40}") {
            let pattern = TopicPattern::new(&format!(r"\Q{topic}\E")).unwrap();
            proptest::prop_assert!(pattern.matches(&topic));
        }
    }
}
