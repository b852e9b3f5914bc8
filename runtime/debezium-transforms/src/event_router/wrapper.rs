//! The struct around a payload that takes additional columns.

use tether_api::data::{Schema, SchemaBuilder, SchemaCache, SchemaRef, Struct, Value};
use tether_api::{ConnectError, Result};

use super::config::{Config, Placement};
use crate::schema::CACHE_SIZE;
use crate::structs::null_pointer;
use crate::topics::Memo;

/// What the payload is called in the struct.
const PAYLOAD: &str = "payload";

/// The schemas of such structs. As in the reference one is made for the first
/// payload of a schema, or the first event of a version, and used for the
/// others too.
pub(super) struct Wrapper {
    by_payload: SchemaCache<SchemaRef>,
    by_version: Memo<Option<i32>, SchemaRef>,
}

/// The event that is wrapped.
pub(super) struct Wrapped<'a> {
    pub(super) row: &'a Schema,
    /// The value that names the topic.
    pub(super) route: &'a str,
    /// The version, if the configuration asks for one.
    pub(super) version: Option<Option<i32>>,
    pub(super) schema: Option<&'a SchemaRef>,
    pub(super) payload: Value,
}

impl Wrapper {
    pub(super) fn new() -> Self {
        Self {
            by_payload: SchemaCache::new(CACHE_SIZE),
            by_version: Memo::default(),
        }
    }

    /// A struct with the payload in it, and no column so far.
    ///
    /// # Errors
    /// Data or Other, if there is no schema for it, or another one.
    pub(super) fn wrap(&mut self, event: Wrapped<'_>, config: &Config) -> Result<Struct> {
        let schema = match event.version {
            None => {
                let payload = event
                    .schema
                    .ok_or_else(|| null_pointer("the schema of the payload"))?;
                self.by_payload
                    .get_or_make(payload, |_| Ok(builder(&event, config)?.build()))?
            }
            Some(version) => self.by_version.get_or_make(&version, |version| {
                let builder = builder(&event, config)?.with_version(*version);
                Ok::<_, ConnectError>(builder.build())
            })?,
        };
        let mut wrapped = Struct::new(schema)?;
        wrapped.put(PAYLOAD, event.payload)?;
        Ok(wrapped)
    }
}

fn builder(event: &Wrapped<'_>, config: &Config) -> Result<SchemaBuilder> {
    let Some(payload) = event.schema else {
        let message = format!("fieldSchema for field {PAYLOAD} cannot be null.");
        return Err(ConnectError::data(message)
            .with_class("org.apache.kafka.connect.errors.SchemaBuilderException"));
    };
    let mut builder = SchemaBuilder::structure()
        .name(name(event.row.name(), event.route))
        .try_field(PAYLOAD, payload.clone())?;
    for column in &config.additional {
        if column.placement != Placement::Envelope {
            continue;
        }
        let Some(field) = event.row.field(&column.column) else {
            if config.may_miss {
                continue;
            }
            return Err(ConnectError::other(format!(
                "Unable to find field {} in event",
                column.column
            )));
        };
        builder = builder.try_field(column.alias.clone(), field.schema.clone())?;
    }
    Ok(builder)
}

/// The name of the row's schema with the routing value before its last part.
fn name(row: Option<&str>, route: &str) -> String {
    match row {
        None => route.to_owned(),
        Some(row) => match row.rsplit_once('.') {
            Some((front, last)) => format!("{front}.{route}.{last}"),
            None => format!("{route}.{row}"),
        },
    }
}
