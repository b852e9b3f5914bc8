//! The reading of values.

use std::sync::Arc;

use bytes::BytesMut;
use tether_api::data::{Bytes, Decimal, MapValue, SchemaRef, Struct, Text, Value};

use super::super::descriptor::Scalar;
use super::super::logical;
use super::super::wire::{Input, WireError, WireType, unzigzag};
use super::plan::{
    EntryReader, FieldReader, Form, MessageReader, ReadPlan, Reader, Slot, integer_value,
};

type Result<T> = std::result::Result<T, WireError>;

/// How deep messages may be nested.
const MAX_DEPTH: usize = 100;
/// The most bytes of a decimal: its digits take time to count.
const MAX_DECIMAL: usize = 4096;

impl ReadPlan {
    /// Reads a message, which is the rest of the input.
    ///
    /// # Errors
    /// The bytes are no such message.
    pub(in super::super) fn read(&self, input: &Input<'_>) -> Result<Value> {
        self.message(&self.root, input.clone(), MAX_DEPTH)
    }

    /// Reads a value that is a message.
    fn message(&self, reader: &Reader, mut input: Input<'_>, depth: usize) -> Result<Value> {
        if depth == 0 {
            return Err(WireError::Depth(input.position()));
        }
        match reader {
            Reader::Message { message, schema } => match self.messages.get(*message) {
                Some(message) => self.structure(message, schema, input, depth),
                None => Ok(Value::Null),
            },
            Reader::Wrapped(inner) => wrapped(inner, input, depth),
            Reader::Date => date(&mut input, depth),
            Reader::Time => time(&mut input, depth),
            Reader::Timestamp => timestamp(&mut input, depth),
            Reader::Decimal => decimal(&mut input, depth),
            Reader::Scalar { .. } | Reader::Enum(_) => input.invalid("message"),
        }
    }

    fn structure(
        &self,
        message: &MessageReader,
        schema: &SchemaRef,
        mut input: Input<'_>,
        depth: usize,
    ) -> Result<Value> {
        let mut parts = Parts {
            values: vec![Value::Null; message.slots.len()],
            members: vec![None; message.unions],
            lists: vec![Vec::new(); message.lists],
            maps: vec![Vec::new(); message.maps],
        };
        while !input.is_empty() {
            let (number, wire) = input.tag()?;
            let known = message.tags.index(number);
            let known = known.and_then(|index| Some((index, message.fields.get(index)?)));
            let taken = match known {
                Some((index, field)) => {
                    self.field(index, field, wire, &mut input, &mut parts, message, depth)?
                }
                None => false,
            };
            if !taken {
                input.skip(number, wire, depth)?;
            }
        }
        self.finish(message, schema, parts, depth)
    }

    /// Reads a field; false if it has another form than its type says.
    #[expect(clippy::too_many_arguments, reason = "the state of one loop")]
    fn field(
        &self,
        index: usize,
        field: &FieldReader,
        wire: WireType,
        input: &mut Input<'_>,
        parts: &mut Parts,
        message: &MessageReader,
        depth: usize,
    ) -> Result<bool> {
        match &field.form {
            Form::One(reader) if reader.is_message() => {
                if wire != WireType::Len {
                    return Ok(false);
                }
                let inner = input.delimited()?;
                parts.enter(index, field, message);
                // A message that comes again is added to; so it is read when
                // all of it is there.
                let slot = &mut parts.values[field.slot];
                *slot = Value::Bytes(match std::mem::take(slot) {
                    Value::Bytes(before) => joined(before, inner.rest_slice()),
                    _ => inner.rest(),
                });
                Ok(true)
            }
            Form::One(reader) => {
                if wire != scalar_wire(reader) {
                    return Ok(false);
                }
                if let Some(value) = scalar(reader, input)? {
                    parts.enter(index, field, message);
                    parts.values[field.slot] = value;
                }
                Ok(true)
            }
            Form::Repeated(list, reader) => {
                let Some(list) = parts.lists.get_mut(*list) else {
                    return Ok(false);
                };
                if reader.is_message() {
                    if wire != WireType::Len {
                        return Ok(false);
                    }
                    let inner = input.delimited()?;
                    list.push(self.message(reader, inner, depth - 1)?);
                    return Ok(true);
                }
                let own = scalar_wire(reader);
                if wire == own {
                    list.extend(scalar(reader, input)?);
                    return Ok(true);
                }
                if wire != WireType::Len {
                    return Ok(false);
                }
                let mut packed = input.delimited()?;
                while !packed.is_empty() {
                    list.extend(scalar(reader, &mut packed)?);
                }
                Ok(true)
            }
            Form::Map(map, entry) => {
                if wire != WireType::Len {
                    return Ok(false);
                }
                let pair = self.entry(entry, input.delimited()?, depth - 1)?;
                if let Some(map) = parts.maps.get_mut(*map) {
                    map.push(pair);
                }
                Ok(true)
            }
        }
    }

