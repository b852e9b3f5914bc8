//! Binary to values, straight from the bytes of the record by what was worked
//! out for its schema.

mod plan;
mod resolve;

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
        decoder.read(&self.root)
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
    fn read(&mut self, reader: &Reader) -> Result<Value> {
        Ok(match reader {
            Reader::Null => Value::Null,
            Reader::Boolean => Value::Boolean(self.input.boolean()?),
            Reader::Int8 => Value::Int8(self.input.int()? as i8),
            Reader::Int16 => Value::Int16(self.input.int()? as i16),
            Reader::Int32 => Value::Int32(self.input.int()?),
            Reader::Int64 => Value::Int64(self.input.long()?),
            Reader::Float32 => Value::Float32(self.input.float()?),
            Reader::Float64 => Value::Float64(self.input.double()?),
            Reader::String => Value::String(self.input.text()?),
            Reader::Date => Value::Date(self.input.int()?),
            Reader::Time => match self.input.int()? {
                millis @ 0..=86_400_000 => Value::Time(millis),
                _ => return self.input.invalid("time of day"),
            },
            Reader::Timestamp => Value::Timestamp(self.input.long()?),
            Reader::Bytes => {
                let bytes = self.input.sized()?;
                Value::Bytes(self.input.share(bytes))
            }
            Reader::Fixed(size) => {
                let bytes = self.input.take(*size)?;
                Value::Bytes(self.input.share(bytes))
            }
            Reader::Decimal(scale) => {
                let bytes = self.input.sized()?;
                self.decimal(bytes, *scale)?
            }
            Reader::FixedDecimal { size, scale } => {
                let bytes = self.input.take(*size)?;
                self.decimal(bytes, *scale)?
            }
            Reader::Enum(symbols) => self.symbol(symbols)?,
            Reader::SomeSymbols(symbols) => self.known_symbol(symbols)?,
            Reader::LongAsFloat32 => Value::Float32(self.input.long()? as f32),
            Reader::LongAsFloat64 => Value::Float64(self.input.long()? as f64),
            Reader::Float32AsFloat64 => Value::Float64(self.input.float()?.into()),
            // What has parts is read elsewhere, so that nesting takes little of
            // the stack.
            Reader::Array(items) => return self.array(items),
            Reader::Map(values) => return self.map(values),
            Reader::Entries(entry) => return self.map_of_entries(entry),
            Reader::Union(branches) => return self.union(branches),
            Reader::UnionStruct { schema, branches } => return self.union_struct(schema, branches),
            Reader::InUnion(branch) => return self.in_union(branch),
            Reader::Unresolved(reason) => return Err(DecodeError::Unresolved(reason.clone())),
            Reader::Record(index) => return self.record(*index),
            Reader::Anything => return anything::read(self.input),
        })
    }

    fn symbol(&mut self, symbols: &[Text]) -> Result<Value> {
        let index = self.input.long()?;
        match usize::try_from(index).ok().and_then(|i| symbols.get(i)) {
            Some(symbol) => Ok(Value::String(symbol.clone())),
            None => self.input.invalid("symbol"),
        }
    }

    fn known_symbol(&mut self, symbols: &[Option<Text>]) -> Result<Value> {
        let index = self.input.long()?;
        match usize::try_from(index).ok().and_then(|i| symbols.get(i)) {
            Some(Some(symbol)) => Ok(Value::String(symbol.clone())),
            Some(None) => Err(DecodeError::Unresolved(
                format!("No match for symbol {index} of an enumeration").into(),
            )),
            None => self.input.invalid("symbol"),
        }
    }

    /// A value that is no union's, as one.
    fn in_union(&mut self, (schema, field, reader): &(SchemaRef, usize, Reader)) -> Result<Value> {
        let mut values = vec![Value::Null; schema.fields().len()];
        let value = self.read(reader)?;
        if let Some(place) = values.get_mut(*field) {
            *place = value;
        }
        self.structure(schema, values)
    }

    fn array(&mut self, items: &Items) -> Result<Value> {
        let mut values = Vec::new();
        loop {
            let count = self.input.block(items.least)?;
            if count == 0 {
                return Ok(values.into());
            }
            values.reserve(count);
            for _ in 0..count {
                values.push(self.read(&items.reader)?);
            }
        }
    }

    fn map(&mut self, values: &Items) -> Result<Value> {
        let mut entries = Vec::new();
        loop {
            let count = self.input.block(values.least)?;
            if count == 0 {
                return Ok(MapValue::from(entries).into());
            }
            entries.reserve(count);
            for _ in 0..count {
                let key = Value::String(self.input.text()?);
                entries.push((key, self.read(&values.reader)?));
            }
        }
    }

    fn map_of_entries(&mut self, entry: &Entry) -> Result<Value> {
        let mut entries = Vec::new();
        loop {
            let count = self.input.block(entry.least)?;
            if count == 0 {
                return Ok(MapValue::from(entries).into());
            }
            entries.reserve(count);
            for _ in 0..count {
                let first = self.read(&entry.first)?;
                let second = self.read(&entry.second)?;
                entries.push(if entry.key_first {
                    (first, second)
                } else {
                    (second, first)
                });
            }
        }
    }

    fn union(&mut self, branches: &[Reader]) -> Result<Value> {
        let index = self.branch()?;
        match branches.get(index) {
            Some(branch) => self.read(branch),
            None => self.input.invalid("branch of a union"),
        }
    }

    fn union_struct(
        &mut self,
        schema: &SchemaRef,
        branches: &[(Option<usize>, Reader)],
    ) -> Result<Value> {
        let index = self.branch()?;
        let Some((field, branch)) = branches.get(index) else {
            return self.input.invalid("branch of a union");
        };
        let value = self.read(branch)?;
        let Some(field) = field else {
            return Ok(Value::Null);
        };
        let mut values = vec![Value::Null; schema.fields().len()];
        values[*field] = value;
        self.structure(schema, values)
    }

    fn branch(&mut self) -> Result<usize> {
        let index = self.input.long()?;
        usize::try_from(index).or_else(|_| self.input.invalid("branch of a union"))
    }

    fn decimal(&self, bytes: &[u8], scale: i32) -> Result<Value> {
        if bytes.is_empty() {
            return self.input.invalid("decimal");
        }
        Ok(Decimal::from_be_bytes(bytes, scale).into())
    }

    fn record(&mut self, index: usize) -> Result<Value> {
        let Some(record) = self.records.get(index) else {
            return self.input.invalid("record");
        };
        if self.depth == MAX_DEPTH {
            return self.input.too_deep();
        }
        self.depth += 1;
        let values = match &record.shape {
            None => {
                let mut values = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    values.push(self.read(field)?);
                }
                values
            }
            Some(shape) => self.reshaped(&record.fields, shape)?,
        };
        self.depth -= 1;
        self.structure(&record.schema, values)
    }

    /// Fields that are written in another order, or not at all.
    fn reshaped(&mut self, fields: &[Reader], shape: &Shape) -> Result<Vec<Value>> {
        let mut values = shape.initial.clone();
        for (field, target) in fields.iter().zip(&shape.targets) {
            let value = self.read(field)?;
            if let Some(place) = target.and_then(|target| values.get_mut(target)) {
                *place = value;
            }
        }
        Ok(values)
    }

    fn structure(&self, schema: &SchemaRef, values: Vec<Value>) -> Result<Value> {
        match Struct::from_values(schema.clone(), values) {
            Ok(value) => Ok(value.into()),
            Err(_) => self.input.invalid("record"),
        }
    }
}
