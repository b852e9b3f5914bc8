//! Schemas with more fields, and how values become values of them.

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::Entry;
use super::path::{FieldPath, ROOT, new_structs};
use crate::schema::copy_basics;
use crate::structs::{look_up, require_struct_ref};

/// The schema of values with the fields (`ConnectRecordUtil.makeNewSchema`).
///
/// # Errors
/// Other or Data, if a field cannot be added.
pub(super) fn new_schema(
    old: &SchemaRef,
    fields: &[FieldPath],
    entries: &[Entry],
) -> Result<SchemaRef> {
    let nested = nested(fields, entries.iter().map(|entry| entry.place));
    for path in &nested {
        check_way(old, path)?;
    }
    let entries = entries.iter().map(|entry| {
        let schema = entry.header.schema.as_ref();
        (&fields[entry.place], schema)
    });
    let entries: Vec<_> = entries.collect();
    Extension { entries, nested }.schema(ROOT, old, 0)
}

fn nested(fields: &[FieldPath], places: impl Iterator<Item = usize>) -> Vec<&FieldPath> {
    let paths = places.map(|place| &fields[place]);
    paths.filter(|path| path.is_nested()).collect()
}

/// Refuses a way through what is no struct.
fn check_way(schema: &SchemaRef, path: &FieldPath) -> Result<()> {
    let mut schema = schema;
    let parts = path.parts();
    for part in &parts[..parts.len().saturating_sub(1)] {
        let Some(field) = look_up(schema, part)? else {
            break;
        };
        if field.schema.kind().is_primitive() {
            let message = format!(
                "Field '{part}' is a primitive type, not a struct. Cannot add nested field '{}'.",
                path.text()
            );
            return Err(ConnectError::other(message).with_class("io.debezium.DebeziumException"));
        }
        schema = &field.schema;
    }
    Ok(())
}

/// Fields that a schema gets.
struct Extension<'a> {
    entries: Vec<(&'a FieldPath, Option<&'a SchemaRef>)>,
    /// Those of the fields that are in structs.
    nested: Vec<&'a FieldPath>,
}

impl Extension<'_> {
    fn schema(&self, name: &str, old: &SchemaRef, depth: usize) -> Result<SchemaRef> {
        if old.kind().is_primitive() {
            return Ok(old.clone());
        }
        let fields = struct_fields(old)?;
        let mut builder = copy_basics(old, SchemaBuilder::structure());
        for field in fields {
            let schema = if self.leads_through(&field.name) {
                self.schema(&field.name, &field.schema, depth + 1)?
            } else {
                field.schema.clone()
            };
            builder = builder.try_field(field.name.clone(), schema)?;
        }
        for (path, schema) in &self.entries {
            if let Some(field) = path.field_of(name, depth)
                && !builder.fields().iter().any(|known| &*known.name == field)
            {
                builder = try_field(builder, field, *schema)?;
            }
        }
        let has = |name: &str| old.field(name).is_some();
        for new in new_structs(&self.nested, name, depth, has) {
            let mut structure = SchemaBuilder::structure().optional();
            for (path, schema) in &self.entries {
                if let Some(field) = path.field_of_new(new, name, depth) {
                    structure = try_field(structure, field, *schema)?;
                }
            }
            builder = builder.try_field(new, structure.build())?;
        }
        Ok(builder.build())
    }

    fn leads_through(&self, field: &str) -> bool {
        self.nested.iter().any(|path| path.leads_through(field))
    }
}

fn struct_fields(schema: &Schema) -> Result<&[tether_api::data::Field]> {
    if schema.kind() == Type::Struct {
        return Ok(schema.fields());
    }
    Err(ConnectError::data("Cannot list fields on non-struct type"))
}

/// Adds a field; a header without schema has none for it.
fn try_field(
    builder: SchemaBuilder,
    name: &str,
    schema: Option<&SchemaRef>,
) -> Result<SchemaBuilder> {
    let Some(schema) = schema else {
        let message = format!("fieldSchema for field {name} cannot be null.");
        return Err(ConnectError::data(message)
            .with_class("org.apache.kafka.connect.errors.SchemaBuilderException"));
    };
    builder.try_field(name, schema.clone())
}

/// How values become values of a schema with more fields
/// (`ConnectRecordUtil.makeUpdatedValue`).
pub(super) struct Layout {
    schema: SchemaRef,
    steps: Vec<Step>,
}

/// A step, in the order in which the reference takes them.
enum Step {
    /// A value moves from one place to another, and has to fit there if schemas
    /// differ.
    Copy { from: usize, to: usize, check: bool },
    /// A struct gets more fields.
    Extend {
        from: usize,
        to: usize,
        layout: Layout,
    },
    /// A header becomes a field.
    Insert { entry: usize, to: usize },
    /// Headers become a struct: those at the first places become its fields at
    /// the second ones.
    Gather {
        to: usize,
        schema: SchemaRef,
        fields: Vec<(usize, usize)>,
    },
    /// Nothing more is possible: data with this error.
    Fail(String),
}