    fn entry(
        &self,
        entry: &EntryReader,
        mut input: Input<'_>,
        depth: usize,
    ) -> Result<(Value, Value)> {
        if depth == 0 {
            return Err(WireError::Depth(input.position()));
        }
        let mut key = Side::new(&entry.key, &entry.unset_key);
        let mut value = Side::new(&entry.value, &entry.unset_value);
        while !input.is_empty() {
            let (number, wire) = input.tag()?;
            let taken = match number {
                1 => key.take(wire, &mut input)?,
                2 => value.take(wire, &mut input)?,
                _ => false,
            };
            if !taken {
                input.skip(number, wire, depth)?;
            }
        }
        Ok((self.side(key, depth)?, self.side(value, depth)?))
    }

    fn side(&self, side: Side<'_>, depth: usize) -> Result<Value> {
        match side.value {
            Value::Bytes(bytes) if side.reader.is_message() => {
                self.message(side.reader, Input::new(&bytes, 0), depth - 1)
            }
            value => Ok(value),
        }
    }

    fn finish(
        &self,
        message: &MessageReader,
        schema: &SchemaRef,
        parts: Parts,
        depth: usize,
    ) -> Result<Value> {
        let Parts {
            mut values,
            members,
            mut lists,
            mut maps,
        } = parts;
        let missing: Vec<_> = message
            .required
            .iter()
            .filter_map(|index| message.fields.get(*index))
            .filter(|field| values[field.slot].is_null())
            .map(|field| &*field.name)
            .collect();
        if !missing.is_empty() {
            return Err(WireError::Required(missing.join(", ")));
        }
        for (value, slot) in values.iter_mut().zip(&message.slots) {
            match slot {
                Slot::Field(index) => {
                    let Some(field) = message.fields.get(*index) else {
                        continue;
                    };
                    match &field.form {
                        Form::One(reader) if reader.is_message() => {
                            let bytes = match std::mem::take(value) {
                                Value::Bytes(bytes) => bytes,
                                _ if self.struct_for_nulls && field.union.is_none() => Bytes::new(),
                                _ => continue,
                            };
                            *value = self.message(reader, Input::new(&bytes, 0), depth - 1)?;
                        }
                        Form::Repeated(list, _) => {
                            let list = lists.get_mut(*list).map(std::mem::take);
                            let list = list.unwrap_or_default();
                            *value = if list.is_empty() {
                                field.unset.clone()
                            } else {
                                Value::Array(Arc::new(list))
                            };
                        }
                        Form::Map(map, _) => {
                            let pairs = maps.get_mut(*map).map(std::mem::take);
                            let pairs = pairs.unwrap_or_default();
                            *value = if pairs.is_empty() {
                                field.unset.clone()
                            } else {
                                Value::Map(Arc::new(pairs.into_iter().collect::<MapValue>()))
                            };
                        }
                        _ if value.is_null() => *value = field.unset.clone(),
                        _ => {}
                    }
                }
                Slot::Union { ordinal, schema } => {
                    let Some(field) = members.get(*ordinal).copied().flatten() else {
                        continue;
                    };
                    let Some(field) = message.fields.get(field) else {
                        continue;
                    };
                    let mut set = std::mem::take(value);
                    if let (Form::One(reader), Value::Bytes(bytes)) = (&field.form, &set)
                        && reader.is_message()
                    {
                        set = self.message(reader, Input::new(bytes, 0), depth - 1)?;
                    }
                    let mut union = vec![Value::Null; schema.fields().len()];
                    if let Some((_, member)) = field.union
                        && let Some(slot) = union.get_mut(member)
                    {
                        *slot = set;
                    }
                    *value = structure(schema, union)?;
                }
            }
        }
        structure(schema, values)
    }
}

