//! Converts times to a time zone (`io.debezium.transforms.TimezoneConverter`).

mod rules;
mod text;
mod zone;

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tether_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Width};
use tether_api::data::{Schema, SchemaCache, SchemaRef, Struct, Text, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;
use tether_api::{ConnectError, Result};

use self::rules::{EXCLUDE, INCLUDE, Rules, Selection};
use self::zone::Zone;
use crate::envelope::{AFTER, BEFORE, SOURCE, is_envelope};
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::{Settings, key};
use crate::structs::{null_pointer, require_struct, typed_field};

const ZONE: &str = "converted.timezone";
const TABLE: &str = "table";

/// Kinds of columns that stay as they are, with a warning.
const UNSUPPORTED: [&str; 6] = [
    "io.debezium.time.Date",
    "io.debezium.time.MicroTime",
    "io.debezium.time.NanoTime",
    "io.debezium.time.Time",
    logical::DATE,
    logical::TIME,
];

pub(crate) struct TimezoneConverter {
    zone: Zone,
    rules: Rules,
    plans: SchemaCache<Arc<Plan>>,
}

/// What has to be known of events of one schema.
struct Plan {
    source: Option<usize>,
    table: Option<usize>,
    /// What is done to the events that came last.
    last: Mutex<Option<Arc<Steps>>>,
}

/// What is done to events of a table in a topic.
struct Steps {
    topic: Arc<str>,
    table: Option<Text>,
    structs: Vec<Rows>,
}

/// The fields of one of an event's structs that are converted.
struct Rows {
    /// The struct's place in the event.
    index: usize,
    fields: Vec<(usize, Conversion)>,
}

/// How the value of a field is converted.
#[derive(Clone, Copy)]
enum Conversion {
    ZonedTimestamp,
    ZonedTime,
    /// So many of its units are a second; it is taken for a local time.
    Local(i64),
    /// The same, as Connect has it.
    LocalTimestamp,
    /// So many of its units are a second; it is an instant.
    Instant(i64),
    /// It stays.
    None,
}

impl EventTransformation for TimezoneConverter {
    fn config_def() -> Arc<ConfigDef> {
        static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
            let important = |mut key: ConfigKey| {
                key.width = Width::Medium;
                key.importance(Importance::High)
            };
            Arc::new(
                ConfigDef::new()
                    .define(important(key(
                        ZONE,
                        ConfigType::String,
                        "Converted Timezone",
                        "The time zone, such as America/Los_Angeles or +08:00.",
                    )))
                    .define(important(key(
                        INCLUDE,
                        ConfigType::List,
                        "Include List",
                        "What is converted: source:table, source:table:field, topic:topic, \
                         topic:topic:field, or table-or-topic:field.",
                    )))
                    .define(important(key(
                        EXCLUDE,
                        ConfigType::List,
                        "Exclude List",
                        "What is not converted, in the same form.",
                    ))),
            )
        });
        DEF.clone()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        settings.check(vec![
            (ZONE, settings.missing(ZONE)),
            (INCLUDE, rules::no_regex(settings, INCLUDE)),
            (EXCLUDE, rules::no_regex(settings, EXCLUDE)),
        ])?;
        let rules = Rules::new(settings)?;
        let zone = Zone::new(settings.text(ZONE).unwrap_or_default())?;
        Rules::check_one(settings)?;
        Ok(Self {
            zone,
            rules,
            plans: SchemaCache::new(CACHE_SIZE),
        })
    }
}

impl Plan {
    fn new(event: &SchemaRef) -> Self {
        let source = typed_field(event, SOURCE, Type::Struct).ok();
        let table = source.and_then(|field| typed_field(&field.schema, TABLE, Type::String).ok());
        Self {
            source: source.map(|field| field.index),
            table: table.map(|field| field.index),
            last: Mutex::default(),
        }
    }

    /// The table that an event tells.
    fn table<'a>(&self, event: &'a Struct) -> Result<Option<&'a Text>> {
        let Some(source) = self.source.and_then(|index| event.values().get(index)) else {
            return Ok(None);
        };
        let source = source.as_struct().ok_or_else(|| null_pointer(SOURCE))?;
        let table = self.table.and_then(|index| source.values().get(index));
        Ok(match table {
            Some(Value::String(table)) => Some(table),
            _ => None,
        })
    }

    /// What is done to an event of a table in a topic.
    fn steps(
        &self,
        rules: &Rules,
        event: &Schema,
        topic: &Arc<str>,
        table: Option<&Text>,
    ) -> Arc<Steps> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = &*last
            && steps.topic == *topic
            && steps.table.as_ref() == table
        {
            return steps.clone();
        }
        let selection = rules.select(topic, table.map(|table| &**table));
        let steps = Arc::new(Steps {
            topic: topic.clone(),
            table: table.cloned(),
            structs: steps(event, &selection),
        });
        *last = Some(steps.clone());
        steps
    }
}

