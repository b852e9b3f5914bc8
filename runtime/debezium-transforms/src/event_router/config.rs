//! What a configuration says.

use std::sync::{Arc, LazyLock};

use tether_api::config::Importance::{High, Low, Medium};
use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Width};
use tether_api::data::Text;
use tether_api::{ConnectError, Result};
use tether_debezium_naming::NameAdjustment;

use self::Kind::{Flag, List, Text as Of};
use super::payload::Expansion;
use crate::replacement::Replacement;
use crate::settings::{Settings, invalid, split};

const EVENT_ID: &str = "table.field.event.id";
const EVENT_KEY: &str = "table.field.event.key";
const EVENT_TYPE: &str = "table.field.event.type";
const PAYLOAD: &str = "table.field.event.payload";
const TIMESTAMP: &str = "table.field.event.timestamp";
const ADDITIONAL: &str = "table.fields.additional.placement";
const MISSING: &str = "table.field.additional.missing";
const SCHEMA_VERSION: &str = "table.field.event.schema.version";
const INVALID_OPERATION: &str = "table.op.invalid.behavior";
const EXPAND: &str = "table.expand.json.payload";
const NULLS: &str = "table.json.payload.null.behavior";
const ROUTE_BY: &str = "route.by.field";
const TOPIC_REGEX: &str = "route.topic.regex";
const TOPIC_REPLACEMENT: &str = "route.topic.replacement";
const TOMBSTONES: &str = "route.tombstone.on.empty.payload";
const SPAN_CONTEXT: &str = "tracing.span.context.field";
const SPAN_OPERATION: &str = "tracing.operation.name";
const SPAN_REQUIRED: &str = "tracing.with.context.field.only";
/// Not among the keys that forms show, yet honoured.
const FIELD_NAMES: &str = "field.name.adjustment.mode";

const DEFAULT_ID: &str = "id";
const DEFAULT_KEY: &str = "aggregateid";
const DEFAULT_PAYLOAD: &str = "payload";
const DEFAULT_ROUTE: &str = "aggregatetype";
const DEFAULT_REGEX: &str = "(?<routedByValue>.*)";
const DEFAULT_REPLACEMENT: &str = "outbox.event.${routedByValue}";

const BEHAVIORS: [&str; 3] = ["warn", "error", "fatal"];
const NULL_BEHAVIORS: [&str; 2] = ["ignore", "optional_bytes"];
const MISSING_BEHAVIORS: [&str; 2] = ["error", "ignore"];

/// What becomes of updates, which no outbox should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InvalidOperation {
    /// They are dropped with a warning.
    Warn,
    /// They are dropped, and an error is logged.
    Error,
    /// They fail the task.
    Fatal,
}

/// Where a column goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Into a header.
    Header,
    /// Into a struct around the payload.
    Envelope,
    /// It is the number of the partition.
    Partition,
}

/// A column that goes somewhere.
pub(super) struct Additional {
    pub(super) column: Text,
    pub(super) placement: Placement,
    /// The name that it has there.
    pub(super) alias: Text,
}

/// What a configuration says.
pub(super) struct Config {
    pub(super) id: Text,
    pub(super) key: Text,
    pub(super) payload: Text,
    pub(super) timestamp: Option<Text>,
    pub(super) version: Option<Text>,
    pub(super) additional: Vec<Additional>,
    /// Whether additional columns may be missing.
    pub(super) may_miss: bool,
    pub(super) invalid_operation: InvalidOperation,
    pub(super) expansion: Option<Expansion>,
    pub(super) route_by: Text,
    pub(super) topic: Replacement,
    pub(super) tombstones: bool,
}

/// A key that forms show.
struct Key(
    /// Its name.
    &'static str,
    Kind,
    Importance,
    /// What forms call it.
    &'static str,
    /// What it is for.
    &'static str,
);

