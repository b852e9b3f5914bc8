//! How values of a schema are written, worked out once.

use std::collections::HashMap;

use tether_api::data::{SchemaRef, Text};

use super::super::wire::WireType;

/// How values of a schema are written.
pub(in super::super) struct WritePlan {
    pub(in super::super) messages: Vec<MessageWriter>,
    pub(in super::super) root: Writer,
    pub(in super::super) ignore_default: bool,
}

/// How the fields of a message are written, in the order of their numbers.
#[derive(Default)]
pub(in super::super) struct MessageWriter {
    pub(in super::super) fields: Vec<FieldWriter>,
    /// The fields that are unions, with their schemas.
    pub(in super::super) unions: Vec<(usize, SchemaRef)>,
}

/// How a field is written.
pub(in super::super) struct FieldWriter {
    pub(in super::super) number: i32,
    pub(super) source: Source,
    pub(super) form: Form,
    /// Whether a value that is zero or empty is not written.
    pub(super) implicit: bool,
}

/// Where the value of a field is.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// In the field of this index.
    Field(usize),
    /// In the union of this index, if its member of this index is the first
    /// one that is set.
    Member(usize, usize),
}

impl FieldWriter {
    /// The writer of a field of a struct.
    pub(in super::super) fn of_field(
        index: usize,
        number: i32,
        implicit: bool,
        form: Form,
    ) -> Self {
        Self {
            number,
            source: Source::Field(index),
            implicit: implicit && matches!(&form, Form::One(writer) if writer.is_scalar()),
            form,
        }
    }

    /// The writer of a member of a union.
    pub(in super::super) fn of_member(
        union: usize,
        member: usize,
        number: i32,
        form: Form,
    ) -> Self {
        Self {
            number,
            source: Source::Member(union, member),
            implicit: false,
            form,
        }
    }
}

/// How often a field is written.
pub(in super::super) enum Form {
    One(Writer),
    /// Once for each element.
    Repeated(Writer),
    /// Once, with all elements.
    Packed(Writer),
    /// Once for each entry, by the writers of key and value.
    Map(Box<[FieldWriter; 2]>),
    /// Only where it is empty: an array of maps, for this reason.
    Unfit(Box<str>),
}

/// How a value is written.
pub(in super::super) enum Writer {
    Integer(Integer),
    Float,
    Double,
    Bool,
    String,
    Bytes,
    Enum(EnumWriter),
    Message {
        plan: usize,
        schema: SchemaRef,
    },
    /// As the only field of a message.
    Wrapped(Box<Writer>),
    Decimal,
    Date,
    Time,
    Timestamp,
}

impl Writer {
    fn is_scalar(&self) -> bool {
        matches!(
            self,
            Self::Integer(_)
                | Self::Float
                | Self::Double
                | Self::Bool
                | Self::String
                | Self::Bytes
                | Self::Enum(_)
        )
    }

    /// Whether several values fit into one field.
    pub(in super::super) fn is_packable(&self) -> bool {
        self.is_scalar() && !matches!(self, Self::String | Self::Bytes)
    }

    pub(super) fn wire(&self) -> WireType {
        match self {
            Self::Integer(Integer::Fixed32) | Self::Float => WireType::Fixed32,
            Self::Integer(Integer::Fixed64) | Self::Double => WireType::Fixed64,
            Self::Integer(_) | Self::Bool | Self::Enum(_) => WireType::Varint,
            _ => WireType::Len,
        }
    }
}

/// How integers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Integer {
    Int32,
    UInt32,
    SInt32,
    Fixed32,
    Int64,
    SInt64,
    Fixed64,
}

impl Integer {
    /// Whether it has 32 bits.
    pub(in super::super) fn is_narrow(self) -> bool {
        !matches!(self, Self::Int64 | Self::SInt64 | Self::Fixed64)
    }
}

/// How values of an enumeration are written.
pub(in super::super) struct EnumWriter {
    by_name: HashMap<Text, i32>,
    values: Vec<(String, i32)>,
}

impl EnumWriter {
    /// Of an enumeration's values.
    pub(in super::super) fn new(values: Vec<(String, i32)>) -> Self {
        Self {
            by_name: values
                .iter()
                .map(|(name, number)| (Text::from(name.as_str()), *number))
                .collect(),
            values,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<i32> {
        // A few are found faster by looking at them.
        if self.values.len() <= 8 {
            let found = self.values.iter().find(|(known, _)| known == name);
            return found.map(|(_, number)| *number);
        }
        self.by_name.get(name).copied()
    }

    pub(super) fn has(&self, number: i32) -> bool {
        self.values.iter().any(|(_, known)| *known == number)
    }

    /// The number that fields have that are not set.
    pub(super) fn first(&self) -> i32 {
        self.values.first().map_or(0, |(_, number)| *number)
    }
}
