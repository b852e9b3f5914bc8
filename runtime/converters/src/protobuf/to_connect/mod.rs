//! Protobuf schemas to Connect schemas (`ProtobufData.toConnectSchema`).

use std::collections::HashMap;

use tether_api::data::{Schema, SchemaBuilder, SchemaRef, Text, Type, logical};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::descriptor::{Descriptors, FieldDescriptor, Kind, MessageDescriptor, Scalar};
use super::names::{
    self, CONNECT_PRECISION, CONNECT_TYPE, ENUM, GENERALIZED_ENUM, GENERALIZED_UNION, PRECISION,
    SCALE, TAG, TYPE, UNION, simple_name,
};

/// The most parts that a schema may have. A message is repeated wherever it is
/// used, so a short text can describe more than any memory holds.
const MAX_PARTS: usize = 100_000;
/// How deep messages may be nested.
const MAX_DEPTH: usize = 100;

/// The Connect schema of a message. The version is the registry's.
///
/// # Errors
/// Data, if it is too large.
pub(super) fn to_connect(
    descriptors: &Descriptors,
    message: usize,
    version: Option<i32>,
    options: Options,
) -> Result<SchemaRef> {
    let mut conversion = Conversion {
        descriptors,
        options,
        around: HashMap::new(),
        done: HashMap::new(),
        made: 0,
    };
    let message_descriptor = conversion.descriptor(message)?;
    let unwrapped = options
        .wrapper_for_raw
        .then(|| unwrapped(&message_descriptor.full_name))
        .flatten();
    if let Some(kind) = unwrapped {
        return Ok(Schema::builder(kind).with_version(version).build());
    }
    conversion.around.insert(message, Vec::new());
    let builder = conversion.structure(message, 0)?;
    let schema = builder.with_version(version).build();
    for reference in conversion.around.remove(&message).unwrap_or_default() {
        reference.bind(&schema);
    }
    Ok(schema)
}

/// The type of what a message wraps.
pub(super) fn unwrapped(full_name: &str) -> Option<Type> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "DoubleValue" => Type::Float64,
        "FloatValue" => Type::Float32,
        "Int64Value" | "UInt64Value" | "UInt32Value" => Type::Int64,
        "Int32Value" => Type::Int32,
        "BoolValue" => Type::Boolean,
        "StringValue" => Type::String,
        "BytesValue" => Type::Bytes,
        _ => return None,
    })
}

/// Key and value of a repeated message that is the entry of a map.
pub(super) fn map_entry<'a>(
    field: &FieldDescriptor,
    message: &'a MessageDescriptor,
) -> Option<(&'a FieldDescriptor, &'a FieldDescriptor)> {
    match &message.fields[..] {
        [key, value]
            if field.repeated
                && names::is_map_entry(&message.full_name)
                && key.name == names::KEY
                && value.name == names::VALUE
                && !key.repeated
                && !value.repeated =>
        {
            Some((key, value))
        }
        _ => None,
    }
}

/// The name of the field of a union.
pub(super) fn union_field(name: &str, index: usize, options: Options) -> String {
    if options.index_for_unions {
        format!("{name}_{index}")
    } else {
        name.to_owned()
    }
}

/// Whether a field without a value is null rather than zero or empty.
pub(super) fn is_nullable(
    field: &FieldDescriptor,
    message: &MessageDescriptor,
    options: Options,
) -> bool {
    field.optional && (message.is_proto3 || options.optional_for_proto2)
}

struct Conversion<'a> {
    descriptors: &'a Descriptors,
    options: Options,
    /// The messages around, with the references to each.
    around: HashMap<usize, Vec<SchemaRef>>,
    /// The messages that were converted, as their first field has them.
    done: HashMap<usize, SchemaRef>,
    /// How many schemas were made.
    made: usize,
}