/// What values a key has.
#[derive(Clone, Copy)]
enum Kind {
    /// A text; perhaps one by default.
    Text(Option<&'static str>),
    /// Texts; none by default.
    List,
    /// No by default.
    Flag,
}

const TABLE: &[Key] = &[
    Key(
        EVENT_ID,
        Of(Some(DEFAULT_ID)),
        Low,
        "Event ID Field",
        "The column with the id of the event.",
    ),
    Key(
        EVENT_KEY,
        Of(Some(DEFAULT_KEY)),
        Low,
        "Event Key Field",
        "The column with the key of the record.",
    ),
    Key(
        EVENT_TYPE,
        Of(Some("type")),
        Low,
        "Event Type Field",
        "The column with the type of the event. It has no effect.",
    ),
    Key(
        PAYLOAD,
        Of(Some(DEFAULT_PAYLOAD)),
        Low,
        "Event Payload Field",
        "The column with the value of the record.",
    ),
    Key(
        TIMESTAMP,
        Of(None),
        Medium,
        "Event Timestamp Field",
        "The column with the timestamp of the record; without it, the time of the change event.",
    ),
    Key(
        ADDITIONAL,
        List,
        High,
        "Settings for each additional column in the outbox table",
        "Columns that go elsewhere, as column:placement or column:placement:alias; a placement \
         is header, envelope or partition.",
    ),
    Key(
        MISSING,
        Of(Some(MISSING_BEHAVIORS[0])),
        Medium,
        "Behavior when an additional field is missing in the change data",
        "Whether a missing additional column fails the task (error) or is passed over (ignore).",
    ),
    Key(
        SCHEMA_VERSION,
        Of(None),
        Low,
        "Event Schema Version Field",
        "The column with the version of the schema of the struct around the payload.",
    ),
    Key(
        INVALID_OPERATION,
        Of(Some(BEHAVIORS[0])),
        Medium,
        "Behavior when capturing an unexpected outbox event",
        "What becomes of updates: dropped with a warning (warn) or an error (error) in the log, \
         or the task fails (fatal).",
    ),
    Key(
        EXPAND,
        Flag,
        Medium,
        "Expand Payload escaped string as real JSON",
        "Whether a payload of JSON becomes a struct. One that cannot be is left as it is.",
    ),
    Key(
        NULLS,
        Of(Some(NULL_BEHAVIORS[0])),
        Medium,
        "Behavior when json payload including null value",
        "Whether nulls in such JSON are left out (ignore) or are bytes without value \
         (optional_bytes).",
    ),
];

const ROUTER: &[Key] = &[
    Key(
        ROUTE_BY,
        Of(Some(DEFAULT_ROUTE)),
        High,
        "Field to route events by",
        "The column whose value names the topic.",
    ),
    Key(
        TOPIC_REGEX,
        Of(Some(DEFAULT_REGEX)),
        Low,
        "The name of the routed topic",
        "The regular expression that this value has to match as a whole.",
    ),
    Key(
        TOPIC_REPLACEMENT,
        Of(Some(DEFAULT_REPLACEMENT)),
        High,
        "The name of the routed topic",
        "The topic; ${name} stands for what the group of this name matched.",
    ),
    Key(
        TOMBSTONES,
        Flag,
        High,
        "Empty payloads cause a tombstone message",
        "Whether an event without payload becomes a tombstone.",
    ),
];

const NO_SPANS: &str = "Without effect: no spans are made.";

const TRACING: &[Key] = &[
    Key(
        SPAN_CONTEXT,
        Of(Some("tracingspancontext")),
        High,
        "Serialized tracing span context field",
        NO_SPANS,
    ),
    Key(
        SPAN_OPERATION,
        Of(Some("debezium-read")),
        High,
        "Tracing operation name",
        NO_SPANS,
    ),
    Key(
        SPAN_REQUIRED,
        Flag,
        High,
        "Trace only events with context field present",
        NO_SPANS,
    ),
];

/// The keys that forms show.
pub(super) fn definition() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        let mut definition = ConfigDef::new();
        for (group, keys) in [("Table", TABLE), ("Router", ROUTER), ("Tracing", TRACING)] {
            for (order, key) in (1..).zip(keys) {
                definition.add(key.of(group, order));
            }
        }
        Arc::new(definition)
    });
    DEF.clone()
}

