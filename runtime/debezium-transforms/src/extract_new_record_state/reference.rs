//! Fields of an event that are added to rows or as headers
//! (`AbstractExtractNewRecordState.FieldReference`).

use tether_api::data::{Schema, SchemaRef, Text, Value};
use tether_api::{ConnectError, Result};

use crate::envelope::{AFTER, BEFORE, OPERATION, SOURCE, TRANSACTION};
use crate::schema::copy_basics;
use crate::structs::{look_up, null_pointer};

/// A field as a configuration names it.
pub(super) struct FieldReference {
    /// The struct that it is in; `None` for the event itself.
    structure: Option<Text>,
    field: Text,
    /// What it is called where it is added.
    pub(super) new_name: Text,
}

/// Where a field is in events of one schema.
pub(super) struct Location {
    /// The struct that it is in, or that has to be there for it.
    parent: Option<usize>,
    place: Place,
    /// The schema that the added field has.
    pub(super) schema: SchemaRef,
}

enum Place {
    /// The field of the struct.
    Within(usize),
    /// The field of the event, as another transformation may have added it.
    Beside(usize),
}

/// The parts of a text between separators, without empty ones at the end
/// (`Pattern.split`).
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    if parts.len() > 1 {
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    parts
}

/// The struct in which a field is looked for whose name stands alone.
fn structure_of(field: &str) -> Option<&'static str> {
    match field {
        "id" | "total_order" | "data_collection_order" => Some(TRANSACTION),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        // MongoDB's.
        "updateDescription" => Some("updateDescription"),
        _ => Some(SOURCE),
    }
}

impl FieldReference {
    /// Reads a list of references, separated by commas.
    ///
    /// # Errors
    /// Other, if one is malformed.
    pub(super) fn parse_all(prefix: &str, list: &str) -> Result<Vec<Self>> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let references = split(list, ',').into_iter();
        references
            .map(|reference| Self::parse(prefix, reference.trim()))
            .collect()
    }

    /// Reads `field`, `struct.field` or either with `:name` after it.
    fn parse(prefix: &str, reference: &str) -> Result<Self> {
        let malformed = || {
            ConnectError::other(format!("Unexpected field name: {reference}"))
                .with_class("java.lang.IllegalArgumentException")
        };
        let no_part = || {
            ConnectError::other("Index 0 out of bounds for length 0")
                .with_class("java.lang.ArrayIndexOutOfBoundsException")
        };
        let parts = split(reference, ':');
        let names = split(parts.first().ok_or_else(no_part)?, '.');
        let (structure, field) = match names[..] {
            [] => {
                return Err(ConnectError::other("Index 1 out of bounds for length 0")
                    .with_class("java.lang.ArrayIndexOutOfBoundsException"));
            }
            [field] => (structure_of(field), field),
            [structure, field, ..] => (Some(structure), field),
        };
        let new_name = match (&parts[..], structure) {
            ([_], Some(structure)) if names.len() > 1 => format!("{prefix}{structure}_{field}"),
            ([_], _) => format!("{prefix}{field}"),
            ([_, name], _) => format!("{prefix}{name}"),
            _ => return Err(malformed()),
        };
        Ok(Self {
            structure: structure.map(Text::from),
            field: field.into(),
            new_name: new_name.into(),
        })
    }

    /// Whether it is the letter of the kind of change, or a field of the same
    /// name.
    pub(super) fn is_operation(&self) -> bool {
        self.field == OPERATION
    }

    /// Whether it is a row of the event or in one.
    pub(super) fn is_in_row(&self) -> bool {
        let is_row = |name: &Text| name == BEFORE || name == AFTER;
        is_row(&self.field) || self.structure.as_ref().is_some_and(is_row)
    }

    /// Where the field is in events of a schema; `None` if it is not there.
    ///
    /// # Errors
    /// Data, if what should be a struct is none, or is missing.
    pub(super) fn locate(&self, event: &Schema) -> Result<Option<Location>> {
        let parent = match &self.structure {
            None => None,
            Some(name) => Some(event.field(name).ok_or_else(|| null_pointer(name))?),
        };
        let found = match parent {
            None => event.field(&self.field),
            Some(parent) => look_up(&parent.schema, &self.field)?,
        };
        let (field, place) = match (found, event.field(&self.field)) {
            (Some(field), _) => (field, Place::Within(field.index)),
            (None, Some(field)) => (field, Place::Beside(field.index)),
            (None, None) => return Ok(None),
        };
        let builder = copy_basics(&field.schema, Schema::builder(field.schema.kind()));
        Ok(Some(Location {
            parent: parent.map(|parent| parent.index),
            place,
            schema: builder.optional().build(),
        }))
    }
}

impl Location {
    /// The value in an event, whose fields have these values.
    pub(super) fn value(&self, event: &[Value]) -> Value {
        let structure = match self.parent {
            None => event,
            Some(parent) => match event.get(parent).and_then(Value::as_struct) {
                Some(structure) => structure.values(),
                // Events of a snapshot have no transaction, for example.
                None => return Value::Null,
            },
        };
        let found = match self.place {
            Place::Within(index) => structure.get(index),
            Place::Beside(index) => event.get(index),
        };
        found.cloned().unwrap_or_default()
    }
}
