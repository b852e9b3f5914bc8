//! Values to JSON, straight into the record's buffer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::logical::Logical;
use tether_api::data::{Decimal, MapValue, Struct, Type, Value, java_f32, java_f64};
use tether_api::{ConnectError, Result};

use super::config::{DecimalFormat, Options};
use super::parts::{Known, Part, Parts};
use super::plan::{Dialect, EntryPlan, FieldPlan, Plan, Shape, alive};
use super::text::write_string;
use crate::logical;

/// Writes values with these settings.
pub(crate) struct Writer<'a> {
    pub(super) options: Options,
    pub(super) out: &'a mut Vec<u8>,
    parts: Option<&'a mut Parts>,
}

impl<'a> Writer<'a> {
    /// Appends what is written with these settings.
    pub(crate) fn new(options: Options, out: &'a mut Vec<u8>) -> Self {
        Self {
            options,
            out,
            parts: None,
        }
    }

    /// Remembers structs within values of one schema, which are all written with
    /// the same settings.
    pub(super) fn remembering(self, parts: Option<&'a mut Parts>) -> Self {
        Self { parts, ..self }
    }

    /// Writes a value; without a plan it is schemaless.
    pub(crate) fn value(&mut self, plan: Option<&Plan>, value: &Value) -> Result<()> {
        match plan {
            Some(plan) => self.typed(plan, value),
            None => self.schemaless(value),
        }
    }

