//! Puts the row of a change event in the place of the event
//! (`io.debezium.transforms.ExtractNewRecordState`).

mod config;
mod drop_fields;
mod plan;
mod reference;

use std::sync::Arc;

use tether_api::Result;
use tether_api::config::ConfigDef;
use tether_api::data::{Field, Schema, SchemaAndValue, SchemaCache, Struct, Text, Type, Value};
use tether_api::record::ConnectRecord;
use tether_api::transform::Transformation;

use self::config::{Config, Deletes};
use self::drop_fields::FieldDropper;
use self::plan::{Plan, Row};
use self::reference::FieldReference;
use crate::envelope::{BEFORE, DELETE, is_envelope};
use crate::plugin::EventTransformation;
use crate::schema::CACHE_SIZE;
use crate::settings::Settings;
use crate::structs::{check_nulls, checked, replace_nulls, require_struct, typed_field};
use crate::topics::{NamedTopics, is_blank};

const EXTRACTION: &str = "field extraction";
const INSERTION: &str = "source field insertion";
const ROUTING: &str = "Read record to set topic routing for CREATE / UPDATE";

pub(crate) struct ExtractNewRecordState {
    config: Config,
    dropper: Option<FieldDropper>,
    /// Whether the event is needed whole once its row is taken out.
    keeps_rows: bool,
    plans: SchemaCache<Arc<Plan>>,
    topics: NamedTopics,
}

impl EventTransformation for ExtractNewRecordState {
    fn config_def() -> Arc<ConfigDef> {
        config::definition()
    }

    fn new(settings: &Settings<'_>) -> Result<Self> {
        let mut config = Config::read(settings)?;
        Ok(Self {
            keeps_rows: config.fields.iter().any(FieldReference::is_in_row),
            dropper: config.dropped.take().map(FieldDropper::new),
            config,
            plans: SchemaCache::new(CACHE_SIZE),
            topics: NamedTopics::default(),
        })
    }
}

impl Transformation for ExtractNewRecordState {
    fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
        if record.value.is_null() {
            return Ok(self.tombstone(record));
        }
        if !is_envelope(&record) {
            return Ok(Some(record));
        }
        let event = require_struct(std::mem::take(&mut record.value), EXTRACTION)?;
        let schema = event.schema().clone();
        let plan = self.plans.get_or_make(&schema, Plan::new)?;
        let mut event = event.into_values();
        for header in plan.headers(&self.config.headers)? {
            let value = header.location.value(&event);
            let schema = header.location.schema.clone();
            record
                .headers
                .add(header.name.clone(), SchemaAndValue::new(schema, value));
        }
        if let Some(row) = self.take(&mut event, plan.after()?) {
            return self.change(record, &plan, &event, row);
        }
        let before = plan.before()?;
        match self.take(&mut event, before) {
            Some(row) => self.deletion(record, &plan, &event, row),
            // Of a truncation there is no row.
            None => Ok(None),
        }
    }
}

impl ExtractNewRecordState {
    /// Takes a row out of an event; `None` for null.
    fn take(&self, event: &mut [Value], field: &Field) -> Option<Value> {
        let found = event.get_mut(field.index)?;
        if found.is_null() {
            return field.schema.default_value().cloned();
        }
        Some(if self.keeps_rows {
            found.clone()
        } else {
            std::mem::take(found)
        })
    }

    fn tombstone(&self, mut record: ConnectRecord) -> Option<ConnectRecord> {
        for header in &self.config.headers {
            if header.is_operation() {
                let schema = Schema::primitive(Type::String, false);
                let value = SchemaAndValue::new(schema, DELETE.into());
                record.headers.add(header.new_name.clone(), value);
            }
        }
        (self.config.deletes == Deletes::RewriteWithTombstone).then_some(record)
    }

