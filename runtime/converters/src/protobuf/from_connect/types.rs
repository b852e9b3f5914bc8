//! The types of fields without parts.

use tether_api::Result;
use tether_api::data::{Schema, Type, logical::Logical};

use super::super::config::Options;
use super::super::encode::{Integer, Writer};
use super::super::names;
use super::field::{declared_type, wrong_object};
use super::illegal_argument;

/// A logical type with what it is in Protobuf.
#[derive(Clone, Copy)]
pub(super) struct Logic(Logical);

impl Logic {
    pub(super) fn of(schema: &Schema) -> Option<Self> {
        Logical::of(schema).map(Self)
    }

    pub(super) fn logical(self) -> Logical {
        self.0
    }

    pub(super) fn type_name(self) -> &'static str {
        match self.0 {
            Logical::Decimal => names::DECIMAL,
            Logical::Date => names::DATE,
            Logical::Time => names::TIME,
            Logical::Timestamp => names::TIMESTAMP,
        }
    }

    pub(super) fn file(self) -> &'static str {
        match self.0 {
            Logical::Decimal => "confluent/type/decimal.proto",
            Logical::Date => "google/type/date.proto",
            Logical::Time => "google/type/timeofday.proto",
            Logical::Timestamp => "google/protobuf/timestamp.proto",
        }
    }

    pub(super) fn writer(self) -> Writer {
        match self.0 {
            Logical::Decimal => Writer::Decimal,
            Logical::Date => Writer::Date,
            Logical::Time => Writer::Time,
            Logical::Timestamp => Writer::Timestamp,
        }
    }
}

/// The name of the message that wraps a value of this type.
pub(super) fn wrapper(kind: Type, declared: Option<&str>) -> &'static str {
    match kind {
        Type::Float32 => "google.protobuf.FloatValue",
        Type::Float64 => "google.protobuf.DoubleValue",
        Type::Boolean => "google.protobuf.BoolValue",
        Type::String => "google.protobuf.StringValue",
        Type::Bytes => "google.protobuf.BytesValue",
        Type::Int64 => match declared {
            Some("uint32" | "fixed32") => "google.protobuf.UInt32Value",
            Some("uint64" | "fixed64") => "google.protobuf.UInt64Value",
            _ => "google.protobuf.Int64Value",
        },
        _ => "google.protobuf.Int32Value",
    }
}

/// The name of the type of a field.
pub(super) fn type_name(schema: &Schema, wrapped: bool) -> String {
    let declared = declared_type(schema);
    if wrapped {
        return wrapper(schema.kind(), declared).to_owned();
    }
    let name = match schema.kind() {
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::Boolean => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Int64 => declared.unwrap_or("int64"),
        Type::Int32 => declared.unwrap_or("int32"),
        _ => "int32",
    };
    name.to_owned()
}

/// How values of a schema are written in a field.
pub(super) fn scalar_writer(schema: &Schema, wrapped: bool, number: i32) -> Result<Writer> {
    let kind = schema.kind();
    let declared = declared_type(schema);
    if wrapped {
        return Ok(Writer::Wrapped(Box::new(plain_writer(kind, declared))));
    }
    let integer = |kind| Ok(Writer::Integer(kind));
    match (kind, declared) {
        (Type::Int32 | Type::Int64, Some(declared)) => {
            let form = match declared {
                "int32" => Integer::Int32,
                "uint32" => Integer::UInt32,
                "sint32" => Integer::SInt32,
                "fixed32" | "sfixed32" => Integer::Fixed32,
                "int64" | "uint64" => Integer::Int64,
                "sint64" => Integer::SInt64,
                "fixed64" | "sfixed64" => Integer::Fixed64,
                _ => {
                    let (field, class) = (java_type(declared), java_class(kind));
                    return match field {
                        Some(field) => Err(illegal_argument(wrong_object(number, field, class))),
                        // There is no such type, as is found out later.
                        None => integer(Integer::Int64),
                    };
                }
            };
            // The class of values decides about which fields they fit.
            let is_int = kind == Type::Int32 || matches!(declared, "uint32" | "fixed32");
            match (is_int, form.is_narrow()) {
                (true, false) => Err(illegal_argument(wrong_object(
                    number,
                    "LONG",
                    "java.lang.Integer",
                ))),
                (false, true) => Err(illegal_argument(wrong_object(
                    number,
                    "INT",
                    "java.lang.Long",
                ))),
                _ => integer(form),
            }
        }
        _ => Ok(plain_writer(kind, declared)),
    }
}

/// What Java calls the type of a field that takes no integers.
fn java_type(declared: &str) -> Option<&'static str> {
    Some(match declared {
        "string" => "STRING",
        "bytes" => "BYTE_STRING",
        "bool" => "BOOLEAN",
        "float" => "FLOAT",
        "double" => "DOUBLE",
        _ => return None,
    })
}

fn java_class(kind: Type) -> &'static str {
    if kind == Type::Int32 {
        "java.lang.Integer"
    } else {
        "java.lang.Long"
    }
}

/// How values are written that are alone in a message.
fn plain_writer(kind: Type, declared: Option<&str>) -> Writer {
    match kind {
        Type::Float32 => Writer::Float,
        Type::Float64 => Writer::Double,
        Type::Boolean => Writer::Bool,
        Type::String => Writer::String,
        Type::Bytes => Writer::Bytes,
        // The reference takes a signed wrapper for both.
        Type::Int64 if matches!(declared, Some("uint32" | "fixed32")) => {
            Writer::Integer(Integer::Int32)
        }
        Type::Int64 => Writer::Integer(Integer::Int64),
        _ => Writer::Integer(Integer::Int32),
    }
}

/// The name of the message that values on their own are.
pub(super) fn root_message(schema: &Schema) -> &'static str {
    Logic::of(schema).map_or(wrapper(schema.kind(), None), Logic::type_name)
}

/// How values that are a record on their own are written.
pub(super) fn root_writer(schema: &Schema, options: Options) -> Result<Writer> {
    if let Some(logic) = Logic::of(schema) {
        return Ok(logic.writer());
    }
    let parameters = schema.parameters();
    let is_enum = match schema.kind() {
        Type::String if options.generalized => parameters.get(names::GENERALIZED_ENUM).is_some(),
        Type::String | Type::Int8 | Type::Int16 | Type::Int32 => {
            parameters.get(names::ENUM).is_some()
        }
        _ => false,
    };
    if is_enum {
        return Err(illegal_argument(
            "an enumeration cannot be a record on its own; put it into a struct",
        ));
    }
    Ok(Writer::Wrapped(Box::new(plain_writer(
        schema.kind(),
        declared_type(schema),
    ))))
}