impl Layout {
    /// The layout of values that get the headers with these places in the
    /// configuration.
    pub(super) fn new(
        old: &SchemaRef,
        new: &SchemaRef,
        fields: &[FieldPath],
        places: &[usize],
    ) -> Self {
        let paths: Vec<&FieldPath> = places.iter().map(|place| &fields[*place]).collect();
        let nested = nested(fields, places.iter().copied());
        plan(ROOT, old, new, &paths, &nested, 0)
    }

    /// The value of the new schema.
    ///
    /// # Errors
    /// Data, if a header does not fit its field.
    pub(super) fn apply(&self, old: &Struct, entries: &[Entry]) -> Result<Struct> {
        let mut new = Struct::new(self.schema.clone())?;
        let put = |new: &mut Struct, to: usize, value: Value| {
            let schema = new.schema().clone();
            if let Some(field) = schema.fields().get(to) {
                validate(Some(&field.name), &field.schema, &value)?;
                new.values_mut()[to] = value;
            }
            Ok::<(), ConnectError>(())
        };
        let header = |entry: usize| {
            let entry: Option<&Entry> = entries.get(entry);
            entry.map_or(Value::Null, |entry| entry.header.value.clone())
        };
        for step in &self.steps {
            match step {
                Step::Copy { from, to, check } => {
                    let value = old.get_at(*from).cloned().unwrap_or_default();
                    if value.is_null() {
                        continue;
                    }
                    if *check {
                        put(&mut new, *to, value)?;
                    } else {
                        new.values_mut()[*to] = value;
                    }
                }
                Step::Extend { from, to, layout } => {
                    let Some(value) = old.get_at(*from).filter(|value| !value.is_null()) else {
                        continue;
                    };
                    let value = require_struct_ref(value, "Nested field")?;
                    let value = layout.apply(value, entries)?;
                    value.validate()?;
                    put(&mut new, *to, value.into())?;
                }
                Step::Insert { entry, to } => put(&mut new, *to, header(*entry))?,
                Step::Gather { to, schema, fields } => {
                    let mut gathered = Struct::new(schema.clone())?;
                    for (entry, to) in fields {
                        put(&mut gathered, *to, header(*entry))?;
                    }
                    gathered.validate()?;
                    put(&mut new, *to, gathered.into())?;
                }
                Step::Fail(message) => return Err(ConnectError::data(message.clone())),
            }
        }
        Ok(new)
    }
}

fn plan(
    name: &str,
    old: &SchemaRef,
    new: &SchemaRef,
    paths: &[&FieldPath],
    nested: &[&FieldPath],
    depth: usize,
) -> Layout {
    let mut steps = Vec::new();
    let unknown = |name: &str| Step::Fail(format!("{name} is not a valid field name"));
    for field in old.fields() {
        let from = field.index;
        // The new schema was made of an equal one, and has all its fields.
        let Some(target) = new.field(&field.name) else {
            steps.push(unknown(&field.name));
            continue;
        };
        let to = target.index;
        if nested.iter().any(|path| path.leads_through(&field.name)) {
            let layout = plan(
                &field.name,
                &field.schema,
                &target.schema,
                paths,
                nested,
                depth + 1,
            );
            steps.push(Step::Extend { from, to, layout });
        } else {
            let check = target.schema != field.schema;
            steps.push(Step::Copy { from, to, check });
        }
    }
    for (entry, path) in paths.iter().enumerate() {
        if let Some(field) = path.field_of(name, depth) {
            steps.push(match new.field(field) {
                Some(field) => Step::Insert {
                    entry,
                    to: field.index,
                },
                None => unknown(field),
            });
        }
    }
    for added in new_structs(nested, name, depth, |name| old.field(name).is_some()) {
        if let Some(target) = new.field(added) {
            steps.push(gather(added, target, name, paths, depth));
        }
    }
    Layout {
        schema: new.clone(),
        steps,
    }
}

fn gather(
    added: &str,
    target: &tether_api::data::Field,
    name: &str,
    paths: &[&FieldPath],
    depth: usize,
) -> Step {
    let mut fields = Vec::new();
    // What is no struct is refused as such.
    let is_struct = target.schema.kind() == Type::Struct;
    for (entry, path) in paths.iter().enumerate() {
        if let Some(field) = path.field_of_new(added, name, depth)
            && is_struct
        {
            match target.schema.field(field) {
                Some(field) => fields.push((entry, field.index)),
                None => return Step::Fail(format!("{field} is not a valid field name")),
            }
        }
    }
    Step::Gather {
        to: target.index,
        schema: target.schema.clone(),
        fields,
    }
}
