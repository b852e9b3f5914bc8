//! What has to be known of events of one schema.

use std::sync::{Arc, OnceLock};

use tether_api::data::{Field, Schema, SchemaCache, SchemaRef, Text, Type};
use tether_api::{ConnectError, Result};

use super::config::Config;
use super::reference::{FieldReference, Location};
use crate::envelope::{AFTER, BEFORE, OPERATION};
use crate::schema::{CACHE_SIZE, copy_struct};
use crate::structs::typed_field;

/// The field that says whether a row was deleted.
const DELETED: &str = "__deleted";

/// Something that is added.
pub(super) struct Addition {
    pub(super) name: Text,
    pub(super) location: Location,
}

/// What has to be known of events of one schema. Parts are worked out when they
/// are first needed, so that an event fails only for what it needs.
pub(super) struct Plan {
    /// The schema of the events.
    pub(super) event: SchemaRef,
    /// The rows before changes.
    before: Side,
    /// The rows after changes.
    after: Side,
    headers: OnceLock<Box<[Addition]>>,
    /// The layouts of rows without fields that were dropped.
    rest: SchemaCache<Arc<Row>>,
}

/// What has to be known of the rows before or after changes.
#[derive(Default)]
struct Side {
    field: Option<Field>,
    marked: OnceLock<SchemaRef>,
    route_by: OnceLock<Option<usize>>,
    row: OnceLock<Arc<Row>>,
}

/// How rows of one schema look in the end.
pub(super) struct Row {
    /// The schema with all additions.
    pub(super) schema: SchemaRef,
    pub(super) additions: Box<[Addition]>,
}

impl Side {
    fn new(event: &Schema, name: &str) -> Self {
        Self {
            field: event.field(name).cloned(),
            ..Self::default()
        }
    }
}

/// What was worked out, or what is worked out now.
fn once<T: Clone>(slot: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some(known) = slot.get() {
        return Ok(known.clone());
    }
    let made = make()?;
    Ok(slot.get_or_init(|| made).clone())
}

impl Plan {
    /// What has to be known of events of this schema.
    ///
    /// # Errors
    /// None so far; later calls have their own.
    pub(super) fn new(event: &SchemaRef) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            before: Side::new(event, BEFORE),
            after: Side::new(event, AFTER),
            event: event.clone(),
            headers: OnceLock::new(),
            rest: SchemaCache::new(CACHE_SIZE),
        }))
    }

    /// The field of the row after a change.
    ///
    /// # Errors
    /// Other, if there is none.
    pub(super) fn after(&self) -> Result<&Field> {
        self.after.field.as_ref().ok_or_else(|| unknown(AFTER))
    }

    /// The field of the row before a change.
    ///
    /// # Errors
    /// Other, if there is none.
    pub(super) fn before(&self) -> Result<&Field> {
        self.before.field.as_ref().ok_or_else(|| unknown(BEFORE))
    }

    /// The headers that are added.
    ///
    /// # Errors
    /// Data, if one cannot be looked for.
    pub(super) fn headers(&self, headers: &[FieldReference]) -> Result<&[Addition]> {
        if let Some(headers) = self.headers.get() {
            return Ok(headers);
        }
        let located = self.locate(headers)?;
        Ok(self.headers.get_or_init(|| located))
    }

    fn locate(&self, references: &[FieldReference]) -> Result<Box<[Addition]>> {
        let mut additions = Vec::with_capacity(references.len());
        for reference in references {
            if let Some(location) = reference.locate(&self.event)? {
                let name = reference.new_name.clone();
                additions.push(Addition { name, location });
            }
        }
        Ok(additions.into_boxed_slice())
    }

    /// The schema of rows after changes, with the mark if there is to be one.
    ///
    /// # Errors
    /// Data, if the mark cannot be added.
    pub(super) fn marked_after(&self, config: &Config) -> Result<SchemaRef> {
        once(&self.after.marked, || marked(self.after()?, config))
    }

    /// The schema of rows before changes, with the mark if there is to be one.
    ///
    /// # Errors
    /// Data, if the mark cannot be added.
    pub(super) fn marked_before(&self, config: &Config) -> Result<SchemaRef> {
        once(&self.before.marked, || marked(self.before()?, config))
    }

    /// The index of the field of a marked row after a change that names the
    /// topic.
    ///
    /// # Errors
    /// Data, if there is no such field or it is no text.
    pub(super) fn route_after(&self, config: &Config) -> Result<Option<usize>> {
        once(&self.after.route_by, || {
            route_by(&*self.marked_after(config)?, config)
        })
    }

    /// The index of the field of a row before a change, not marked, that names
    /// the topic.
    ///
    /// # Errors
    /// Data, if there is no such field or it is no text.
    pub(super) fn route_before(&self, config: &Config) -> Result<Option<usize>> {
        once(&self.before.route_by, || {
            route_by(&self.before()?.schema, config)
        })
    }

    /// The layout of rows after changes.
    ///
    /// # Errors
    /// Data, if fields cannot be added.
    pub(super) fn row_after(&self, config: &Config) -> Result<Arc<Row>> {
        once(&self.after.row, || {
            self.row(&*self.marked_after(config)?, config)
        })
    }

    /// The layout of rows before changes.
    ///
    /// # Errors
    /// Data, if fields cannot be added.
    pub(super) fn row_before(&self, config: &Config) -> Result<Arc<Row>> {
        once(&self.before.row, || {
            self.row(&*self.marked_before(config)?, config)
        })
    }

    /// The layout of rows of which fields may have been dropped.
    ///
    /// # Errors
    /// Data, if fields cannot be added.
    pub(super) fn row_of_rest(&self, rest: &SchemaRef, config: &Config) -> Result<Arc<Row>> {
        self.rest.get_or_make(rest, |rest| self.row(rest, config))
    }

    fn row(&self, marked: &Schema, config: &Config) -> Result<Arc<Row>> {
        // The reference tells layouts apart by the kind of change as well.
        typed_field(&self.event, OPERATION, Type::String)?;
        let additions = self.locate(&config.fields)?;
        let mut builder = copy_struct(marked);
        for added in &additions {
            builder = builder.try_field(added.name.clone(), added.location.schema.clone())?;
        }
        Ok(Arc::new(Row {
            schema: builder.build(),
            additions,
        }))
    }
}

fn marked(row: &Field, config: &Config) -> Result<SchemaRef> {
    if !config.deletes.marks() {
        return Ok(row.schema.clone());
    }
    let mark = Schema::primitive(Type::String, true);
    Ok(copy_struct(&row.schema).try_field(DELETED, mark)?.build())
}

fn route_by(schema: &Schema, config: &Config) -> Result<Option<usize>> {
    config
        .route_by
        .as_ref()
        .map(|name| typed_field(schema, name, Type::String).map(|field| field.index))
        .transpose()
}

fn unknown(field: &str) -> ConnectError {
    ConnectError::other(format!("Unknown field: {field}"))
        .with_class("java.lang.IllegalArgumentException")
}