/// Key or value of a map's entry.
struct Side<'a> {
    reader: &'a Reader,
    /// A message is still bytes.
    value: Value,
}

impl<'a> Side<'a> {
    fn new(reader: &'a Reader, unset: &Value) -> Self {
        let value = if reader.is_message() {
            Value::Bytes(Bytes::new())
        } else {
            unset.clone()
        };
        Self { reader, value }
    }

    /// Reads it; false if it has another form than its type says.
    fn take(&mut self, wire: WireType, input: &mut Input<'_>) -> Result<bool> {
        if wire != scalar_wire(self.reader) {
            return Ok(false);
        }
        if self.reader.is_message() {
            let inner = input.delimited()?;
            self.value = Value::Bytes(match std::mem::take(&mut self.value) {
                Value::Bytes(before) if !before.is_empty() => joined(before, inner.rest_slice()),
                _ => inner.rest(),
            });
        } else if let Some(value) = scalar(self.reader, input)? {
            self.value = value;
        }
        Ok(true)
    }
}

/// What was read of a message so far.
struct Parts {
    /// Messages are still bytes.
    values: Vec<Value>,
    /// The field of each union that is set.
    members: Vec<Option<usize>>,
    lists: Vec<Vec<Value>>,
    maps: Vec<Vec<(Value, Value)>>,
}

impl Parts {
    /// Leaves the field of a union that was set before this one.
    fn enter(&mut self, index: usize, field: &FieldReader, message: &MessageReader) {
        let Some((ordinal, _)) = field.union else {
            return;
        };
        let Some(member) = self.members.get_mut(ordinal) else {
            return;
        };
        if let Some(before) = member.replace(index)
            && before != index
            && let Some(before) = message.fields.get(before)
        {
            self.values[before.slot] = Value::Null;
        }
    }
}

fn structure(schema: &SchemaRef, values: Vec<Value>) -> Result<Value> {
    match Struct::from_values(schema.clone(), values) {
        Ok(structure) => Ok(Value::Struct(Arc::new(structure))),
        Err(error) => Err(WireError::Value {
            class: error.java_class(),
            message: error.message().to_owned(),
        }),
    }
}

/// Two pieces of a message.
fn joined(before: Bytes, after: &[u8]) -> Bytes {
    let mut joined = match before.try_into_mut() {
        Ok(joined) => joined,
        Err(shared) => BytesMut::from(&shared[..]),
    };
    joined.extend_from_slice(after);
    joined.freeze()
}

fn scalar_wire(reader: &Reader) -> WireType {
    match reader {
        Reader::Scalar { scalar, .. } => match scalar {
            Scalar::Double | Scalar::Fixed64 | Scalar::SFixed64 => WireType::Fixed64,
            Scalar::Float | Scalar::Fixed32 | Scalar::SFixed32 => WireType::Fixed32,
            Scalar::String | Scalar::Bytes => WireType::Len,
            _ => WireType::Varint,
        },
        Reader::Enum(_) => WireType::Varint,
        _ => WireType::Len,
    }
}

/// Reads a value without parts; `None` for numbers that an enumeration has not.
fn scalar(reader: &Reader, input: &mut Input<'_>) -> Result<Option<Value>> {
    let (scalar, kind, strict) = match reader {
        Reader::Enum(reader) => return Ok(reader.value(input.varint()? as i32)),
        Reader::Scalar {
            scalar,
            kind,
            strict,
        } => (*scalar, *kind, *strict),
        _ => return input.invalid("scalar"),
    };
    let integer = |number| integer_value(kind, number);
    Ok(Some(match scalar {
        Scalar::Double => Value::Float64(f64::from_bits(input.fixed64()?)),
        Scalar::Float => Value::Float32(f32::from_bits(input.fixed32()?)),
        Scalar::Int32 => integer(i64::from(input.varint()? as i32)),
        Scalar::Int64 | Scalar::UInt64 => integer(input.varint()? as i64),
        Scalar::UInt32 => integer(i64::from(input.varint()? as u32)),
        Scalar::SInt32 => integer(unzigzag(u64::from(input.varint()? as u32))),
        Scalar::SInt64 => integer(unzigzag(input.varint()?)),
        Scalar::Fixed32 => integer(i64::from(input.fixed32()?)),
        Scalar::SFixed32 => integer(i64::from(input.fixed32()? as i32)),
        Scalar::Fixed64 | Scalar::SFixed64 => integer(input.fixed64()? as i64),
        Scalar::Bool => Value::Boolean(input.varint()? != 0),
        Scalar::Bytes => Value::Bytes(input.delimited()?.rest()),
        Scalar::String => {
            let bytes = input.delimited()?.rest();
            match Text::try_from(bytes.clone()) {
                Ok(text) => Value::String(text),
                Err(_) if strict => return input.invalid("UTF-8"),
                Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned().into()),
            }
        }
    }))
}

