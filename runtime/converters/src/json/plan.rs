//! What is worked out once per schema: how each part of a value is written and
//! read, with everything but the data itself prepared.

use tether_api::data::logical::Logical;
use tether_api::data::{SchemaRef, Text, Type};
use tether_api::{ConnectError, Result};

use super::text::write_string;

/// How values of one schema look in JSON.
pub(super) struct Plan {
    pub(super) schema: SchemaRef,
    pub(super) shape: Shape,
}

/// The shape of values: a type, or a logical type in its place.
pub(super) enum Shape {
    Plain(Type),
    Logical(Logical),
    /// Elements; without a plan they are schemaless.
    Array(Option<Box<Plan>>),
    /// An object, as the keys are strings.
    Object {
        keys: Box<Plan>,
        values: Option<Box<Plan>>,
    },
    /// An array of pairs, as the keys are not strings.
    Pairs {
        keys: Option<Box<Plan>>,
        values: Option<Box<Plan>>,
    },
    Struct(Box<[FieldPlan]>),
}

/// A field of a struct.
pub(super) struct FieldPlan {
    pub(super) name: Text,
    /// What stands before the value: comma, quoted name, colon.
    pub(super) prefix: Box<[u8]>,
    pub(super) plan: Plan,
}

impl Plan {
    /// Works out the plan of a schema that is to be written.
    ///
    /// # Errors
    /// Data, if it is a struct that contains itself: its schema has no end in
    /// JSON.
    pub(super) fn to_write(schema: &SchemaRef) -> Result<Self> {
        match recursive(schema) {
            None => Ok(Self::of(schema)),
            Some(name) => Err(ConnectError::data(format!(
                "the struct {name} contains itself and so cannot be written as JSON; use Avro"
            ))),
        }
    }

    /// Works out the plan of a schema.
    pub(super) fn of(schema: &SchemaRef) -> Self {
        Self {
            shape: Shape::of(schema),
            schema: schema.clone(),
        }
    }

    fn of_part(schema: Option<&SchemaRef>) -> Option<Box<Self>> {
        schema.map(|schema| Box::new(Self::of(schema)))
    }
}

/// The name of a struct that contains itself.
fn recursive(schema: &SchemaRef) -> Option<&str> {
    if schema.is_reference() {
        return Some(schema.name().unwrap_or("without name"));
    }
    let parts = [schema.key_schema(), schema.value_schema()];
    let fields = schema.fields().iter().map(|field| &field.schema);
    parts
        .into_iter()
        .flatten()
        .chain(fields)
        .find_map(recursive)
}

impl Shape {
    fn of(schema: &SchemaRef) -> Self {
        if let Some(logical) = Logical::of(schema) {
            return Self::Logical(logical);
        }
        match schema.kind() {
            Type::Array => Self::Array(Plan::of_part(schema.value_schema())),
            Type::Map => {
                let values = Plan::of_part(schema.value_schema());
                match schema.key_schema() {
                    Some(keys) if keys.kind() == Type::String => Self::Object {
                        keys: Box::new(Plan::of(keys)),
                        values,
                    },
                    keys => Self::Pairs {
                        keys: Plan::of_part(keys),
                        values,
                    },
                }
            }
            Type::Struct => Self::Struct(
                schema
                    .fields()
                    .iter()
                    .map(|field| {
                        let mut prefix = Vec::with_capacity(field.name.len() + 4);
                        if field.index > 0 {
                            prefix.push(b',');
                        }
                        write_string(&field.name, &mut prefix);
                        prefix.push(b':');
                        FieldPlan {
                            name: field.name.clone(),
                            prefix: prefix.into_boxed_slice(),
                            plan: Plan::of(&field.schema),
                        }
                    })
                    .collect(),
            ),
            kind => Self::Plain(kind),
        }
    }
}
