//! How messages of a schema are read, worked out once.

use std::collections::HashMap;
use std::sync::Arc;

use tether_api::data::{Bytes, SchemaRef, Text, Type, Value};
use tether_api::{ConnectError, Result};

use super::super::config::Options;
use super::super::descriptor::{
    Descriptors, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Scalar,
};
use super::super::names::{self, simple_name};
use super::super::to_connect::{is_nullable, map_entry, union_field, unwrapped};

/// How messages of a schema are read.
pub(in super::super) struct ReadPlan {
    pub(super) messages: Vec<MessageReader>,
    pub(super) root: Reader,
    pub(super) struct_for_nulls: bool,
}

/// How a message is read.
#[derive(Default)]
pub(super) struct MessageReader {
    pub(super) fields: Vec<FieldReader>,
    pub(super) tags: Tags,
    /// What each field of the struct is made from.
    pub(super) slots: Vec<Slot>,
    /// How many of each there are.
    pub(super) unions: usize,
    pub(super) lists: usize,
    pub(super) maps: usize,
    /// Fields without which there is no message.
    pub(super) required: Vec<usize>,
}

/// What a field of a struct is made from.
pub(super) enum Slot {
    /// A field of the message.
    Field(usize),
    /// The member of a union that is set.
    Union { ordinal: usize, schema: SchemaRef },
}

/// How a field is read.
pub(super) struct FieldReader {
    pub(super) name: Box<str>,
    /// Where its value goes in the struct.
    pub(super) slot: usize,
    /// Its union, by number, and its place in there.
    pub(super) union: Option<(usize, usize)>,
    pub(super) form: Form,
    /// What it is if it is not set.
    pub(super) unset: Value,
}

pub(super) enum Form {
    One(Reader),
    /// The list of this number.
    Repeated(usize, Reader),
    /// The map of this number.
    Map(usize, Box<EntryReader>),
}

/// How the entries of a map are read.
pub(super) struct EntryReader {
    pub(super) key: Reader,
    pub(super) value: Reader,
    pub(super) unset_key: Value,
    pub(super) unset_value: Value,
}

/// How a value is read.
pub(super) enum Reader {
    Scalar {
        scalar: Scalar,
        /// What integers become.
        kind: Type,
        /// Whether texts that are not UTF-8 are refused.
        strict: bool,
    },
    Enum(Arc<EnumReader>),
    Message {
        message: usize,
        schema: SchemaRef,
    },
    /// The only field of a message.
    Wrapped(Box<Reader>),
    Decimal,
    Date,
    Time,
    Timestamp,
}

impl Reader {
    /// Whether the value is a message.
    pub(super) fn is_message(&self) -> bool {
        !matches!(self, Self::Scalar { .. } | Self::Enum(_))
    }
}

/// How an enumeration is read.
pub(super) struct EnumReader {
    names: HashMap<i32, Text>,
    unknown: String,
    as_number: bool,
    is_open: bool,
}

impl EnumReader {
    fn new(descriptor: &EnumDescriptor, options: Options) -> Self {
        let mut names = HashMap::new();
        for (name, number) in &descriptor.values {
            names
                .entry(*number)
                .or_insert_with(|| Text::from(name.as_str()));
        }
        Self {
            names,
            unknown: format!("UNKNOWN_ENUM_VALUE_{}_", simple_name(&descriptor.full_name)),
            as_number: options.int_for_enums,
            is_open: descriptor.is_open,
        }
    }

    /// The value of a number; `None` if the enumeration has none.
    pub(super) fn value(&self, number: i32) -> Option<Value> {
        match self.names.get(&number) {
            Some(_) if self.as_number => Some(Value::Int32(number)),
            Some(name) => Some(Value::String(name.clone())),
            None if !self.is_open => None,
            None if self.as_number => Some(Value::Int32(number)),
            None => Some(Value::String(format!("{}{number}", self.unknown).into())),
        }
    }
}

/// Which field has which number.
#[derive(Default)]
pub(super) struct Tags {
    /// By number, one more than the index; 0 for none.
    dense: Vec<u32>,
    /// Of numbers beyond, sorted.
    sparse: Vec<(i32, u32)>,
}

impl Tags {
    fn new(fields: &[FieldDescriptor]) -> Self {
        let limit = 2 * fields.len() + 64;
        let mut tags = Self::default();
        for (index, field) in fields.iter().enumerate() {
            let number = field.number as usize;
            if number >= limit {
                tags.sparse.push((field.number, index as u32));
                continue;
            }
            if tags.dense.len() <= number {
                tags.dense.resize(number + 1, 0);
            }
            tags.dense[number] = index as u32 + 1;
        }
        tags.sparse.sort_unstable();
        tags
    }

