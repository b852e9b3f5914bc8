//! Structs that stand for unions: of their fields only one is written.

use tether_api::data::{Schema, SchemaRef, Struct, Type, Value};
use tether_api::{ConnectError, Result};

use super::plan::{Dialect, FieldPlan, Plan, Shape};
use super::read::Reader;
use super::scan::{Cursor, Kind, SyntaxError};
use super::write::Writer;

impl Writer<'_> {
    /// Writes the first field that is not null.
    pub(super) fn union(
        &mut self,
        plan: &Plan,
        branches: &[FieldPlan],
        value: &Struct,
    ) -> Result<()> {
        match self.branch(branches, value) {
            Some((branch, value)) => self.typed(&branch.plan, value),
            None => self.null(plan),
        }
    }

    fn branch<'b>(
        &self,
        branches: &'b [FieldPlan],
        value: &'b Struct,
    ) -> Option<(&'b FieldPlan, &'b Value)> {
        let replace = self.options.replace_null_with_default;
        let defaulted = branches.iter().zip(value.values()).map(|(branch, value)| {
            match branch.plan.schema.default_value() {
                Some(default) if value.is_null() && replace => (branch, default),
                _ => (branch, value),
            }
        });
        defaulted.into_iter().find(|(_, value)| !value.is_null())
    }

    /// Whether a value is nothing at all: a field that is left out, or Kafka's
    /// null.
    #[inline]
    pub(crate) fn is_absent(&self, plan: &Plan, value: &Value) -> bool {
        if self.options.dialect == Dialect::Envelope || plan.schema.is_optional() {
            return false;
        }
        let null = match (&plan.shape, value) {
            (_, Value::Null) => true,
            (Shape::Union(branches), Value::Struct(value)) => {
                self.branch(branches, value).is_none()
            }
            _ => false,
        };
        null && !(self.options.replace_null_with_default && plan.schema.default_value().is_some())
    }
}

impl Reader<'_> {
    /// Reads a value as the first branch that it is one of, or else as the
    /// struct that has most of its members.
    pub(super) fn union(
        &mut self,
        schema: &SchemaRef,
        branches: &[FieldPlan],
        kind: Kind,
    ) -> Result<Value> {
        let integral = kind == Kind::Number && self.cursor.clone().number()?.integral;
        let mut best: Option<&FieldPlan> = None;
        let mut most = 0;
        let mut at = None;
        for (index, branch) in branches.iter().enumerate() {
            if is_simple(&branch.plan.schema, kind, integral) {
                (best, at) = (Some(branch), Some(index));
                break;
            }
            let matching = matching_members(&branch.plan.schema, &mut self.cursor.clone())?;
            if matching > most {
                most = matching;
                (best, at) = (Some(branch), Some(index));
            }
        }
        let (Some(branch), Some(index)) = (best, at) else {
            self.skip(kind)?;
            return Err(ConnectError::data(
                "Did not find matching oneof field for data",
            ));
        };
        let mut values = vec![Value::Null; branches.len()];
        self.field(branch, &mut values[index])?;
        Ok(Struct::from_values(schema.clone(), values)?.into())
    }
}

/// Whether what is in JSON of this kind is a value of a schema that is no
/// struct.
fn is_simple(schema: &Schema, kind: Kind, integral: bool) -> bool {
    match schema.kind() {
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => integral,
        Type::Float32 | Type::Float64 => kind == Kind::Number,
        Type::Boolean => matches!(kind, Kind::Boolean(_)),
        Type::String => kind == Kind::String,
        // A decimal; bytes cannot be told from text.
        Type::Bytes => kind == Kind::Number && !integral,
        Type::Array => kind == Kind::Array,
        Type::Map => matches!(kind, Kind::Object | Kind::Array),
        Type::Struct => false,
    }
}

/// How many members of an object, and of the objects in them, a struct has
/// fields for. Consumes the value.
fn matching_members(schema: &Schema, cursor: &mut Cursor<'_>) -> Result<usize, SyntaxError> {
    if let Some(target) = schema.target() {
        return matching_members(&target, cursor);
    }
    if schema.kind() != Type::Struct || cursor.kind()? != Kind::Object {
        cursor.skip()?;
        return Ok(0);
    }
    cursor.open()?;
    let mut matching = 0;
    let mut first = true;
    while let Some(name) = cursor.next_member(first)? {
        first = false;
        match schema.field(&name) {
            Some(field) => matching += 1 + matching_members(&field.schema, cursor)?,
            None => drop(cursor.skip()?),
        }
    }
    Ok(matching)
}
