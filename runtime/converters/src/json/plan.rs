//! What is worked out once per schema: how each part of a value is written and
//! read, with everything but the data itself prepared.

use std::sync::{Arc, Weak};

use tether_api::data::logical::{Logical, decimal_scale};
use tether_api::data::{SchemaRef, Text, Type};
use tether_api::{ConnectError, Result};

use super::text::write_string;
use crate::json_schema::names;

/// Which converter's JSON it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `JsonConverter`: maps whose keys are not strings are arrays of pairs.
    Envelope,
    /// `JsonSchemaConverter`: they are arrays of objects; there are unions, and
    /// structs that contain themselves.
    Registry,
}

/// How values of one schema look in JSON.
pub(crate) struct Plan {
    pub(crate) schema: SchemaRef,
    pub(super) shape: Shape,
}

/// The shape of values: a type, or a logical type in its place.
pub(super) enum Shape {
    Plain(Type),
    Logical {
        logical: Logical,
        /// That of a decimal's schema, if it has one.
        scale: Option<i32>,
    },
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
    /// An array of objects with the members `key` and `value`.
    Entries(Box<EntryPlan>),
    Struct(Box<[FieldPlan]>),
    /// The only field of a struct that is not null.
    Union(Box<[FieldPlan]>),
    /// A struct that contains itself.
    Shared(Arc<Plan>),
    /// Such a struct within itself.
    Again(Weak<Plan>),
}

/// A field of a struct.
pub(super) struct FieldPlan {
    pub(super) name: Text,
    /// What stands before the value: comma, quoted name, colon.
    pub(super) prefix: Box<[u8]>,
    pub(super) plan: Plan,
}

/// The parts of a map.
pub(super) struct EntryPlan {
    pub(super) keys: Plan,
    pub(super) values: Plan,
}

impl Plan {
    /// Works out the plan of a schema that is to be written.
    ///
    /// # Errors
    /// Data, if it is a struct that contains itself and its schema would have
    /// no end in JSON.
    pub(crate) fn to_write(schema: &SchemaRef, dialect: Dialect) -> Result<Self> {
        match recursive(schema) {
            Some(name) if dialect == Dialect::Envelope => Err(ConnectError::data(format!(
                "the struct {name} contains itself and so cannot be written as JSON; use Avro"
            ))),
            _ => Ok(Self::of(schema, dialect)),
        }
    }

    /// Works out the plan of a schema.
    pub(crate) fn of(schema: &SchemaRef, dialect: Dialect) -> Self {
        let mut planner = Planner {
            dialect,
            around: Vec::new(),
        };
        planner.plan(schema)
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

/// The plan of a struct around.
///
/// # Errors
/// Never as long as the plan around is there, of which it is a part.
pub(super) fn alive(plan: &Weak<Plan>) -> Result<Arc<Plan>> {
    plan.upgrade()
        .ok_or_else(|| ConnectError::other("the plan of a struct around is gone"))
}

/// Works out plans.
struct Planner {
    dialect: Dialect,
    /// The structs around that contain themselves.
    around: Vec<(SchemaRef, Weak<Plan>)>,
}

impl Planner {
    fn plan(&mut self, schema: &SchemaRef) -> Plan {
        Plan {
            shape: self.shape(schema),
            schema: schema.clone(),
        }
    }

    fn part(&mut self, schema: Option<&SchemaRef>) -> Option<Box<Plan>> {
        schema.map(|schema| Box::new(self.plan(schema)))
    }

    fn shape(&mut self, schema: &SchemaRef) -> Shape {
        if let Some(logical) = Logical::of(schema) {
            let scale = decimal_scale(schema);
            return Shape::Logical { logical, scale };
        }
        match schema.kind() {
            Type::Array => Shape::Array(self.part(schema.value_schema())),
            Type::Map => self.map(schema),
            Type::Struct => self.structure(schema),
            kind => Shape::Plain(kind),
        }
    }

    fn map(&mut self, schema: &SchemaRef) -> Shape {
        let values = self.part(schema.value_schema());
        let keys = schema.key_schema();
        match (self.dialect, keys, values) {
            (Dialect::Envelope, Some(keys), values) if keys.kind() == Type::String => {
                Shape::Object {
                    keys: Box::new(self.plan(keys)),
                    values,
                }
            }
            (Dialect::Registry, Some(keys), Some(values)) => {
                if keys.kind() == Type::String && !keys.is_optional() {
                    return Shape::Object {
                        keys: Box::new(self.plan(keys)),
                        values: Some(values),
                    };
                }
                Shape::Entries(Box::new(EntryPlan {
                    keys: self.plan(keys),
                    values: *values,
                }))
            }
            (_, keys, values) => Shape::Pairs {
                keys: self.part(keys),
                values,
            },
        }
    }

    fn structure(&mut self, schema: &SchemaRef) -> Shape {
        if let Some(target) = schema.target() {
            let mut around = self.around.iter();
            return match around.find(|(candidate, _)| *candidate == target) {
                Some((_, plan)) => Shape::Again(plan.clone()),
                None => self.structure(&target),
            };
        }
        if recursive(schema).is_none() {
            return self.fields(schema);
        }
        Shape::Shared(Arc::new_cyclic(|plan| {
            self.around.push((schema.clone(), plan.clone()));
            let shape = self.fields(schema);
            self.around.pop();
            Plan {
                shape,
                schema: schema.clone(),
            }
        }))
    }

    fn fields(&mut self, schema: &SchemaRef) -> Shape {
        let fields = schema
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
                    plan: self.plan(&field.schema),
                }
            })
            .collect();
        if self.dialect == Dialect::Registry && names::is_union(schema) {
            Shape::Union(fields)
        } else {
            Shape::Struct(fields)
        }
    }
}
