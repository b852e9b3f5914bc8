//! Rules for values of keys, with the reference's messages.

use std::fmt;

use tether_api::config::{ConfigMap, ConfigType};

use super::choice::Choice;
use super::field::Field;
use super::fields;
use super::reader::{Reader, split};
use super::regex_list::RegexList;

/// How keys of `message.key.columns` look, in the reference's words.
const KEY_COLUMNS_FORM: &str = r"^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$";

/// How items of `replica.identity.autoset.values` look, in the reference's words.
const REPLICA_IDENTITY_FORM: &str = r"(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$";

/// A rule for the value of a key, given the whole configuration.
pub(crate) enum Check {
    /// There is a value that is not blank.
    Required,
    /// `true` or `false`.
    Boolean,
    /// A 32-bit integer.
    Integer,
    /// A 32-bit integer above 0.
    PositiveInteger,
    /// A 32-bit integer from 0 on.
    NonNegativeInteger,
    /// A 64-bit integer above 0.
    PositiveLong,
    /// A 64-bit integer from 0 on.
    NonNegativeLong,
    /// A word out of these; whether there has to be one.
    OneOf(fn() -> Vec<String>, bool),
    /// Regular expressions with commas between them.
    RegexList,
    /// A regular expression.
    Regex,
    /// Not together with this key, which has this name in the message.
    NotBoth(&'static Field, &'static str),
    /// A name that may be part of a topic's.
    TopicName,
    /// The same, or nothing.
    OptionalTopicName,
    /// A name or address of a host.
    HostName,
    /// A name of a replication slot.
    SlotName,
    /// `max.queue.size` above `max.batch.size`.
    QueueSize,
    /// Letters of operations.
    SkippedOperations,
    /// `name=value` with commas between them.
    Pairs,
    /// `table:column,column` with semicolons between them.
    KeyColumns,
    /// `table:identity` with commas between them.
    ReplicaIdentity,
    /// Not more than one table.
    OneSignalTable,
    /// There is a topic if the channel `sink` is used.
    NotificationTopic,
    /// There is a name if this key is `custom`.
    CustomName(&'static Field),
}

impl Check {
    /// A word of an enumeration.
    pub(crate) const fn one_of<C: Choice>() -> Self {
        Self::OneOf(C::words, true)
    }

    /// A word of an enumeration, or null.
    pub(crate) const fn optional_one_of<C: Choice>() -> Self {
        Self::OneOf(C::words, false)
    }