impl<'a> Conversion<'a> {
    fn descriptor(&self, message: usize) -> Result<&'a MessageDescriptor> {
        let found = self.descriptors.messages.get(message);
        found.ok_or_else(|| ConnectError::data("a message that is not there"))
    }

    fn structure(&mut self, message: usize, depth: usize) -> Result<SchemaBuilder> {
        let descriptor = self.descriptor(message)?;
        self.made += descriptor.fields.len() + 1;
        if self.made > MAX_PARTS || depth > MAX_DEPTH {
            return Err(ConnectError::data(format!(
                "the schema has more than {MAX_PARTS} parts or is nested more than {MAX_DEPTH} deep"
            )));
        }
        let name = self.shown_name(&descriptor.full_name);
        let mut builder = SchemaBuilder::structure().name(name);
        for (index, oneof) in descriptor.oneofs.iter().enumerate() {
            let members = descriptor
                .fields
                .iter()
                .filter(|field| field.oneof == Some(index));
            if self.options.flatten_unions {
                for member in members {
                    let schema = self.field(member, depth)?;
                    builder = builder.try_field(member.name.as_str(), schema)?;
                }
                continue;
            }
            let mut union = self.union(descriptor, oneof);
            for member in members {
                let schema = self.field(member, depth)?;
                union = union.try_field(member.name.as_str(), schema)?;
            }
            let name = union_field(oneof, index, self.options);
            builder = builder.try_field(name, union.optional().build())?;
        }
        for field in descriptor
            .fields
            .iter()
            .filter(|field| field.oneof.is_none())
        {
            let schema = self.field(field, depth)?;
            builder = builder.try_field(field.name.as_str(), schema)?;
        }
        Ok(builder)
    }

    fn shown_name(&self, full_name: &str) -> String {
        if self.options.enhanced {
            full_name.to_owned()
        } else {
            simple_name(full_name).to_owned()
        }
    }

    fn union(&self, message: &MessageDescriptor, name: &str) -> SchemaBuilder {
        if self.options.generalized {
            return SchemaBuilder::structure()
                .name(name)
                .parameter(GENERALIZED_UNION, name);
        }
        let name = if self.options.enhanced {
            format!("{UNION}.{}.{name}", message.full_name)
        } else {
            format!("{UNION}.{name}")
        };
        SchemaBuilder::structure().name(name)
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Result<SchemaRef> {
        let mut builder = match field.kind {
            Kind::Scalar(scalar) => scalar_schema(scalar, field),
            Kind::Enum(index) => self.enumeration(index)?.optional(),
            Kind::Message(index) => self.message(field, index, depth)?.optional(),
        };
        let is_map = match field.kind {
            Kind::Message(index) => map_entry(field, self.descriptor(index)?).is_some(),
            _ => false,
        };
        if field.repeated && !is_map {
            builder = SchemaBuilder::array(self.built(builder.optional(), field.kind)).optional();
            return Ok(self.marked(builder, field).build());
        }
        let builder = self.marked(builder, field);
        Ok(self.built(builder, field.kind))
    }

    /// Optional as the settings say, and with the number of the field.
    fn marked(&self, builder: SchemaBuilder, field: &FieldDescriptor) -> SchemaBuilder {
        let builder = if self.options.optional_for_nullables {
            if field.optional {
                builder.optional()
            } else {
                builder
            }
        } else if self.options.wrapper_for_nullables {
            builder
        } else {
            builder.optional()
        };
        builder.parameter(TAG, field.number.to_string())
    }

    /// Builds the schema of a type, and remembers it if it is a message.
    fn built(&mut self, builder: SchemaBuilder, kind: Kind) -> SchemaRef {
        let schema = builder.build();
        let Kind::Message(index) = kind else {
            return schema;
        };
        if schema.is_reference() {
            if let Some(references) = self.around.get_mut(&index) {
                references.push(schema.clone());
            }
        } else if schema.kind() == Type::Struct && !self.done.contains_key(&index) {
            for reference in self.around.remove(&index).unwrap_or_default() {
                reference.bind(&schema);
            }
            self.done.insert(index, schema.clone());
        }
        schema
    }

    fn message(
        &mut self,
        field: &FieldDescriptor,
        index: usize,
        depth: usize,
    ) -> Result<SchemaBuilder> {
        let descriptor = self.descriptor(index)?;
        match descriptor.full_name.as_str() {
            names::DECIMAL => return Ok(decimal(field)),
            names::DATE => return Ok(logical::date_builder()),
            names::TIME => return Ok(logical::time_builder()),
            names::TIMESTAMP => return Ok(logical::timestamp_builder()),
            _ => {}
        }
        if self.options.wrapper_for_nullables
            && let Some(kind) = unwrapped(&descriptor.full_name)
        {
            return Ok(Schema::builder(kind));
        }
        if let Some((key, value)) = map_entry(field, descriptor) {
            let keys = self.field(key, depth + 1)?;
            let values = self.field(value, depth + 1)?;
            let name = names::map_name(&self.shown_name(&descriptor.full_name));
            return Ok(SchemaBuilder::map(keys, values).name(name));
        }
        if self.around.contains_key(&index) {
            let name = self.shown_name(&descriptor.full_name);
            return Ok(Schema::reference(Some(Text::from(name)), true).to_builder());
        }
        if let Some(done) = self.done.get(&index) {
            return Ok(done.to_builder());
        }
        if self.options.wrapper_for_raw
            && let Some(kind) = unwrapped(&descriptor.full_name)
        {
            return Ok(Schema::builder(kind));
        }
        self.around.insert(index, Vec::new());
        self.structure(index, depth + 1)
    }

    fn enumeration(&self, index: usize) -> Result<SchemaBuilder> {
        let Some(descriptor) = self.descriptors.enums.get(index) else {
            return Err(ConnectError::data("an enumeration that is not there"));
        };
        let kind = if self.options.int_for_enums {
            Type::Int32
        } else {
            Type::String
        };
        let parameter = if self.options.generalized {
            GENERALIZED_ENUM
        } else {
            ENUM
        };
        let mut builder = Schema::builder(kind)
            .name(self.shown_name(&descriptor.full_name))
            .parameter(parameter, simple_name(&descriptor.full_name));
        for (name, number) in &descriptor.values {
            builder = builder.parameter(format!("{parameter}.{name}"), number.to_string());
        }
        Ok(builder)
    }
}