    pub(super) fn typed(&mut self, plan: &Plan, value: &Value) -> Result<()> {
        if value.is_null() {
            return self.null(plan);
        }
        match (&plan.shape, value) {
            (Shape::Plain(Type::Int8), Value::Int8(value)) => self.integer(*value),
            (Shape::Plain(Type::Int16), Value::Int16(value)) => self.integer(*value),
            (Shape::Plain(Type::Int32), Value::Int32(value)) => self.integer(*value),
            (Shape::Plain(Type::Int64), Value::Int64(value)) => self.integer(*value),
            (Shape::Plain(Type::Float32), Value::Float32(value)) => self.float32(*value),
            (Shape::Plain(Type::Float64), Value::Float64(value)) => self.float64(*value),
            (Shape::Plain(Type::Boolean), Value::Boolean(value)) => self.boolean(*value),
            (Shape::Plain(Type::String), Value::String(value)) => write_string(value, self.out),
            (Shape::Plain(Type::Bytes), Value::Bytes(value)) => self.base64(value),
            (Shape::Struct(fields), Value::Struct(value)) => {
                if *value.schema() != plan.schema {
                    return Err(ConnectError::data("Mismatching schema."));
                }
                return self.structure(fields, value);
            }
            (Shape::Array(elements), Value::Array(values)) => {
                return self.array(elements.as_deref(), values);
            }
            (Shape::Object { keys, values }, Value::Map(map)) => {
                return self.object(Some(keys), values.as_deref(), map);
            }
            (Shape::Pairs { keys, values }, Value::Map(map)) => {
                return self.pairs(keys.as_deref(), values.as_deref(), map);
            }
            (Shape::Entries(parts), Value::Map(map)) => return self.entries(parts, map),
            (Shape::Union(branches), Value::Struct(value)) => {
                if *value.schema() != plan.schema {
                    return Err(ConnectError::data("Mismatching schema."));
                }
                return self.union(plan, branches, value);
            }
            (Shape::Shared(plan), value) => return self.typed(plan, value),
            (Shape::Again(target), value) => {
                return self.typed(&*alive(target)?, value);
            }
            (Shape::Plain(Type::Bytes), Value::Decimal(value))
                if self.options.dialect == Dialect::Registry =>
            {
                self.out.extend_from_slice(value.to_string().as_bytes());
            }
            (Shape::Logical { logical, .. }, value) => return self.logical(*logical, plan, value),
            (_, value) => {
                let kind = match plan.schema.kind() {
                    Type::Bytes => "bytes type",
                    kind => kind.name(),
                };
                return Err(ConnectError::data(format!(
                    "Invalid type for {kind}: class {}",
                    value.java_class()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn null(&mut self, plan: &Plan) -> Result<()> {
        match plan.schema.default_value() {
            Some(default) if self.options.replace_null_with_default => self.typed(plan, default),
            // Within an array or map; a field that is null is left out.
            _ if plan.schema.is_optional() || self.options.dialect == Dialect::Registry => {
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            _ => Err(ConnectError::data(
                "Conversion error: null value for field that is required and has no default value",
            )),
        }
    }

    fn schemaless(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Int8(value) => self.integer(*value),
            Value::Int16(value) => self.integer(*value),
            Value::Int32(value) => self.integer(*value),
            Value::Int64(value) => self.integer(*value),
            Value::Float32(value) => self.float32(*value),
            Value::Float64(value) => self.float64(*value),
            Value::Boolean(value) => self.boolean(*value),
            Value::String(value) => write_string(value, self.out),
            Value::Bytes(value) => self.base64(value),
            Value::Array(values) => return self.array(None, values),
            Value::Map(map) => {
                let object = map.iter().all(|(key, _)| matches!(key, Value::String(_)));
                return if object {
                    self.object(None, None, map)
                } else {
                    self.pairs(None, None, map)
                };
            }
            Value::Struct(_) => return Err(ConnectError::data("Mismatching schema.")),
            Value::Decimal(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
                return Err(ConnectError::data(format!(
                    "Java class class {} does not have corresponding schema type.",
                    value.java_class()
                )));
            }
        }
        Ok(())
    }

    fn structure(&mut self, fields: &[FieldPlan], value: &Struct) -> Result<()> {
        self.out.push(b'{');
        let start = self.out.len();
        // Only what is directly within the value is remembered.
        let mut parts = self.parts.take();
        for (index, (field, value)) in fields.iter().zip(value.values()).enumerate() {
            match (value, &mut parts) {
                (Value::Struct(part), Some(parts)) => {
                    self.name(start, &field.prefix);
                    match parts.of(index) {
                        Some(known) => self.part(&field.plan, value, part, known)?,
                        None => self.typed(&field.plan, value)?,
                    }
                }
                (value, _) => self.field(start, field, value)?,
            }
        }
        self.parts = parts;
        self.out.push(b'}');
        Ok(())
    }

    /// Writes a field of a struct whose first one begins at `start`.
    fn field(&mut self, start: usize, field: &FieldPlan, value: &Value) -> Result<()> {
        if self.is_absent(&field.plan, value) {
            return Ok(());
        }
        self.name(start, &field.prefix);
        self.typed(&field.plan, value)
    }

    /// Writes what begins with the name of a field, with a comma before all but
    /// the first one.
    fn name(&mut self, start: usize, text: &[u8]) {
        match (text, self.out.len() == start) {
            ([b',', text @ ..], true) => self.out.extend_from_slice(text),
            ([b',', ..], false) | (_, true) | ([], _) => self.out.extend_from_slice(text),
            (_, false) => {
                self.out.push(b',');
                self.out.extend_from_slice(text);
            }
        }
    }

    /// Writes a struct that may have much in common with the one before.
    fn part(
        &mut self,
        plan: &Plan,
        value: &Value,
        part: &Arc<Struct>,
        known: &mut Part,
    ) -> Result<()> {
        let Shape::Struct(fields) = &plan.shape else {
            return self.typed(plan, value);
        };
        if *part.schema() != plan.schema {
            return self.typed(plan, value);
        }
        match known.known(part) {
            Known::Nothing => self.structure(fields, part)?,
            Known::Whole => self.out.extend_from_slice(known.bytes()),
            Known::Fields(common) => {
                self.out.push(b'{');
                let start = self.out.len();
                let mut at = 0;
                while let (Some(field), Some(value)) = (fields.get(at), part.values().get(at)) {
                    let run = common.run(at);
                    if run > 0 {
                        self.name(start, known.fields(at, run));
                        at += run;
                    } else {
                        self.field(start, field, value)?;
                        at += 1;
                    }
                }
                self.out.push(b'}');
            }
            Known::New => {
                let mut ends = known.begin();
                let begin = self.out.len();
                self.out.push(b'{');
                let start = self.out.len();
                for (field, value) in fields.iter().zip(part.values()) {
                    self.field(start, field, value)?;
                    ends.push(self.out.len() - begin);
                }
                self.out.push(b'}');
                let bytes = self.out.get(begin..).unwrap_or_default();
                known.keep(part, bytes, ends);
            }
        }
        Ok(())
    }

    fn array(&mut self, elements: Option<&Plan>, values: &[Value]) -> Result<()> {
        self.out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.value(elements, value)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, keys: Option<&Plan>, values: Option<&Plan>, map: &MapValue) -> Result<()> {
        self.out.push(b'{');
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            match key {
                Value::String(key) => write_string(key, self.out),
                key => self.null_name(keys, key)?,
            }
            self.out.push(b':');
            self.value(values, value)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes a key that is null, or refuses one that is not a string.
    fn null_name(&mut self, keys: Option<&Plan>, key: &Value) -> Result<()> {
        let start = self.out.len();
        self.value(keys, key)?;
        if self.out[start..] == *b"null" {
            self.out.truncate(start);
            write_string("null", self.out);
        }
        Ok(())
    }

    fn pairs(&mut self, keys: Option<&Plan>, values: Option<&Plan>, map: &MapValue) -> Result<()> {
        self.out.push(b'[');
        for (index, (key, value)) in map.iter().enumerate() {
            self.out
                .extend_from_slice(if index > 0 { b",[" } else { b"[" });
            self.value(keys, key)?;
            self.out.push(b',');
            self.value(values, value)?;
            self.out.push(b']');
        }
        self.out.push(b']');
        Ok(())
    }

    fn entries(&mut self, parts: &EntryPlan, map: &MapValue) -> Result<()> {
        self.out.push(b'[');
        for (index, (key, value)) in map.iter().enumerate() {
            let before: &[u8] = if index > 0 {
                b",{\"key\":"
            } else {
                b"{\"key\":"
            };
            self.out.extend_from_slice(before);
            self.typed(&parts.keys, key)?;
            self.out.extend_from_slice(b",\"value\":");
            self.typed(&parts.values, value)?;
            self.out.push(b'}');
        }
        self.out.push(b']');
        Ok(())
    }

    fn logical(&mut self, logical: Logical, plan: &Plan, value: &Value) -> Result<()> {
        match logical {
            Logical::Decimal => self.decimal(plan, logical::decimal(value)?)?,
            Logical::Date => self.integer(logical::days(value)?),
            Logical::Time => self.integer(logical::millis_of_day(value)?),
            Logical::Timestamp => self.integer(logical::millis(value)?),
        }
        Ok(())
    }

    fn decimal(&mut self, plan: &Plan, value: &Decimal) -> Result<()> {
        match self.options.decimal_format {
            DecimalFormat::Numeric => self.out.extend_from_slice(value.to_string().as_bytes()),
            DecimalFormat::Base64 => {
                logical::check_scale(&plan.schema, value)?;
                self.base64(&value.to_be_bytes());
            }
        }
        Ok(())
    }

    fn integer(&mut self, value: impl itoa::Integer) {
        self.out
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    fn float32(&mut self, value: f32) {
        self.float(&java_f32(value), value.is_finite());
    }

    fn float64(&mut self, value: f64) {
        self.float(&java_f64(value), value.is_finite());
    }

    /// Infinity and "not a number" become strings: JSON has no such numbers.
    fn float(&mut self, text: &str, finite: bool) {
        if finite {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            write_string(text, self.out);
        }
    }

    fn boolean(&mut self, value: bool) {
        self.out
            .extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        // The room is exactly what the encoding with padding takes.
        let written = STANDARD.encode_slice(bytes, &mut self.out[start..]);
        self.out.truncate(start + written.unwrap_or(0));
        self.out.push(b'"');
    }
}
