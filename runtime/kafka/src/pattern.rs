//! Topic patterns in Java's dialect of regular expressions.

use tether_java_regex::Pattern;

use crate::{KafkaError, KafkaErrorKind, Result};

/// A pattern that has to match a topic's whole name (`Pattern.matches`).
#[derive(Debug, Clone)]
pub struct TopicPattern(Pattern);

impl TopicPattern {
    /// Compiles a regular expression of Java's dialect.
    ///
    /// # Errors
    /// Invalid, if the expression is wrong or uses what only Java has.
    pub fn new(expression: &str) -> Result<Self> {
        Pattern::whole(expression).map(Self).map_err(|error| {
            KafkaError::new(
                KafkaErrorKind::Invalid,
                format!("Invalid topic pattern '{expression}': {error}"),
            )
        })
    }

    /// Whether the pattern matches the whole name. An expression that needs
    /// too many steps does not match.
    pub fn matches(&self, topic: &str) -> bool {
        self.0.matches(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_expressions_are_named() {
        let error = TopicPattern::new("a(").unwrap_err();
        assert_eq!(error.kind, KafkaErrorKind::Invalid);
        assert!(error.message.contains("'a('"), "{error}");
    }
}