fn steps(event: &Schema, selection: &Selection<'_>) -> Vec<Rows> {
    let named = match selection {
        Selection::Nothing => return Vec::new(),
        Selection::All => None,
        Selection::Only(fields) | Selection::AllBut(fields) => Some(*fields),
    };
    let prefixes = [BEFORE, AFTER, SOURCE].map(|name| format!("{name}."));
    let names = |structure: &str| -> Vec<&str> {
        let own = format!("{structure}.");
        let all = named.into_iter().flatten();
        all.filter_map(|field| match field.strip_prefix(&own) {
            Some(name) => Some(name),
            None if prefixes.iter().any(|prefix| field.starts_with(prefix)) => None,
            // Fields without the name of a struct are those of the rows.
            None => (structure != SOURCE).then_some(field.as_str()),
        })
        .collect()
    };
    let structs = [BEFORE, AFTER, SOURCE].into_iter();
    structs
        .filter_map(|structure| {
            let field = typed_field(event, structure, Type::Struct).ok()?;
            let names = names(structure);
            if structure == SOURCE && names.is_empty() {
                return None;
            }
            let is_meant = |name: &str| match selection {
                Selection::Nothing => false,
                Selection::All => true,
                Selection::Only(_) => names.contains(&name),
                Selection::AllBut(_) => !names.contains(&name),
            };
            let fields = field.schema.fields().iter();
            let fields = fields.filter(|field| is_meant(&field.name));
            Some(Rows {
                index: field.index,
                fields: fields
                    .filter_map(|field| {
                        let conversion =
                            conversion(structure == SOURCE, &field.name, &field.schema);
                        Some((field.index, conversion?))
                    })
                    .collect(),
            })
        })
        .collect()
}

/// How a field is converted, if it is.
fn conversion(in_source: bool, name: &str, schema: &Schema) -> Option<Conversion> {
    let epoch = match name {
        "ts_ms" if in_source => Some(1_000),
        "ts_us" if in_source => Some(1_000_000),
        "ts_ns" if in_source => Some(1_000_000_000),
        _ => None,
    };
    Some(match schema.name() {
        Some("io.debezium.time.ZonedTimestamp") => Conversion::ZonedTimestamp,
        Some("io.debezium.time.ZonedTime") => Conversion::ZonedTime,
        Some("io.debezium.time.Timestamp") => Conversion::Local(1_000),
        Some("io.debezium.time.MicroTimestamp") => Conversion::Local(1_000_000),
        Some("io.debezium.time.NanoTimestamp") => Conversion::Local(1_000_000_000),
        Some(logical::TIMESTAMP) => Conversion::LocalTimestamp,
        Some(kind) if UNSUPPORTED.contains(&kind) => {
            tracing::warn!(field = name, "Times of the kind {kind} are not converted");
            return None;
        }
        Some(_) => epoch.map(|_| Conversion::None)?,
        None => Conversion::Instant(epoch?),
    })
}

impl Conversion {
    fn apply(self, value: &Value, zone: &Zone) -> Result<Value> {
        Ok(match (self, value) {
            (Self::None, value) => value.clone(),
            (Self::ZonedTimestamp, Value::String(text)) => {
                text::shift_timestamp(text, zone)?.into()
            }
            (Self::ZonedTime, Value::String(text)) => text::shift_time(text, zone)?.into(),
            (Self::Local(units), Value::Int64(time)) => local(*time, units, zone)?.into(),
            (Self::LocalTimestamp, Value::Timestamp(time)) => {
                Value::Timestamp(local(*time, 1_000, zone)?)
            }
            (Self::Instant(units), Value::Int64(time)) => {
                let ahead = zone.at(time.div_euclid(units));
                add(*time, ahead.saturating_mul(units))?.into()
            }
            (Self::Instant(_), _) => {
                let message = "Epoch field value should be a java.lang.Long";
                return Err(
                    ConnectError::other(message).with_class("io.debezium.DebeziumException")
                );
            }
            (_, value) => {
                let message = format!("a time that is a {}", value.java_class());
                return Err(ConnectError::other(message).with_class("java.lang.ClassCastException"));
            }
        })
    }
}

fn local(time: i64, units: i64, zone: &Zone) -> Result<i64> {
    let ahead = zone.at_local(time.div_euclid(units));
    add(time, -ahead.saturating_mul(units))
}

fn add(time: i64, units: i64) -> Result<i64> {
    time.checked_add(units).ok_or_else(|| {
        ConnectError::other("long overflow").with_class("java.lang.ArithmeticException")
    })
}

impl Transformation for TimezoneConverter {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() || !is_envelope(&record) {
            return Ok(Some(record));
        }
        let value = std::mem::take(&mut record.value);
        let mut event = require_struct(value, "time zones")?;
        let schema = event.schema().clone();
        let plan = self
            .plans
            .get_or_make(&schema, |schema| Ok(Arc::new(Plan::new(schema))))?;
        let steps = plan.steps(&self.rules, &schema, &record.topic, plan.table(&event)?);
        for rows in &steps.structs {
            let Some(place) = event.values_mut().get_mut(rows.index) else {
                continue;
            };
            let Value::Struct(row) = std::mem::take(place) else {
                continue;
            };
            let mut row = Arc::unwrap_or_clone(row);
            for (index, conversion) in &rows.fields {
                let value = row.get_at(*index).filter(|value| !value.is_null());
                if let Some(value) = value {
                    let converted = conversion.apply(value, &self.zone)?;
                    row.values_mut()[*index] = converted;
                }
            }
            *place = row.into();
        }
        record.value = event.into();
        Ok(Some(record))
    }
}
