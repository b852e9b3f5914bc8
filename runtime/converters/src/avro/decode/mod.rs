//! Binary to values, straight from the bytes of the record by what was worked
//! out for its schema.

mod plan;
mod resolve;

use std::iter;

use tether_api::data::{Bytes, Decimal, MapValue, SchemaRef, Struct, Text, Value};

pub(super) use self::plan::ReadPlan;
use self::plan::{Entry, Items, Reader, RecordReader, Shape};
use super::anything;
use super::binary::{DecodeError, Input};

/// The deepest nesting of records that contain themselves.
pub(super) const MAX_DEPTH: usize = 200;

type Result<T> = std::result::Result<T, DecodeError>;

impl ReadPlan {
    /// Reads a value.
    pub(super) fn read(&self, input: &mut Input<'_>) -> Result<Value> {
        let mut decoder = Decoder {
            records: &self.records,
            input,
            depth: 0,
        };
        let mut value = Value::Null;
        decoder.read(&self.root, &mut value)?;
        Ok(value)
    }

    /// Reads bytes on their own, which have no length before them.
    pub(super) fn read_raw(&self, bytes: &Bytes) -> Result<Value> {
        match &self.root {
            Reader::Decimal(_) if bytes.is_empty() => Err(DecodeError::End(0)),
            Reader::Decimal(scale) => Ok(Decimal::from_be_bytes(bytes, *scale).into()),
            _ => Ok(Value::Bytes(bytes.clone())),
        }
    }
}

struct Decoder<'a, 'b> {
    records: &'a [RecordReader],
    input: &'a mut Input<'b>,
    depth: usize,
}

impl Decoder<'_, '_> {
    /// Reads a value to the place where it stays: that costs far less than to
    /// hand it on through a result, which is done for each field. Whatever
    /// takes memory is in other functions, so that nesting takes little of the
    /// stack.
    fn read(&mut self, reader: &Reader, to: &mut Value) -> Result<()> {
        match reader {
            Reader::Null => put(Ok(()), to, |()| Value::Null),
            Reader::Boolean => put(self.input.boolean(), to, Value::Boolean),
            Reader::Int8 => put(self.input.int(), to, |int| Value::Int8(int as i8)),
            Reader::Int16 => put(self.input.int(), to, |int| Value::Int16(int as i16)),
            Reader::Int32 => put(self.input.int(), to, Value::Int32),
            Reader::Int64 => put(self.input.long(), to, Value::Int64),
            Reader::Float32 => put(self.input.float(), to, Value::Float32),
            Reader::Float64 => put(self.input.double(), to, Value::Float64),
            Reader::String => put(self.input.text(), to, Value::String),
            Reader::Date => put(self.input.int(), to, Value::Date),
            Reader::Time => put(self.time(), to, Value::Time),
            Reader::Timestamp => put(self.input.long(), to, Value::Timestamp),
            Reader::Bytes => put(self.bytes(), to, Value::Bytes),
            Reader::Fixed(size) => put(self.fixed(*size), to, Value::Bytes),
            Reader::Decimal(scale) => put(self.decimal(*scale), to, Value::from),
            Reader::FixedDecimal { size, scale } => {
                put(self.fixed_decimal(*size, *scale), to, Value::from)
            }
            Reader::Enum(symbols) => put(self.symbol(symbols), to, Value::String),
            Reader::SomeSymbols(symbols) => put(self.known_symbol(symbols), to, Value::String),
            Reader::LongAsFloat32 => put(self.input.long(), to, |long| Value::Float32(long as f32)),
            Reader::LongAsFloat64 => put(self.input.long(), to, |long| Value::Float64(long as f64)),
            Reader::Float32AsFloat64 => {
                put(self.input.float(), to, |float| Value::Float64(float.into()))
            }
            Reader::Array(items) => self.array(items, to),
            Reader::Map(values) => self.map(values, to),
            Reader::Entries(entry) => self.map_of_entries(entry, to),
            Reader::Union(branches) => self.union(branches, to),
            Reader::UnionStruct { schema, branches } => self.union_struct(schema, branches, to),
            Reader::InUnion(branch) => self.in_union(branch, to),
            Reader::Unresolved(reason) => Err(DecodeError::Unresolved(reason.clone())),
            Reader::Record(index) => self.record(*index, to),
            Reader::Anything => put(anything::read(self.input), to, |value| value),
        }
    }

    fn time(&mut self) -> Result<i32> {
        match self.input.int()? {
            millis @ 0..=86_400_000 => Ok(millis),
            _ => self.input.invalid("time of day"),
        }
    }

    fn bytes(&mut self) -> Result<Bytes> {
        let bytes = self.input.sized()?;
        Ok(self.input.share(bytes))
    }

    fn fixed(&mut self, size: usize) -> Result<Bytes> {
        let bytes = self.input.take(size)?;
        Ok(self.input.share(bytes))
    }

    fn decimal(&mut self, scale: i32) -> Result<Decimal> {
        let bytes = self.input.sized()?;
        self.decimal_of(bytes, scale)
    }

    fn fixed_decimal(&mut self, size: usize, scale: i32) -> Result<Decimal> {
        let bytes = self.input.take(size)?;
        self.decimal_of(bytes, scale)
    }

    fn decimal_of(&self, bytes: &[u8], scale: i32) -> Result<Decimal> {
        if bytes.is_empty() {
            return self.input.invalid("decimal");
        }
        Ok(Decimal::from_be_bytes(bytes, scale))
    }