    /// The index of the field of a number.
    pub(super) fn index(&self, number: i32) -> Option<usize> {
        if let Some(found) = self.dense.get(number as usize) {
            return (*found as usize).checked_sub(1);
        }
        let found = self
            .sparse
            .binary_search_by_key(&number, |(known, _)| *known);
        found.ok().map(|at| self.sparse[at].1 as usize)
    }
}

impl ReadPlan {
    /// How the message of this index is read as values of a schema, which was
    /// made of it.
    ///
    /// # Errors
    /// Data, if the schema was not made of it.
    pub(in super::super) fn new(
        descriptors: &Descriptors,
        message: usize,
        schema: &SchemaRef,
        options: Options,
    ) -> Result<Self> {
        let mut planner = Planner {
            descriptors,
            options,
            messages: Vec::new(),
            known: HashMap::new(),
        };
        let root = planner.message(message, schema)?;
        Ok(Self {
            messages: planner.messages.into_iter().flatten().collect(),
            root,
            struct_for_nulls: options.struct_for_nulls,
        })
    }
}

struct Planner<'a> {
    descriptors: &'a Descriptors,
    options: Options,
    /// `None` while it is made.
    messages: Vec<Option<MessageReader>>,
    known: HashMap<usize, usize>,
}

fn unfit() -> ConnectError {
    ConnectError::data("the schema was not made of this message")
}

impl<'a> Planner<'a> {
    fn descriptor(&self, message: usize) -> Result<&'a MessageDescriptor> {
        self.descriptors.messages.get(message).ok_or_else(unfit)
    }

    /// How a message is read.
    fn message(&mut self, message: usize, schema: &SchemaRef) -> Result<Reader> {
        let descriptor = self.descriptor(message)?;
        if schema.kind() != Type::Struct {
            return match descriptor.full_name.as_str() {
                names::DECIMAL => Ok(Reader::Decimal),
                names::DATE => Ok(Reader::Date),
                names::TIME => Ok(Reader::Time),
                names::TIMESTAMP => Ok(Reader::Timestamp),
                name if unwrapped(name).is_some() => {
                    let field = descriptor.fields.first().ok_or_else(unfit)?;
                    let reader = self.value(field, descriptor, schema)?;
                    Ok(Reader::Wrapped(Box::new(reader)))
                }
                _ => Err(unfit()),
            };
        }
        let schema = match schema.is_reference() {
            true => schema.target().ok_or_else(unfit)?,
            false => schema.clone(),
        };
        let message = match self.known.get(&message) {
            Some(known) => *known,
            None => {
                let index = self.messages.len();
                self.messages.push(None);
                self.known.insert(message, index);
                let reader = self.structure(descriptor, &schema)?;
                self.messages[index] = Some(reader);
                index
            }
        };
        Ok(Reader::Message { message, schema })
    }

    fn structure(
        &mut self,
        descriptor: &MessageDescriptor,
        schema: &SchemaRef,
    ) -> Result<MessageReader> {
        let mut reader = MessageReader {
            tags: Tags::new(&descriptor.fields),
            unions: descriptor.oneofs.len(),
            ..MessageReader::default()
        };
        let mut slots: Vec<Option<Slot>> = schema.fields().iter().map(|_| None).collect();
        for (index, field) in descriptor.fields.iter().enumerate() {
            let oneof = field
                .oneof
                .and_then(|ordinal| descriptor.oneofs.get(ordinal).map(|name| (ordinal, name)));
            let (slot, union, own) = match oneof {
                Some((ordinal, name)) if !self.options.flatten_unions => {
                    let name = union_field(name, ordinal, self.options);
                    let union = schema.field(&name).ok_or_else(unfit)?;
                    let member = union.schema.field(&field.name).ok_or_else(unfit)?;
                    slots[union.index] = Some(Slot::Union {
                        ordinal,
                        schema: union.schema.clone(),
                    });
                    (union.index, Some((ordinal, member.index)), &member.schema)
                }
                _ => {
                    let own = schema.field(&field.name).ok_or_else(unfit)?;
                    slots[own.index] = Some(Slot::Field(index));
                    let union = oneof.map(|(ordinal, _)| (ordinal, usize::MAX));
                    (own.index, union, &own.schema)
                }
            };
            let form = self.form(field, descriptor, own, &mut reader)?;
            if field.required {
                reader.required.push(index);
            }
            reader.fields.push(FieldReader {
                name: field.name.as_str().into(),
                slot,
                union,
                unset: self.unset(&form, field, descriptor)?,
                form,
            });
        }
        // A oneof without members has an empty struct.
        for (ordinal, name) in descriptor.oneofs.iter().enumerate() {
            if !self.options.flatten_unions
                && let Some(union) = schema.field(&union_field(name, ordinal, self.options))
                && slots[union.index].is_none()
            {
                slots[union.index] = Some(Slot::Union {
                    ordinal,
                    schema: union.schema.clone(),
                });
            }
        }
        reader.slots = slots.into_iter().collect::<Option<_>>().ok_or_else(unfit)?;
        Ok(reader)
    }

    fn form(
        &mut self,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
        schema: &SchemaRef,
        structure: &mut MessageReader,
    ) -> Result<Form> {
        if !field.repeated {
            return Ok(Form::One(self.value(field, message, schema)?));
        }
        if let Kind::Message(entry) = field.kind {
            let entry = self.descriptor(entry)?;
            if let Some((key, value)) = map_entry(field, entry) {
                let (Some(keys), Some(values)) = (schema.key_schema(), schema.value_schema())
                else {
                    return Err(unfit());
                };
                let key_reader = self.value(key, entry, keys)?;
                let value_reader = self.value(value, entry, values)?;
                let reader = EntryReader {
                    unset_key: self.default(&key_reader, key)?,
                    unset_value: self.default(&value_reader, value)?,
                    key: key_reader,
                    value: value_reader,
                };
                structure.maps += 1;
                return Ok(Form::Map(structure.maps - 1, Box::new(reader)));
            }
        }
        let elements = schema.value_schema().ok_or_else(unfit)?;
        let reader = self.value(field, message, elements)?;
        structure.lists += 1;
        Ok(Form::Repeated(structure.lists - 1, reader))
    }

    /// How a value of a field is read.
    fn value(
        &mut self,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
        schema: &SchemaRef,
    ) -> Result<Reader> {
        match field.kind {
            Kind::Scalar(scalar) => Ok(Reader::Scalar {
                scalar,
                kind: schema.kind(),
                strict: message.is_proto3,
            }),
            Kind::Enum(index) => {
                let descriptor = self.descriptors.enums.get(index).ok_or_else(unfit)?;
                Ok(Reader::Enum(Arc::new(EnumReader::new(
                    descriptor,
                    self.options,
                ))))
            }
            Kind::Message(index) => self.message(index, schema),
        }
    }

    /// What a field is that is not set.
    fn unset(
        &self,
        form: &Form,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
    ) -> Result<Value> {
        match form {
            Form::One(reader) if reader.is_message() => Ok(Value::Null),
            Form::One(_) if field.oneof.is_some() => Ok(Value::Null),
            Form::One(reader) => {
                let nullable = is_nullable(field, message, self.options);
                if nullable && !self.options.struct_for_nulls {
                    return Ok(Value::Null);
                }
                self.default(reader, field)
            }
            Form::Repeated(..) => Ok(Value::Array(Arc::default())),
            Form::Map(..) => Ok(Value::Map(Arc::default())),
        }
    }

    /// The value of a field that is not set; null for messages.
    fn default(&self, reader: &Reader, field: &FieldDescriptor) -> Result<Value> {
        let text = field.default.as_deref();
        match (reader, field.kind) {
            (Reader::Enum(reader), Kind::Enum(index)) => {
                let values = &self.descriptors.enums.get(index).ok_or_else(unfit)?.values;
                let named = text.and_then(|text| values.iter().find(|(name, _)| name == text));
                let number = named.or(values.first()).map_or(0, |(_, number)| *number);
                Ok(reader.value(number).unwrap_or_default())
            }
            (Reader::Scalar { scalar, kind, .. }, _) => {
                let value = default_value(*scalar, *kind, text);
                value.ok_or_else(|| {
                    ConnectError::data(format!(
                        "{} is no default for the field {}",
                        text.unwrap_or_default(),
                        field.name
                    ))
                })
            }
            _ => Ok(Value::Null),
        }
    }
}