fn scalar_schema(scalar: Scalar, field: &FieldDescriptor) -> SchemaBuilder {
    let kind = match scalar {
        Scalar::Int32 | Scalar::SInt32 | Scalar::SFixed32 => match parameter(field, CONNECT_TYPE) {
            Some("int8") => return Schema::builder(Type::Int8),
            Some("int16") => return Schema::builder(Type::Int16),
            _ => Type::Int32,
        },
        Scalar::Float => Type::Float32,
        Scalar::Double => Type::Float64,
        Scalar::Bool => Type::Boolean,
        Scalar::String => Type::String,
        Scalar::Bytes => Type::Bytes,
        _ => Type::Int64,
    };
    let builder = Schema::builder(kind);
    match scalar {
        Scalar::UInt32
        | Scalar::UInt64
        | Scalar::SInt32
        | Scalar::SInt64
        | Scalar::Fixed32
        | Scalar::Fixed64
        | Scalar::SFixed32
        | Scalar::SFixed64 => builder.parameter(TYPE, scalar.name()),
        _ => builder,
    }
}

fn decimal(field: &FieldDescriptor) -> SchemaBuilder {
    let number = |name| parameter(field, name)?.parse::<i32>().ok();
    let builder = logical::decimal_builder(number(SCALE).unwrap_or(0));
    match number(PRECISION) {
        Some(precision) => builder.parameter(CONNECT_PRECISION, precision.to_string()),
        None => builder,
    }
}

fn parameter<'a>(field: &'a FieldDescriptor, name: &str) -> Option<&'a str> {
    let found = field.params.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}
