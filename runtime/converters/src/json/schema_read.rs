//! JSON text to Connect schemas.

use std::collections::HashSet;

use tether_api::data::{SchemaBuilder, SchemaRef, Text, Type, Value, validate};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::plan::Plan;
use super::read::read_value;
use super::scan::NumberText;
use super::tree::{Tree, TreeShape};

/// Reads a schema; `null` is none.
///
/// # Errors
/// Data, with the reference's text, if it is no schema.
pub(super) fn read_schema(json: &Tree<'_>, options: Options) -> Result<Option<SchemaRef>> {
    if json.is_null() {
        return Ok(None);
    }
    read_present(json, options).map(Some)
}

fn read_present(json: &Tree<'_>, options: Options) -> Result<SchemaRef> {
    let Some(type_name) = json.get_text("type") else {
        return Err(ConnectError::data("Schema must contain 'type' field"));
    };
    let mut builder = match type_name {
        "boolean" => SchemaBuilder::new(Type::Boolean),
        "int8" => SchemaBuilder::new(Type::Int8),
        "int16" => SchemaBuilder::new(Type::Int16),
        "int32" => SchemaBuilder::new(Type::Int32),
        "int64" => SchemaBuilder::new(Type::Int64),
        "float" => SchemaBuilder::new(Type::Float32),
        "double" => SchemaBuilder::new(Type::Float64),
        "bytes" => SchemaBuilder::new(Type::Bytes),
        "string" => SchemaBuilder::new(Type::String),
        "array" => SchemaBuilder::array(
            read_part(json, "items", options)?
                .ok_or_else(|| missing_part("Array schema did not specify the element type"))?,
        ),
        "map" => SchemaBuilder::map(read_map_part(json, "key", options)?, {
            read_map_part(json, "value", options)?
        }),
        "struct" => read_fields(json, options)?,
        unknown => {
            return Err(ConnectError::data(format!(
                "Unknown schema type: {unknown}"
            )));
        }
    };
    let optional = json
        .get("optional")
        .is_some_and(|json| matches!(json.shape, TreeShape::Boolean(true)));
    builder = builder
        .with_optional(optional)
        .with_name(json.get_text("name").map(Text::from));
    if let Some(version) = read_version(json) {
        builder = builder.version(version);
    }
    if let Some(doc) = json.get_text("doc") {
        builder = builder.doc(doc);
    }
    if let Some(Tree {
        shape: TreeShape::Object(parameters),
        ..
    }) = json.get("parameters")
    {
        for (name, value) in parameters {
            let TreeShape::String(value) = &value.shape else {
                return Err(ConnectError::data(
                    "Schema parameters must have string values.",
                ));
            };
            builder = builder.parameter(&**name, &**value);
        }
    }
    let schema = builder.build();
    match json.get("default") {
        Some(default) => with_default(schema, default, options),
        None => Ok(schema),
    }
}

fn read_part(json: &Tree<'_>, name: &str, options: Options) -> Result<Option<SchemaRef>> {
    match json.get(name) {
        Some(part) => read_schema(part, options),
        None => Ok(None),
    }
}

fn read_map_part(json: &Tree<'_>, part: &str, options: Options) -> Result<SchemaRef> {
    let name = format!("{part}s");
    if json.get(&name).is_none() {
        return Err(missing_part(&format!(
            "Map schema did not specify the {part} type"
        )));
    }
    read_part(json, &name, options)?
        .ok_or_else(|| builder_error(format!("{part}Schema cannot be null.")))
}

fn missing_part(message: &str) -> ConnectError {
    ConnectError::data(message)
}

fn builder_error(message: impl Into<String>) -> ConnectError {
    ConnectError::data(message).with_class("org.apache.kafka.connect.errors.SchemaBuilderException")
}

fn read_fields(json: &Tree<'_>, options: Options) -> Result<SchemaBuilder> {
    let Some(Tree {
        shape: TreeShape::Array(fields),
        ..
    }) = json.get("fields")
    else {
        return Err(ConnectError::data(
            "Struct schema's \"fields\" argument is not an array.",
        ));
    };
    let mut builder = SchemaBuilder::structure();
    let mut names = HashSet::with_capacity(fields.len());
    for field in fields {
        let Some(name) = field.get_text("field") else {
            return Err(ConnectError::data(
                "Struct schema's field name not specified properly",
            ));
        };
        let schema = read_present(field, options)?;
        if name.is_empty() {
            return Err(builder_error("fieldName cannot be null."));
        }
        if !names.insert(name) {
            return Err(builder_error(format!(
                "Cannot create field because of field name duplication {name}"
            )));
        }
        builder = builder.field(name, schema);
    }
    Ok(builder)
}

fn read_version(json: &Tree<'_>) -> Option<i32> {
    let version = json.get("version")?;
    if !matches!(version.shape, TreeShape::Number { integral: true }) {
        return None;
    }
    let number = NumberText {
        text: version.text,
        integral: true,
    };
    number.to_i64().map(|version| version as i32)
}

/// The schema with a default, which is written like a value of the schema.
fn with_default(schema: SchemaRef, default: &Tree<'_>, options: Options) -> Result<SchemaRef> {
    let value = read_value(
        &Text::from(default.text),
        Some(&Plan::of(&schema, options.dialect)),
        options,
    )?;
    let invalid = || builder_error("Invalid default value");
    validate(None, &schema, &value).map_err(|error| invalid().caused_by(error))?;
    match value {
        Value::Null => return Ok(schema),
        // The reference holds no struct for one of the schema that is being
        // built.
        Value::Struct(_) => return Err(invalid()),
        _ => {}
    }
    Ok(schema.to_builder().default_value(value).build())
}
