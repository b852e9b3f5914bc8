//! Values to JSON, straight into the record's buffer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tether_api::data::logical::Logical;
use tether_api::data::{Decimal, MapValue, Struct, Type, Value, java_f32, java_f64};
use tether_api::{ConnectError, Result};

use super::config::{DecimalFormat, Options};
use super::plan::{Dialect, EntryPlan, FieldPlan, Plan, Shape, alive};
use super::text::write_string;
use crate::logical;

/// The most bytes of a struct that are kept.
const MAX_SHARED: usize = 16 * 1024;

/// A struct that is part of several values, such as the source block of the rows
/// of a snapshot, and how it is written. It cannot change as long as it is here.
#[derive(Default)]
pub(super) struct SharedPart {
    part: Option<Arc<Struct>>,
    bytes: Vec<u8>,
}

impl SharedPart {
    fn is(&self, part: &Arc<Struct>) -> bool {
        let known = self.part.as_ref();
        known.is_some_and(|known| Arc::ptr_eq(known, part))
    }

    fn remember(&mut self, part: &Arc<Struct>, bytes: &[u8]) {
        self.bytes.clear();
        self.part = (bytes.len() <= MAX_SHARED).then(|| {
            self.bytes.extend_from_slice(bytes);
            part.clone()
        });
    }
}

/// Writes values with these settings.
pub(crate) struct Writer<'a> {
    pub(super) options: Options,
    pub(super) out: &'a mut Vec<u8>,
    shared: Option<&'a mut SharedPart>,
}

impl<'a> Writer<'a> {
    /// Appends what is written with these settings.
    pub(crate) fn new(options: Options, out: &'a mut Vec<u8>) -> Self {
        Self {
            options,
            out,
            shared: None,
        }
    }

    /// Remembers a struct that values share. All of them are written with the
    /// same settings.
    pub(super) fn sharing(self, shared: Option<&'a mut SharedPart>) -> Self {
        Self { shared, ..self }
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
            (Shape::Logical(logical), value) => return self.logical(*logical, plan, value),
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
        for (field, value) in fields.iter().zip(value.values()) {
            if self.is_absent(&field.plan, value) {
                continue;
            }
            match &*field.prefix {
                [b',', prefix @ ..] if self.out.len() == start => {
                    self.out.extend_from_slice(prefix);
                }
                prefix => self.out.extend_from_slice(prefix),
            }
            match value {
                Value::Struct(part) if self.shared.is_some() && Arc::strong_count(part) > 1 => {
                    self.shared(&field.plan, value, part)?;
                }
                value => self.typed(&field.plan, value)?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes a struct that is not part of this value only.
    fn shared(&mut self, plan: &Plan, value: &Value, part: &Arc<Struct>) -> Result<()> {
        if let Some(shared) = &self.shared
            && shared.is(part)
            && *part.schema() == plan.schema
        {
            self.out.extend_from_slice(&shared.bytes);
            return Ok(());
        }
        let start = self.out.len();
        self.typed(plan, value)?;
        if let Some(shared) = &mut self.shared {
            shared.remember(part, self.out.get(start..).unwrap_or_default());
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
