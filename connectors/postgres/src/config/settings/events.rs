//! Records: which there are, what they carry and how they are called.

use std::time::Duration;

use tether_api::{ConnectError, Result};

use crate::config::choice::NameAdjustment;
use crate::config::fields;
use crate::config::reader::Reader;
use crate::naming::{KeyField, Rewrite, TopicNaming, TopicStrategy};

/// How long is waited between heartbeats if something else needs them and no
/// interval is given.
const FALLBACK_HEARTBEAT: Duration = Duration::from_secs(600);

/// What records of changes carry.
#[derive(Debug, Clone)]
pub struct EventSettings {
    /// Whether a deletion is followed by a record without value.
    pub tombstones: bool,
    /// Operations that are left out.
    pub skipped: SkippedOperations,
    /// Whether an update that changes no captured column is left out.
    pub skip_unchanged: bool,
    /// Whether transactions have records, and changes name theirs.
    pub transaction_metadata: bool,
    /// Whether changes have headers that name connector, task and run.
    pub extended_headers: bool,
    /// Which names of schemas are altered.
    pub schema_names: NameAdjustment,
    /// Which names of fields are altered.
    pub field_names: NameAdjustment,
}

/// Operations that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SkippedOperations {
    /// `c`
    pub create: bool,
    /// `u`
    pub update: bool,
    /// `d`
    pub delete: bool,
    /// `t`
    pub truncate: bool,
    /// `r`
    pub read: bool,
    /// Whether the configuration says so itself; a publication that is created
    /// then leaves them out as well.
    pub explicit: bool,
}

/// Heartbeats.
#[derive(Debug, Clone)]
pub struct HeartbeatSettings {
    /// How often there is one.
    pub interval: Option<Duration>,
    /// A statement to execute with each.
    pub action_query: Option<String>,
}

impl EventSettings {
    pub(super) fn read(reader: Reader<'_>) -> Self {
        let adjustment = |field| reader.choice(field).unwrap_or(NameAdjustment::None);
        Self {
            tombstones: reader.boolean(&fields::TOMBSTONES_ON_DELETE),
            skipped: SkippedOperations::read(reader),
            skip_unchanged: reader.boolean(&fields::SKIP_MESSAGES_WITHOUT_CHANGE),
            transaction_metadata: reader.boolean(&fields::PROVIDE_TRANSACTION_METADATA),
            extended_headers: reader.boolean(&fields::EXTENDED_HEADERS_ENABLED),
            schema_names: adjustment(&fields::SCHEMA_NAME_ADJUSTMENT_MODE),
            field_names: adjustment(&fields::FIELD_NAME_ADJUSTMENT_MODE),
        }
    }
}

impl SkippedOperations {
    fn read(reader: Reader<'_>) -> Self {
        let letters = reader.list(&fields::SKIPPED_OPERATIONS);
        let has = |letter: &str| letters.contains(&letter);
        let skipped = Self {
            create: has("c"),
            update: has("u"),
            delete: has("d"),
            truncate: has("t"),
            read: has("r"),
            explicit: false,
        };
        Self {
            explicit: reader.is_given(&fields::SKIPPED_OPERATIONS) && skipped != Self::default(),
            ..skipped
        }
    }
}

impl HeartbeatSettings {
    /// `needed` says that nothing but heartbeats gives the chance to tell the
    /// server of positions.
    pub(super) fn read(reader: Reader<'_>, needed: bool) -> Self {
        let interval = reader.interval(&fields::HEARTBEAT_INTERVAL_MS);
        if interval.is_none() && needed {
            tracing::warn!(
                "{} was internally set to {} ms since {} requires periodic opportunities to propagate LSNs to Kafka. \
                 If this behavior is not desired, explicitly set {0} to more than 0 or enable {}.",
                fields::HEARTBEAT_INTERVAL_MS.name,
                FALLBACK_HEARTBEAT.as_millis(),
                "lsn.flush.mode=connector_and_driver",
                fields::PROVIDE_TRANSACTION_METADATA.name
            );
        }
        Self {
            interval: interval.or(needed.then_some(FALLBACK_HEARTBEAT)),
            action_query: reader
                .text(&fields::HEARTBEAT_ACTION_QUERY)
                .filter(|query| !query.is_empty())
                .map(str::to_owned),
        }
    }
}

/// Reads how topics are called.
pub(super) fn topic_naming(reader: Reader<'_>) -> Result<TopicNaming> {
    let class = reader.string(&fields::TOPIC_NAMING_STRATEGY).trim();
    let strategy = TopicStrategy::of(class).ok_or_else(|| {
        ConnectError::config(format!(
            "topic.naming.strategy: '{class}' is none of the classes that can be had here"
        ))
    })?;
    let wrong = |key: &'static str| move |error| ConnectError::config(format!("{key}: {error}"));
    let (rewrite, key_field) = match strategy.is_regex() {
        true => {
            let regex = reader.string(&fields::TOPIC_REGEX);
            let replacement = reader.string(&fields::TOPIC_REPLACEMENT);
            for (field, value) in [
                (&fields::TOPIC_REGEX, regex),
                (&fields::TOPIC_REPLACEMENT, replacement),
            ] {
                if value.trim().is_empty() {
                    return Err(ConnectError::config(format!(
                        "The '{}' value is invalid: A value is required",
                        field.name
                    )));
                }
            }
            let rewrite = Rewrite::new(regex, replacement).map_err(wrong("topic.regex"))?;
            (Some(rewrite), key_field(reader)?)
        }
        false => (None, None),
    };
    Ok(TopicNaming {
        strategy,
        prefix: reader.string(&fields::TOPIC_PREFIX).into(),
        delimiter: reader.string(&fields::TOPIC_DELIMITER).to_owned(),
        transaction: reader.string(&fields::TOPIC_TRANSACTION).to_owned(),
        heartbeat_prefix: reader.string(&fields::TOPIC_HEARTBEAT_PREFIX).to_owned(),
        heartbeat_name: reader
            .text(&fields::TOPIC_HEARTBEAT_NAME)
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        rewrite,
        key_field,
    })
}

/// The field that tells apart tables that share a topic.
fn key_field(reader: Reader<'_>) -> Result<Option<KeyField>> {
    if !reader.boolean(&fields::TOPIC_KEY_ENFORCE_UNIQUENESS) {
        return Ok(None);
    }
    let regex = reader.string(&fields::TOPIC_KEY_FIELD_REGEX);
    let replacement = reader.string(&fields::TOPIC_KEY_FIELD_REPLACEMENT);
    let rule = match (regex.trim().is_empty(), replacement.trim().is_empty()) {
        (true, _) => None,
        (false, true) => {
            return Err(ConnectError::config(
                "The 'topic.key.field.replacement' value is invalid: topic.key.field.replacement must be non-empty if topic.key.field.regex is set.",
            ));
        }
        (false, false) => Some(
            Rewrite::new(regex, replacement)
                .map_err(|error| ConnectError::config(format!("topic.key.field.regex: {error}")))?,
        ),
    };
    Ok(Some(KeyField {
        name: reader.string(&fields::TOPIC_KEY_FIELD_NAME).into(),
        rule,
    }))
}