    fn symbol(&mut self, symbols: &[Text]) -> Result<Text> {
        let index = self.input.long()?;
        match usize::try_from(index).ok().and_then(|i| symbols.get(i)) {
            Some(symbol) => Ok(symbol.clone()),
            None => self.input.invalid("symbol"),
        }
    }

    fn known_symbol(&mut self, symbols: &[Option<Text>]) -> Result<Text> {
        let index = self.input.long()?;
        match usize::try_from(index).ok().and_then(|i| symbols.get(i)) {
            Some(Some(symbol)) => Ok(symbol.clone()),
            Some(None) => Err(DecodeError::Unresolved(
                format!("No match for symbol {index} of an enumeration").into(),
            )),
            None => self.input.invalid("symbol"),
        }
    }

    /// A value that is no union's, as one.
    fn in_union(
        &mut self,
        (schema, field, reader): &(SchemaRef, usize, Reader),
        to: &mut Value,
    ) -> Result<()> {
        let mut values = nulls(schema.fields().len());
        match values.get_mut(*field) {
            Some(place) => self.read(reader, place)?,
            None => self.pass(reader)?,
        }
        self.structure(schema, values, to)
    }

    fn array(&mut self, items: &Items, to: &mut Value) -> Result<()> {
        let mut values = Vec::new();
        loop {
            let count = self.input.block(items.least)?;
            if count == 0 {
                *to = values.into();
                return Ok(());
            }
            values.reserve(count);
            for _ in 0..count {
                self.read(&items.reader, next(&mut values))?;
            }
        }
    }

    fn map(&mut self, values: &Items, to: &mut Value) -> Result<()> {
        let mut entries = Vec::new();
        loop {
            let count = self.input.block(values.least)?;
            if count == 0 {
                *to = MapValue::from(entries).into();
                return Ok(());
            }
            entries.reserve(count);
            for _ in 0..count {
                let entry: &mut (Value, Value) = next(&mut entries);
                entry.0 = Value::String(self.input.text()?);
                self.read(&values.reader, &mut entry.1)?;
            }
        }
    }

    fn map_of_entries(&mut self, entry: &Entry, to: &mut Value) -> Result<()> {
        let mut entries = Vec::new();
        loop {
            let count = self.input.block(entry.least)?;
            if count == 0 {
                *to = MapValue::from(entries).into();
                return Ok(());
            }
            entries.reserve(count);
            for _ in 0..count {
                let (key, value) = next(&mut entries);
                let (first, second) = match entry.key_first {
                    true => (key, value),
                    false => (value, key),
                };
                self.read(&entry.first, first)?;
                self.read(&entry.second, second)?;
            }
        }
    }

    fn union(&mut self, branches: &[Reader], to: &mut Value) -> Result<()> {
        let index = self.branch()?;
        match branches.get(index) {
            Some(branch) => self.read(branch, to),
            None => self.input.invalid("branch of a union"),
        }
    }

    fn union_struct(
        &mut self,
        schema: &SchemaRef,
        branches: &[(Option<usize>, Reader)],
        to: &mut Value,
    ) -> Result<()> {
        let index = self.branch()?;
        let Some((field, branch)) = branches.get(index) else {
            return self.input.invalid("branch of a union");
        };
        let Some(field) = field else {
            *to = Value::Null;
            return self.pass(branch);
        };
        let mut values = nulls(schema.fields().len());
        self.read(branch, &mut values[*field])?;
        self.structure(schema, values, to)
    }

    fn branch(&mut self) -> Result<usize> {
        let index = self.input.long()?;
        usize::try_from(index).or_else(|_| self.input.invalid("branch of a union"))
    }

    fn record(&mut self, index: usize, to: &mut Value) -> Result<()> {
        let Some(record) = self.records.get(index) else {
            return self.input.invalid("record");
        };
        if self.depth == MAX_DEPTH {
            return self.input.too_deep();
        }
        self.depth += 1;
        let values = match &record.shape {
            None => {
                let mut values = nulls(record.fields.len());
                for (field, place) in record.fields.iter().zip(&mut values) {
                    self.read(field, place)?;
                }
                values
            }
            Some(shape) => self.reshaped(&record.fields, shape)?,
        };
        self.depth -= 1;
        self.structure(&record.schema, values, to)
    }

    /// Fields that are written in another order, or not at all.
    fn reshaped(&mut self, fields: &[Reader], shape: &Shape) -> Result<Vec<Value>> {
        let mut values = shape.initial.clone();
        for (field, target) in fields.iter().zip(&shape.targets) {
            match target.and_then(|target| values.get_mut(target)) {
                Some(place) => self.read(field, place)?,
                None => self.pass(field)?,
            }
        }
        Ok(values)
    }

    /// Reads what nobody wants.
    fn pass(&mut self, reader: &Reader) -> Result<()> {
        self.read(reader, &mut Value::Null)
    }

    fn structure(&self, schema: &SchemaRef, values: Vec<Value>, to: &mut Value) -> Result<()> {
        match Struct::from_values(schema.clone(), values) {
            Ok(value) => {
                *to = value.into();
                Ok(())
            }
            Err(_) => self.input.invalid("record"),
        }
    }
}

#[inline]
fn put<T>(read: Result<T>, to: &mut Value, value: impl FnOnce(T) -> Value) -> Result<()> {
    *to = value(read?);
    Ok(())
}

/// So many values to be read to.
fn nulls(count: usize) -> Vec<Value> {
    iter::repeat_with(Value::default).take(count).collect()
}

/// A new last part, to be read to.
fn next<T: Default>(parts: &mut Vec<T>) -> &mut T {
    parts.push_mut(T::default())
}
