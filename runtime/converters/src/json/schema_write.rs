//! Connect schemas to JSON text.

use tether_api::Result;
use tether_api::data::{SchemaRef, Type};

use super::config::Options;
use super::plan::Plan;
use super::text::write_string;
use super::write::Writer;

/// The word for a type in schemas.
pub(super) fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::Boolean => "boolean",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Array => "array",
        Type::Map => "map",
        Type::Struct => "struct",
    }
}

/// Appends a schema; no schema is `null`.
///
/// # Errors
/// Data, if a default value does not fit its schema.
pub(super) fn write_schema(
    schema: Option<&SchemaRef>,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<()> {
    match schema {
        Some(schema) => write_field(schema, None, options, out),
        None => {
            out.extend_from_slice(b"null");
            Ok(())
        }
    }
}

/// Appends a schema, with the name of its field at the end if it is one.
fn write_field(
    schema: &SchemaRef,
    name: Option<&str>,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.extend_from_slice(b"{\"type\":");
    write_string(type_name(schema.kind()), out);
    match schema.kind() {
        Type::Array => {
            out.extend_from_slice(b",\"items\":");
            write_schema(schema.value_schema(), options, out)?;
        }
        Type::Map => {
            out.extend_from_slice(b",\"keys\":");
            write_schema(schema.key_schema(), options, out)?;
            out.extend_from_slice(b",\"values\":");
            write_schema(schema.value_schema(), options, out)?;
        }
        Type::Struct => {
            out.extend_from_slice(b",\"fields\":[");
            for field in schema.fields() {
                if field.index > 0 {
                    out.push(b',');
                }
                write_field(&field.schema, Some(&field.name), options, out)?;
            }
            out.push(b']');
        }
        _ => {}
    }
    out.extend_from_slice(if schema.is_optional() {
        b",\"optional\":true"
    } else {
        b",\"optional\":false"
    });
    if let Some(name) = schema.name() {
        write_member("name", name, out);
    }
    if let Some(version) = schema.version() {
        out.extend_from_slice(format!(",\"version\":{version}").as_bytes());
    }
    if let Some(doc) = schema.doc() {
        write_member("doc", doc, out);
    }
    if !schema.parameters().is_empty() {
        out.extend_from_slice(b",\"parameters\":");
        for (index, (name, value)) in schema.parameters().iter().enumerate() {
            out.push(if index == 0 { b'{' } else { b',' });
            write_string(name, out);
            out.push(b':');
            write_string(value, out);
        }
        out.push(b'}');
    }
    if let Some(default) = schema.default_value() {
        out.extend_from_slice(b",\"default\":");
        let plan = Plan::of(schema, options.dialect);
        Writer::new(options, out).value(Some(&plan), default)?;
    }
    if let Some(name) = name {
        write_member("field", name, out);
    }
    out.push(b'}');
    Ok(())
}

fn write_member(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_string(name, out);
    out.push(b':');
    write_string(value, out);
}