pub(super) fn default_value(scalar: Scalar, kind: Type, text: Option<&str>) -> Option<Value> {
    let integer = |number: i64| integer_value(kind, number);
    Some(match scalar {
        Scalar::Bool => Value::Boolean(text == Some("true")),
        Scalar::String => Value::String(text.unwrap_or_default().into()),
        Scalar::Bytes => Value::Bytes(Bytes::copy_from_slice(text.unwrap_or_default().as_bytes())),
        Scalar::Float | Scalar::Double => {
            let number: f64 = match text {
                None => 0.0,
                Some(text) => text.parse().ok()?,
            };
            if scalar == Scalar::Float {
                Value::Float32(number as f32)
            } else {
                Value::Float64(number)
            }
        }
        _ => match text {
            None => integer(0),
            Some(text) => integer(parse_integer(text)?),
        },
    })
}

fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let number = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(digits) => u64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    }
    .ok()?;
    Some(if negative {
        (number as i64).wrapping_neg()
    } else {
        number as i64
    })
}

/// An integer as a value of a type, cut to its width.
pub(super) fn integer_value(kind: Type, number: i64) -> Value {
    match kind {
        Type::Int8 => Value::Int8(number as i8),
        Type::Int16 => Value::Int16(number as i16),
        Type::Int32 => Value::Int32(number as i32),
        _ => Value::Int64(number),
    }
}