    /// The reasons why a value is wrong.
    fn reasons(&self, field: &Field, config: &ConfigMap) -> Vec<String> {
        let reader = Reader(config);
        let text = reader.text(field);
        let unless = |right: bool, reason: &str| {
            if right {
                Vec::new()
            } else {
                vec![reason.to_owned()]
            }
        };
        let int = |right: fn(i32) -> bool| match text {
            Some(text) => text.parse().is_ok_and(right),
            None => true,
        };
        let long = |right: fn(i64) -> bool| match text {
            Some(text) => text.parse().is_ok_and(right),
            None => true,
        };
        match self {
            Self::Required => unless(
                text.is_some_and(|text| !text.trim().is_empty()),
                "A value is required",
            ),
            Self::Boolean => unless(
                text.is_none_or(|text| {
                    let text = text.trim();
                    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
                }),
                "Either 'true' or 'false' is expected",
            ),
            Self::Integer => unless(int(|_| true), "An integer is expected"),
            Self::PositiveInteger => unless(
                int(|number| number > 0),
                "A positive, non-zero integer value is expected",
            ),
            Self::NonNegativeInteger => unless(
                int(|number| number >= 0),
                "An non-negative integer is expected",
            ),
            Self::PositiveLong => unless(
                long(|number| number > 0),
                "A positive, non-zero long value is expected",
            ),
            Self::NonNegativeLong => unless(
                long(|number| number >= 0),
                "A non-negative long value is expected",
            ),
            Self::OneOf(words, required) => {
                let words = words();
                let right = match text {
                    Some(text) => words.contains(&text.trim().to_lowercase()),
                    None => !required,
                };
                unless(right, &format!("Value must be one of {}", words.join(", ")))
            }
            Self::RegexList => match text.map(RegexList::parse) {
                Some(Err(error)) => vec![format!(
                    "A comma-separated list of valid regular expressions is expected, but {error}"
                )],
                _ => Vec::new(),
            },
            Self::Regex => match text.map(tether_java_regex::Pattern::whole) {
                Some(Err(error)) => {
                    vec![format!(
                        "A valid regular expressions is expected, but {error}"
                    )]
                }
                _ => Vec::new(),
            },
            Self::NotBoth(other, name) => unless(
                text.is_none() || reader.text(other).is_none(),
                &format!("\"{name}\" is already specified"),
            ),
            Self::TopicName => text.map_or_else(Vec::new, name_of_letters),
            Self::OptionalTopicName => text
                .filter(|text| !text.is_empty())
                .map_or_else(Vec::new, name_of_letters),
            Self::HostName => text
                .filter(|text| !text.trim().is_empty())
                .map_or_else(Vec::new, name_of_letters),
            Self::SlotName => unless(
                text.is_none_or(|text| {
                    (1..=63).contains(&text.len())
                        && text.bytes().all(|byte| {
                            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
                        })
                }),
                "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63",
            ),
            Self::QueueSize => {
                let queue = reader.integer(field);
                let batch = reader.integer(&fields::MAX_BATCH_SIZE);
                let mut reasons = unless(queue > 0, "A positive queue size is required");
                reasons.extend(unless(
                    queue > batch,
                    "Must be larger than the maximum batch size",
                ));
                reasons
            }
            Self::SkippedOperations => text.map_or_else(Vec::new, skipped_operations),
            Self::Pairs => {
                let pairs = text
                    .filter(|text| !text.trim().is_empty())
                    .unwrap_or_default();
                unless(
                    split(pairs, ',')
                        .into_iter()
                        .all(|pair| split(pair, '=').len() == 2),
                    "A equivalent-separated map of valid key/value pairs is expected, for example: k1=v1,k2=v2",
                )
            }
            Self::KeyColumns => text.map_or_else(Vec::new, |text| {
                items(text, ';', is_key_columns, KEY_COLUMNS_FORM)
            }),
            Self::ReplicaIdentity => text.map_or_else(Vec::new, |text| {
                items(text, ',', is_replica_identity, REPLICA_IDENTITY_FORM)
            }),
            Self::OneSignalTable => unless(
                !config.contains_key("connector.class") || reader.list(field).len() <= 1,
                "For single task connector only one signal data collection is permitted.",
            ),
            Self::NotificationTopic => {
                let channels = reader.list(&fields::NOTIFICATION_ENABLED_CHANNELS);
                unless(
                    text.is_some() || !channels.contains(&"sink"),
                    "Notification topic name must be provided when kafka notification channel is enabled",
                )
            }
            Self::CustomName(mode) => unless(
                !text.unwrap_or_default().is_empty()
                    || !config
                        .get(mode.name)
                        .is_some_and(|mode| mode.eq_ignore_ascii_case("custom")),
                &format!(
                    "{} cannot be empty when {} 'custom' is defined",
                    field.name, mode.name
                ),
            ),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Check")
    }
}

/// What is wrong with the value of a key, in whole messages: with its type
/// first, then by the rules of the key. The reference says some things twice,
/// because a rule repeats what the type asks for.
pub(crate) fn messages(field: &Field, config: &ConfigMap) -> Vec<String> {
    let text = Reader(config).text(field);
    let kind = match (field.kind, text) {
        (ConfigType::Boolean, _) => Check::Boolean.reasons(field, config),
        (ConfigType::Int, _) => Check::Integer.reasons(field, config),
        (ConfigType::Long, Some(text)) if text.parse::<i64>().is_err() => {
            vec!["A long value is expected".to_owned()]
        }
        (ConfigType::Short, Some(text)) if text.parse::<i16>().is_err() => {
            vec!["A short value is expected".to_owned()]
        }
        (ConfigType::Class, Some(text)) if !is_class_name(text) => {
            vec!["A Java class name is expected".to_owned()]
        }
        _ => Vec::new(),
    };
    let rules = field
        .checks
        .iter()
        .flat_map(|check| check.reasons(field, config));
    kind.into_iter()
        .chain(rules)
        .map(|reason| format!("The '{}' value is invalid: {reason}", field.name))
        .collect()
}

/// Names of topics and hosts.
fn name_of_letters(name: &str) -> Vec<String> {
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !name.is_empty() && name.chars().all(right) {
        return Vec::new();
    }
    vec![format!(
        "{name} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"
    )]
}

fn skipped_operations(text: &str) -> Vec<String> {
    if text == "none" {
        return Vec::new();
    }
    let operations = split(text, ',');
    // Java splits the empty text into one part.
    if text.is_empty()
        || operations
            .iter()
            .any(|operation| !["none", "r", "c", "u", "d", "t"].contains(operation))
    {
        return vec!["Invalid operation".to_owned()];
    }
    if operations.contains(&"none") && operations.iter().any(|operation| *operation != "none") {
        return vec!["'none' cannot be specified with other skipped operation types".to_owned()];
    }
    Vec::new()
}

/// Checks items that are separated and each have a form.
fn items(text: &str, separator: char, right: fn(&str) -> bool, form: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if text.is_empty() {
        reasons.push("Must not be empty".to_owned());
    }
    let items = text.trim_end_matches(separator).split(separator);
    reasons.extend(
        items
            .filter(|item| !right(item))
            .map(|item| format!("{item} has an invalid format (expecting '{form}')")),
    );
    reasons
}

/// [`KEY_COLUMNS_FORM`].
fn is_key_columns(item: &str) -> bool {
    item.split_once(':').is_some_and(|(table, columns)| {
        !table.is_empty()
            && !columns.contains(':')
            && columns.split(',').all(|column| !column.is_empty())
    })
}

/// [`REPLICA_IDENTITY_FORM`].
fn is_replica_identity(item: &str) -> bool {
    super::replica_identity::parse_item(item).is_some()
}

/// `javax.lang.model.SourceVersion.isName`, but for reserved words.
fn is_class_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$'))
            && letters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
    })
}
