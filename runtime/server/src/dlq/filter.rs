//! Which dead letters a command is about.

use super::letter::Letter;

/// What is asked of a letter; what is `None` or empty asks nothing.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) connector: Option<String>,
    /// Any of these.
    pub(super) stages: Vec<String>,
    /// A text in the class or message of the exception, in any case.
    pub(super) error: Option<String>,
    /// The topic that it came from.
    pub(super) topic: Option<String>,
}

impl Filter {
    /// Whether a letter is meant. One whose headers do not tell is not.
    pub(super) fn matches(&self, letter: &Letter) -> bool {
        let is =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let stage = letter.stage.as_deref().unwrap_or_default();
        is(&self.connector, &letter.connector)
            && is(&self.topic, &letter.topic)
            && (self.stages.is_empty()
                || self
                    .stages
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(stage)))
            && self
                .error
                .as_ref()
                .is_none_or(|wanted| error_has(letter, wanted))
    }
}

fn error_has(letter: &Letter, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [&letter.exception, &letter.message]
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(&wanted))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tether_api::record::TimestampType;
    use tether_kafka::ConsumedRecord;

    use super::*;

    fn letter(headers: &[(&str, &str)]) -> Letter {
        Letter::new(ConsumedRecord {
            topic: Arc::from("dlq"),
            partition: 0,
            offset: 0,
            timestamp: None,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: None,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    let name = format!("__connect.errors.{name}");
                    (Arc::from(name), Some((*value).to_owned().into()))
                })
                .collect(),
        })
    }

    #[test]
    fn all_that_is_asked_must_hold() {
        let it = letter(&[
            ("connector.name", "a"),
            ("stage", "VALUE_CONVERTER"),
            ("exception.message", "Unexpected CHARACTER"),
            ("topic", "orders"),
        ]);
        let all = Filter::default();
        assert!(all.matches(&it) && all.matches(&letter(&[])));
        let exact = Filter {
            connector: Some("a".to_owned()),
            stages: vec!["key_converter".to_owned(), "value_converter".to_owned()],
            error: Some("unexpected char".to_owned()),
            topic: Some("orders".to_owned()),
        };
        assert!(exact.matches(&it));
        assert!(!exact.matches(&letter(&[("connector.name", "a")])));
        let other = Filter {
            stages: vec!["TASK_PUT".to_owned()],
            ..Filter::default()
        };
        assert!(!other.matches(&it));
    }

    #[test]
    fn the_last_header_of_a_name_counts() {
        let twice = letter(&[("stage", "TASK_PUT"), ("stage", "TRANSFORMATION")]);
        assert_eq!(twice.stage.as_deref(), Some("TRANSFORMATION"));
        assert!(twice.original_headers().is_empty());
    }
}
