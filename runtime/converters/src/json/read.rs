//! JSON to values, straight from the text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use tether_api::data::logical::Logical;
use tether_api::data::{Bytes, Decimal, MapValue, SchemaRef, Struct, Text, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::plan::{Dialect, EntryPlan, FieldPlan, Plan, Shape, alive};
use super::scan::{Cursor, Kind, NumberText};
use crate::logical;

/// As Jackson decodes: padded, whatever the bits that the padding covers.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The bytes of a decimal that are decoded without taking memory: enough for 36
/// digits.
const SMALL_UNSCALED: usize = 16;

/// Reads the value at the start of a text; what follows it is ignored, as in
/// the reference. Without a plan it is schemaless.
///
/// # Errors
/// Data, if it is not JSON or does not fit the schema.
pub(crate) fn read_value(text: &Text, plan: Option<&Plan>, options: Options) -> Result<Value> {
    let mut reader = Reader::new(text, Cursor::new(text), options);
    reader.value(plan).map_err(|error| worst(text, error))
}

/// What replaces null under this schema.
///
/// # Errors
/// Data, if nothing may.
pub(super) fn null(plan: &Plan, options: Options) -> Result<Value> {
    match plan.schema.default_value() {
        Some(default) if options.replace_null_with_default => Ok(default.clone()),
        _ if plan.schema.is_optional() => Ok(Value::Null),
        _ => Err(ConnectError::data(format!(
            "Invalid null value for required {} field",
            plan.schema.kind()
        ))),
    }
}

/// The error to report for a text: that it is no JSON comes before anything
/// else, as the reference reads all of the text first.
pub(super) fn worst(text: &str, error: ConnectError) -> ConnectError {
    match Cursor::new(text).skip() {
        Ok(_) => error,
        Err(syntax) => syntax.into(),
    }
}

/// Reads values where a cursor stands.
pub(crate) struct Reader<'a> {
    text: &'a Text,
    pub(super) cursor: Cursor<'a>,
    options: Options,
    /// Whether a value was made that the schema may not allow.
    misfit: bool,
    /// What is wrong with a struct that lacks a field, which only matters
    /// within another struct.
    hollow: Option<ConnectError>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a Text, cursor: Cursor<'a>, options: Options) -> Self {
        Self {
            text,
            cursor,
            options,
            misfit: false,
            hollow: None,
        }
    }

    /// The cursor behind the values that were read.
    pub(super) fn into_cursor(self) -> Cursor<'a> {
        self.cursor
    }

    /// Reads a value; without a plan it is schemaless.
    pub(crate) fn value(&mut self, plan: Option<&Plan>) -> Result<Value> {
        match plan {
            Some(plan) => self.typed(plan),
            None => self.schemaless(),
        }
    }

    fn typed(&mut self, plan: &Plan) -> Result<Value> {
        let mut value = Value::Null;
        self.read(plan, &mut value)?;
        Ok(value)
    }

    /// Reads a value to the place where it stays: that costs far less than to
    /// hand it on through results, which is done for each field.
    fn read(&mut self, plan: &Plan, to: &mut Value) -> Result<()> {
        let kind = self.cursor.kind()?;
        if kind == Kind::Null {
            self.cursor.literal(kind)?;
            *to = null(plan, self.options)?;
            return Ok(());
        }
        *to = match &plan.shape {
            Shape::Plain(kind_wanted) => return self.plain(*kind_wanted, kind, to),
            Shape::Shared(plan) => return self.read(plan, to),
            Shape::Again(target) => return self.read(&*alive(target)?, to),
            Shape::Struct(fields) => self.structure(&plan.schema, fields, kind)?,
            Shape::Array(elements) => self.array(elements.as_deref(), kind)?,
            Shape::Object { values, .. } => self.object(values.as_deref(), kind)?,
            Shape::Pairs { keys, values } => {
                self.pairs(keys.as_deref(), values.as_deref(), kind)?
            }
            Shape::Entries(parts) => self.entries(parts, kind)?,
            Shape::Union(branches) => self.union(&plan.schema, branches, kind)?,
            Shape::Logical {
                logical: Logical::Decimal,
                scale,
            } => self.decimal(&plan.schema, *scale, kind)?,
            Shape::Logical { logical, .. } => self.instant(*logical, kind)?,
        };
        Ok(())
    }

    /// Reads a value of a type without parts. What is of another kind counts as
    /// zero, false or null: the reference is that lenient.
    fn plain(&mut self, wanted: Type, kind: Kind, to: &mut Value) -> Result<()> {
        match wanted {
            Type::Int8 => *to = Value::Int8(self.integer(kind)? as i8),
            Type::Int16 => *to = Value::Int16(self.integer(kind)? as i16),
            Type::Int32 => *to = Value::Int32(self.integer(kind)? as i32),
            Type::Int64 => *to = Value::Int64(self.integer(kind)?),
            Type::Float32 => {
                *to = Value::Float32(self.number(kind)?.map_or(0.0, NumberText::to_f32));
            }
            Type::Float64 => {
                *to = Value::Float64(self.number(kind)?.map_or(0.0, NumberText::to_f64));
            }
            Type::Boolean => {
                self.skip(kind)?;
                *to = Value::Boolean(kind == Kind::Boolean(true));
            }
            Type::String if kind == Kind::String => *to = Value::String(self.string()?),
            Type::Bytes if kind == Kind::String => {
                let text = self.cursor.string()?;
                *to = Value::Bytes(
                    decode_base64(&text)
                        .ok_or_else(|| ConnectError::data("Invalid bytes field"))?,
                );
            }
            // Where decimals belong.
            Type::Bytes if self.options.dialect == Dialect::Registry => {
                self.misfit = true;
                let number = self.number(kind)?.and_then(NumberText::to_decimal);
                *to = number
                    .unwrap_or_else(|| Decimal::from_be_bytes(&[0], 0))
                    .into();
            }
            _ => {
                self.skip(kind)?;
                self.misfit = true;
                *to = Value::Null;
            }
        }
        Ok(())
    }

    fn schemaless(&mut self) -> Result<Value> {
        let kind = self.cursor.kind()?;
        Ok(match kind {
            Kind::Object => return self.object(None, kind),
            Kind::Array => return self.array(None, kind),
            Kind::String => Value::String(self.string()?),
            Kind::Number => {
                if let Some(integer) = self.cursor.small_integer() {
                    return Ok(Value::Int64(integer));
                }
                let number = self.cursor.number()?;
                if number.integral {
                    Value::Int64(number.to_i64().unwrap_or(0))
                } else {
                    Value::Float64(number.to_f64())
                }
            }
            Kind::Boolean(value) => {
                self.cursor.literal(kind)?;
                Value::Boolean(value)
            }
            Kind::Null => {
                self.cursor.literal(kind)?;
                Value::Null
            }
        })
    }

    pub(super) fn skip(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Boolean(_) | Kind::Null => self.cursor.literal(kind)?,
            _ => drop(self.cursor.skip()?),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Text> {
        Ok(match self.cursor.string()? {
            Cow::Borrowed(text) => self.text.slice_ref(text),
            Cow::Owned(text) => Text::from(text),
        })
    }

    fn number(&mut self, kind: Kind) -> Result<Option<NumberText<'a>>> {
        if kind == Kind::Number {
            return Ok(Some(self.cursor.number()?));
        }
        self.skip(kind)?;
        Ok(None)
    }

    fn integer(&mut self, kind: Kind) -> Result<i64> {
        if let Some(integer) = self.cursor.small_integer() {
            return Ok(integer);
        }
        Ok(self.number(kind)?.and_then(NumberText::to_i64).unwrap_or(0))
    }

    fn array(&mut self, elements: Option<&Plan>, kind: Kind) -> Result<Value> {
        let mut values = Vec::new();
        match kind {
            Kind::Array => {
                self.cursor.open()?;
                while self.cursor.next_element(values.is_empty())? {
                    values.push(self.value(elements)?);
                }
            }
            // The reference takes the elements of whatever has parts.
            Kind::Object => {
                self.cursor.open()?;
                while self.cursor.next_member(values.is_empty())?.is_some() {
                    values.push(self.value(elements)?);
                }
            }
            _ => self.skip(kind)?,
        }
        Ok(values.into())
    }

    fn object(&mut self, values: Option<&Plan>, kind: Kind) -> Result<Value> {
        if kind != Kind::Object {
            return Err(ConnectError::data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {}",
                kind.name()
            )));
        }
        self.cursor.open()?;
        let mut entries = Vec::new();
        while let Some(name) = self.cursor.next_member(entries.is_empty())? {
            let name = match name {
                Cow::Borrowed(name) => self.text.slice_ref(name),
                Cow::Owned(name) => Text::from(name),
            };
            entries.push((Value::String(name), self.value(values)?));
        }
        Ok(MapValue::from(entries).into())
    }

    fn pairs(&mut self, keys: Option<&Plan>, values: Option<&Plan>, kind: Kind) -> Result<Value> {
        if kind != Kind::Array {
            return Err(ConnectError::data(format!(
                "Maps with non-string fields should be encoded as JSON array of tuples, but found \
                 {}",
                kind.name()
            )));
        }
        self.cursor.open()?;
        let mut entries = Vec::new();
        while self.cursor.next_element(entries.is_empty())? {
            let kind = self.cursor.kind()?;
            if kind != Kind::Array {
                return Err(ConnectError::data(format!(
                    "Found invalid map entry instead of array tuple: {}",
                    kind.name()
                )));
            }
            entries.push(self.pair(keys, values)?);
        }
        Ok(MapValue::from(entries).into())
    }

    fn entries(&mut self, parts: &EntryPlan, kind: Kind) -> Result<Value> {
        if kind != Kind::Array {
            return Err(ConnectError::data(format!(
                "Maps with non-string fields should be encoded as JSON array of objects, but \
                 found {}",
                kind.name()
            )));
        }
        self.cursor.open()?;
        let mut entries = Vec::new();
        while self.cursor.next_element(entries.is_empty())? {
            let kind = self.cursor.kind()?;
            if kind != Kind::Object {
                return Err(ConnectError::data(format!(
                    "Found invalid map entry instead of object: {}",
                    kind.name()
                )));
            }
            entries.push(self.entry(parts)?);
        }
        Ok(MapValue::from(entries).into())
    }

    fn entry(&mut self, parts: &EntryPlan) -> Result<(Value, Value)> {
        self.cursor.open()?;
        let default = |plan: &Plan| plan.schema.default_value().cloned().unwrap_or_default();
        let mut key = default(&parts.keys);
        let mut value = default(&parts.values);
        let mut length = 0;
        while let Some(name) = self.cursor.next_member(length == 0)? {
            match &*name {
                "key" => key = self.typed(&parts.keys)?,
                "value" => value = self.typed(&parts.values)?,
                _ => drop(self.cursor.skip()?),
            }
            length += 1;
        }
        if length != 2 {
            return Err(wrong_length(length));
        }
        Ok((key, value))
    }

    fn pair(&mut self, keys: Option<&Plan>, values: Option<&Plan>) -> Result<(Value, Value)> {
        self.cursor.open()?;
        if !self.cursor.next_element(true)? {
            return Err(wrong_length(0));
        }
        let key = self.value(keys)?;
        if !self.cursor.next_element(false)? {
            return Err(wrong_length(1));
        }
        let value = self.value(values)?;
        let mut length = 2;
        while self.cursor.next_element(false)? {
            self.cursor.skip()?;
            length += 1;
        }
        if length > 2 {
            return Err(wrong_length(length));
        }
        Ok((key, value))
    }

    fn structure(&mut self, schema: &SchemaRef, fields: &[FieldPlan], kind: Kind) -> Result<Value> {
        if kind != Kind::Object {
            return Err(ConnectError::data(format!(
                "Structs should be encoded as JSON objects, but found {}",
                kind.name()
            )));
        }
        self.cursor.open()?;
        let mut values = Vec::with_capacity(fields.len());
        // As long as the members come as the writer puts them, their names are
        // not even parsed; in the order of the fields, none is looked up.
        while let Some(field) = fields.get(values.len())
            && self.cursor.skip_exactly(&field.prefix)
        {
            self.field(field, values.push_mut(Value::Null))?;
        }
        while let Some(name) = self.cursor.next_member(values.is_empty())? {
            match fields.get(values.len()) {
                Some(field) if field.name == *name => {
                    self.field(field, values.push_mut(Value::Null))?;
                }
                _ => {
                    self.fields_in_any_order(schema, fields, name, &mut values)?;
                    return Ok(Struct::from_values(schema.clone(), values)?.into());
                }
            }
        }
        for field in &fields[values.len()..] {
            values.push(self.absent(field)?);
        }
        Ok(Struct::from_values(schema.clone(), values)?.into())
    }

    /// Reads the members of a struct from one on that came unexpected.
    fn fields_in_any_order(
        &mut self,
        schema: &SchemaRef,
        fields: &[FieldPlan],
        unexpected: Cow<'a, str>,
        values: &mut Vec<Value>,
    ) -> Result<()> {
        let mut seen = vec![false; fields.len()];
        seen[..values.len()].fill(true);
        values.resize(fields.len(), Value::Null);
        let mut next = Some(unexpected);
        while let Some(name) = next {
            match schema.field(&name) {
                Some(field) => {
                    seen[field.index] = true;
                    self.field(&fields[field.index], &mut values[field.index])?;
                }
                None => drop(self.cursor.skip()?),
            }
            next = self.cursor.next_member(false)?;
        }
        for ((value, seen), field) in values.iter_mut().zip(seen).zip(fields) {
            if !seen {
                *value = self.absent(field)?;
            }
        }
        Ok(())
    }

    /// What stands for a field that is not there.
    fn absent(&mut self, field: &FieldPlan) -> Result<Value> {
        match self.options.dialect {
            Dialect::Envelope => null(&field.plan, self.options),
            Dialect::Registry => {
                let default = field.plan.schema.default_value().cloned();
                let value = default.unwrap_or_default();
                self.note_hollow(field, &value);
                Ok(value)
            }
        }
    }

    /// Notes that a field which must not be null is.
    fn note_hollow(&mut self, field: &FieldPlan, value: &Value) {
        if value.is_null() && self.hollow.is_none() {
            self.hollow = validate(Some(&field.name), &field.plan.schema, value).err();
        }
    }

    #[inline]
    pub(super) fn field(&mut self, field: &FieldPlan, to: &mut Value) -> Result<()> {
        self.read(&field.plan, to)?;
        if let Some(hollow) = self.hollow.take() {
            return Err(hollow);
        }
        if self.misfit {
            if self.options.dialect == Dialect::Registry && to.is_null() {
                self.note_hollow(field, to);
            } else {
                validate(Some(&field.name), &field.plan.schema, to)?;
            }
            self.misfit = false;
        }
        Ok(())
    }

    /// Reads a date, a time of day or a timestamp.
    fn instant(&mut self, logical: Logical, kind: Kind) -> Result<Value> {
        if logical == Logical::Timestamp
            && let Some(millis) = self.cursor.small_integer()
        {
            return Ok(Value::Timestamp(millis));
        }
        let number = self.number(kind)?;
        let (name, underlying) = match logical {
            Logical::Date => ("Date", "integer"),
            Logical::Time => ("Time", "integer"),
            _ => ("Timestamp", "integral"),
        };
        let unexpected = || {
            ConnectError::data(format!(
                "Invalid type for {name}, underlying representation should be {underlying} but \
                 was {}",
                kind.name()
            ))
        };
        let number = number.ok_or_else(unexpected)?;
        match logical {
            Logical::Date => number
                .to_i32_exact()
                .map(Value::Date)
                .ok_or_else(unexpected),
            Logical::Time => logical::checked_time(number.to_i32_exact().ok_or_else(unexpected)?),
            _ if number.integral => Ok(Value::Timestamp(number.to_i64().unwrap_or(0))),
            _ => Err(unexpected()),
        }
    }

    fn decimal(&mut self, schema: &SchemaRef, scale: Option<i32>, kind: Kind) -> Result<Value> {
        let invalid = || ConnectError::data("Invalid bytes for Decimal field");
        let decimal = match kind {
            Kind::Number => self.cursor.number()?.to_decimal().ok_or_else(invalid)?,
            Kind::String => {
                let text = self.cursor.string()?;
                let (mut small, large);
                small = [0; SMALL_UNSCALED];
                let bytes = match BASE64.decode_slice(&*text, &mut small) {
                    Ok(length) => &small[..length],
                    Err(_) => {
                        large = decode_base64(&text).ok_or_else(invalid)?;
                        &large[..]
                    }
                };
                let scale = scale.map_or_else(|| logical::scale(schema), Ok);
                let scale = scale.map_err(|error| invalid().caused_by(error))?;
                if bytes.is_empty() {
                    return Err(invalid());
                }
                Decimal::from_be_bytes(bytes, scale)
            }
            _ => {
                self.skip(kind)?;
                return Err(ConnectError::data(format!(
                    "Invalid type for Decimal, underlying representation should be numeric or \
                     bytes but was {}",
                    kind.name()
                )));
            }
        };
        Ok(decimal.into())
    }
}

fn wrong_length(length: usize) -> ConnectError {
    ConnectError::data(format!(
        "Found invalid map entry, expected length 2 but found :{length}"
    ))
}

fn decode_base64(text: &str) -> Option<Bytes> {
    let decoded = BASE64.decode(text).or_else(|error| {
        if !text.bytes().any(|byte| byte <= b' ') {
            return Err(error);
        }
        let compact: Vec<u8> = text.bytes().filter(|byte| *byte > b' ').collect();
        BASE64.decode(compact)
    });
    decoded.ok().map(Bytes::from)
}
