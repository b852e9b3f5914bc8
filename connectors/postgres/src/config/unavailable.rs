//! What a configuration may ask for in the reference, and cannot be had here:
//! classes of Java.

use tether_api::config::ConfigMap;

use super::choice::{SnapshotLocking, SnapshotMode, SnapshotQuery};
use super::field::Field;
use super::fields;
use super::reader::Reader;
use super::settings::post_processor_mistakes;
use crate::naming::TopicStrategy;

/// The keys that ask for what cannot be had, with the reasons.
pub(super) fn unavailable(config: &ConfigMap) -> Vec<(&'static Field, String)> {
    let reader = Reader(config);
    let mut found = Vec::new();
    let mut refuse = |field: &'static Field, reason: String| found.push((field, reason));
    let no_class = |what: &str| format!("{what} needs a Java class, which cannot be had here");
    if reader.choice(&fields::SNAPSHOT_MODE) == Some(SnapshotMode::Custom) {
        refuse(&fields::SNAPSHOT_MODE, no_class("custom"));
    }
    if reader.choice(&fields::SNAPSHOT_LOCKING_MODE) == Some(SnapshotLocking::Custom) {
        refuse(&fields::SNAPSHOT_LOCKING_MODE, no_class("custom"));
    }
    if reader.choice(&fields::SNAPSHOT_QUERY_MODE) == Some(SnapshotQuery::Custom) {
        refuse(&fields::SNAPSHOT_QUERY_MODE, no_class("custom"));
    }
    let strategy = reader.string(&fields::TOPIC_NAMING_STRATEGY).trim();
    if TopicStrategy::of(strategy).is_none() {
        refuse(&fields::TOPIC_NAMING_STRATEGY, no_class(strategy));
    }
    for field in [
        &fields::SOURCEINFO_STRUCT_MAKER,
        &fields::TRANSACTION_METADATA_FACTORY,
    ] {
        let class = reader.string(field).trim();
        if Some(class) != field.default {
            refuse(field, no_class(class));
        }
    }
    let converters = reader.list(&fields::CONVERTERS).into_iter();
    for name in converters.filter(|name| !name.is_empty()) {
        let class = config.get(&format!("{name}.type")).map(String::as_str);
        refuse(&fields::CONVERTERS, no_class(class.unwrap_or(name)));
    }
    for mistake in post_processor_mistakes(config) {
        refuse(&fields::POST_PROCESSORS, mistake);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(entries: &[(&str, &str)]) -> Vec<&'static str> {
        let config = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let keys = unavailable(&config);
        keys.into_iter().map(|(field, _)| field.name).collect()
    }

    #[test]
    fn only_classes_are_refused() {
        assert!(refused(&[("converters", ""), ("snapshot.mode", "ALWAYS")]).is_empty());
        assert_eq!(refused(&[("snapshot.mode", "Custom")]), ["snapshot.mode"]);
        assert_eq!(
            refused(&[
                ("topic.naming.strategy", "com.example.Mine"),
                ("converters", "isbn"),
                ("isbn.type", "com.example.Isbn"),
                ("post.processors", "mine"),
                ("mine.type", "com.example.Mine"),
            ]),
            ["topic.naming.strategy", "converters", "post.processors"]
        );
    }
}