    /// An insertion, an update or a row of a snapshot.
    fn change(
        &mut self,
        record: ConnectRecord,
        plan: &Plan,
        event: &[Value],
        row: Value,
    ) -> Result<Option<ConnectRecord>> {
        let purpose = match self.config.route_by {
            Some(_) => ROUTING,
            None => INSERTION,
        };
        let values = self.mark(require_struct(row, purpose)?, "false");
        let record = self.route(record, plan.route_after(&self.config)?, &values);
        let record = fill(record, &*plan.row_after(&self.config)?, event, values)?;
        self.drop_fields(record).map(Some)
    }

    fn deletion(
        &mut self,
        mut record: ConnectRecord,
        plan: &Plan,
        event: &[Value],
        row: Value,
    ) -> Result<Option<ConnectRecord>> {
        if self.config.deletes != Deletes::Drop && self.config.route_by.is_some() {
            typed_field(&plan.event, BEFORE, Type::Struct)?;
        }
        match self.config.deletes {
            Deletes::Drop => return Ok(None),
            Deletes::Tombstone => record.value_schema = Some(plan.after()?.schema.clone()),
            Deletes::DeleteToTombstone => record.value_schema = None,
            Deletes::Rewrite | Deletes::RewriteWithTombstone => {
                return self.rewritten(record, plan, event, row).map(Some);
            }
        }
        if self.config.route_by.is_some() {
            let row = require_struct(row, INSERTION)?;
            record = self.route(record, plan.route_before(&self.config)?, row.values());
        }
        self.drop_fields(record).map(Some)
    }

    /// A deletion that becomes its last row.
    fn rewritten(
        &mut self,
        record: ConnectRecord,
        plan: &Plan,
        event: &[Value],
        row: Value,
    ) -> Result<ConnectRecord> {
        let row = require_struct(row, INSERTION)?;
        let marked = plan.marked_before(&self.config)?;
        let mut record = self.route(record, plan.route_before(&self.config)?, row.values());
        let values = self.mark(row, "true");
        if self.dropper.is_none() {
            return fill(record, &*plan.row_before(&self.config)?, event, values);
        }
        record.value_schema = Some(marked.clone());
        record.value = Struct::from_values(marked, values)?.into();
        let mut record = self.drop_fields(record)?;
        let row = require_struct(std::mem::take(&mut record.value), INSERTION)?;
        let layout = plan.row_of_rest(row.schema(), &self.config)?;
        fill(record, &layout, event, row.into_values())
    }

    /// The values of a row, marked if the mode says so.
    fn mark(&self, row: Struct, deleted: &'static str) -> Vec<Value> {
        let original = row.schema().clone();
        let mut values = row.into_values();
        if self.config.deletes.marks() {
            if self.config.replace_nulls {
                replace_nulls(&original, &mut values);
            }
            values.reserve_exact(1 + self.config.fields.len());
            values.push(Text::from_static(deleted).into());
        }
        values
    }

    /// The record with the topic that a field of its row names.
    fn route(
        &mut self,
        mut record: ConnectRecord,
        field: Option<usize>,
        row: &[Value],
    ) -> ConnectRecord {
        if let Some(Value::String(topic)) = field.and_then(|index| row.get(index))
            && !is_blank(topic)
        {
            record.topic = self.topics.topic(topic);
        }
        record
    }

    fn drop_fields(&mut self, record: ConnectRecord) -> Result<ConnectRecord> {
        match &mut self.dropper {
            Some(dropper) => dropper.apply(record),
            None => Ok(record),
        }
    }
}

/// The record with a row and what is added to it.
fn fill(
    mut record: ConnectRecord,
    layout: &Row,
    event: &[Value],
    mut values: Vec<Value>,
) -> Result<ConnectRecord> {
    check_nulls(&layout.schema, &values)?;
    values.reserve_exact(layout.additions.len());
    for added in &layout.additions {
        let value = added.location.value(event);
        let value = if added.location.schema.kind().is_primitive() {
            value
        } else {
            checked(&added.name, &added.location.schema, value)?
        };
        values.push(value);
    }
    record.value = Struct::from_values(layout.schema.clone(), values)?.into();
    record.value_schema = Some(layout.schema.clone());
    Ok(record)
}