/// Reads what is alone in a message.
fn wrapped(inner: &Reader, mut input: Input<'_>, depth: usize) -> Result<Value> {
    let mut value = match inner {
        Reader::Scalar { scalar, kind, .. } => super::plan::default_value(*scalar, *kind, None),
        _ => None,
    }
    .unwrap_or_default();
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        if number == 1 && wire == scalar_wire(inner) {
            value = scalar(inner, &mut input)?.unwrap_or_default();
        } else {
            input.skip(number, wire, depth)?;
        }
    }
    Ok(value)
}

/// The integers of the fields 1 to N.
fn integers<const N: usize>(input: &mut Input<'_>, depth: usize) -> Result<[u64; N]> {
    let mut integers = [0; N];
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        match integers.get_mut((number - 1) as usize) {
            Some(integer) if wire == WireType::Varint => *integer = input.varint()?,
            _ => input.skip(number, wire, depth)?,
        }
    }
    Ok(integers)
}

fn refused<T>(class: &'static str, message: impl Into<String>) -> Result<T> {
    Err(WireError::Value {
        class,
        message: message.into(),
    })
}

const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";

fn date(input: &mut Input<'_>, depth: usize) -> Result<Value> {
    let [year, month, day] = integers(input, depth)?.map(|part| part as i32);
    match logical::days_of_date(year, month, day) {
        Ok(days) => Ok(Value::Date(days)),
        Err(part) => refused(ILLEGAL_ARGUMENT, part),
    }
}

fn time(input: &mut Input<'_>, depth: usize) -> Result<Value> {
    let parts: [i32; 4] = integers(input, depth)?.map(|part| part as i32);
    let limits = [
        ("HourOfDay", 23),
        ("MinuteOfHour", 59),
        ("SecondOfMinute", 59),
        ("NanoOfSecond", 999_999_999),
    ];
    for (part, (name, most)) in parts.iter().zip(limits) {
        if !(0..=most).contains(part) {
            return refused(
                "java.time.DateTimeException",
                format!("Invalid value for {name} (valid values 0 - {most}): {part}"),
            );
        }
    }
    let [hours, minutes, seconds, nanos] = parts;
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    Ok(Value::Time(seconds * 1000 + nanos / 1_000_000))
}

fn timestamp(input: &mut Input<'_>, depth: usize) -> Result<Value> {
    let [seconds, nanos] = integers(input, depth)?;
    match logical::timestamp(seconds as i64, nanos as i32) {
        Ok(millis) => Ok(Value::Timestamp(millis)),
        Err(message) => refused(ILLEGAL_ARGUMENT, message),
    }
}

fn decimal(input: &mut Input<'_>, depth: usize) -> Result<Value> {
    let (mut unscaled, mut precision, mut scale) = (&[][..], 0u32, 0i32);
    while !input.is_empty() {
        match input.tag()? {
            (1, WireType::Len) => unscaled = input.delimited()?.rest_slice(),
            (2, WireType::Varint) => precision = input.varint()? as u32,
            (3, WireType::Varint) => scale = input.varint()? as i32,
            (number, wire) => input.skip(number, wire, depth)?,
        }
    }
    if unscaled.is_empty() {
        return refused("java.lang.NumberFormatException", "Zero length BigInteger");
    }
    if unscaled.len() > MAX_DECIMAL {
        return refused(
            ILLEGAL_ARGUMENT,
            format!("a decimal of more than {MAX_DECIMAL} bytes"),
        );
    }
    if precision > i32::MAX as u32 {
        return refused(ILLEGAL_ARGUMENT, "Digits < 0");
    }
    let decimal = Decimal::from_be_bytes(unscaled, scale);
    Ok(Value::Decimal(Arc::new(logical::rounded(
        decimal, precision,
    ))))
}