impl Key {
    fn of(&self, group: &'static str, order: i32) -> ConfigKey {
        let Self(name, kind, importance, label, doc) = *self;
        let key = match kind {
            Of(None) => ConfigKey::new(name, ConfigType::String).default_null(),
            Of(Some(default)) => ConfigKey::new(name, ConfigType::String).default_string(default),
            List => ConfigKey::new(name, ConfigType::List).default_null(),
            Flag => ConfigKey::new(name, ConfigType::Boolean).default_boolean(false),
        };
        key.importance(importance)
            .doc(doc)
            .form(group, order, Width::Medium, label)
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Config, if a value is wrong.
    pub(super) fn read(settings: &Settings<'_>) -> Result<Self> {
        let topic = Replacement::new(
            settings.text(TOPIC_REGEX).unwrap_or(DEFAULT_REGEX),
            settings
                .text(TOPIC_REPLACEMENT)
                .unwrap_or(DEFAULT_REPLACEMENT),
        );
        let wrong_regex = topic
            .as_ref()
            .err()
            .map(|error| format!("A valid regular expressions is expected, but {error}"));
        // The order is that in which the reference puts them into its map.
        settings.check(vec![
            (EVENT_ID, None),
            (EVENT_KEY, None),
            (EVENT_TYPE, None),
            (PAYLOAD, None),
            (TIMESTAMP, None),
            (ADDITIONAL, no_pairs(settings)),
            (MISSING, settings.no_word(MISSING, &MISSING_BEHAVIORS)),
            (SCHEMA_VERSION, None),
            (ROUTE_BY, None),
            (TOPIC_REGEX, wrong_regex),
            (TOPIC_REPLACEMENT, None),
            (TOMBSTONES, settings.not_boolean(TOMBSTONES)),
            (
                INVALID_OPERATION,
                settings.no_word(INVALID_OPERATION, &BEHAVIORS),
            ),
            (EXPAND, settings.not_boolean(EXPAND)),
            (NULLS, settings.no_word(NULLS, &NULL_BEHAVIORS)),
        ])?;
        let topic = topic.map_err(|error| ConnectError::config(error.to_string()))?;
        let text = |name, default: &str| Text::from(settings.text(name).unwrap_or(default));
        let word = |name| settings.text(name).unwrap_or_default().trim();
        let is = |name, words: &[&str], index: usize| word(name).eq_ignore_ascii_case(words[index]);
        let flag = |name| settings.boolean(name, false).unwrap_or(false);
        let field_names = settings.text(FIELD_NAMES);
        let expansion = flag(EXPAND).then(|| {
            let names = field_names.and_then(NameAdjustment::of);
            Expansion::new(
                is(NULLS, &NULL_BEHAVIORS, 1),
                names.unwrap_or(NameAdjustment::None),
            )
        });
        Ok(Self {
            id: text(EVENT_ID, DEFAULT_ID),
            key: text(EVENT_KEY, DEFAULT_KEY),
            payload: text(PAYLOAD, DEFAULT_PAYLOAD),
            timestamp: settings.text(TIMESTAMP).map(Text::from),
            version: settings.text(SCHEMA_VERSION).map(Text::from),
            additional: additional(settings)?,
            may_miss: is(MISSING, &MISSING_BEHAVIORS, 1),
            invalid_operation: if is(INVALID_OPERATION, &BEHAVIORS, 2) {
                InvalidOperation::Fatal
            } else if is(INVALID_OPERATION, &BEHAVIORS, 1) {
                InvalidOperation::Error
            } else {
                InvalidOperation::Warn
            },
            expansion,
            route_by: text(ROUTE_BY, DEFAULT_ROUTE),
            topic,
            tombstones: flag(TOMBSTONES),
        })
    }

    /// Whether payloads get a struct around them.
    pub(super) fn wraps(&self) -> bool {
        let mut additional = self.additional.iter();
        additional.any(|column| column.placement == Placement::Envelope)
    }
}

/// Why the additional columns are no list of pairs or trios, if they are not.
fn no_pairs(settings: &Settings<'_>) -> Option<String> {
    let items = split(settings.text(ADDITIONAL)?, ',');
    let is_wrong = |item: &&str| !matches!(split(item, ':').len(), 2 | 3);
    items.iter().any(is_wrong).then(|| {
        format!(
            "A comma-separated list of valid String pairs or trios is expected but got: [{}]",
            items.join(", ")
        )
    })
}

fn additional(settings: &Settings<'_>) -> Result<Vec<Additional>> {
    let Some(text) = settings.text(ADDITIONAL) else {
        return Ok(Vec::new());
    };
    let column = |item: &str| {
        let parts = split(item, ':');
        let part = |index: usize| parts.get(index).map(|part| part.trim());
        let placement = match part(1).unwrap_or_default().to_ascii_lowercase().as_str() {
            "header" => Placement::Header,
            "envelope" => Placement::Envelope,
            "partition" => Placement::Partition,
            other => {
                let reason = format!("There is no placement '{other}'");
                return Err(invalid(ADDITIONAL, Some(text), &reason));
            }
        };
        let column = part(0).unwrap_or_default();
        Ok(Additional {
            column: column.into(),
            placement,
            alias: part(2).unwrap_or(column).into(),
        })
    };
    split(text, ',').into_iter().map(column).collect()
}
