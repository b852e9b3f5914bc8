//! Schemas in the oracle's form.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value as Json, json};
use tether_api::data::{Schema, SchemaRef, Type};

use super::{value_from_json, value_to_json};

const TYPES: [(Type, &str); 12] = [
    (Type::Int8, "int8"),
    (Type::Int16, "int16"),
    (Type::Int32, "int32"),
    (Type::Int64, "int64"),
    (Type::Float32, "float32"),
    (Type::Float64, "float64"),
    (Type::Boolean, "boolean"),
    (Type::String, "string"),
    (Type::Bytes, "bytes"),
    (Type::Array, "array"),
    (Type::Map, "map"),
    (Type::Struct, "struct"),
];

/// The form of a schema.
pub fn schema_to_json(schema: &SchemaRef) -> Json {
    let mut json = Map::new();
    let name = TYPES.iter().find(|(kind, _)| *kind == schema.kind());
    json.insert("type".to_owned(), name.map(|(_, name)| *name).into());
    json.insert("optional".to_owned(), schema.is_optional().into());
    let mut set = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            json.insert(key.to_owned(), value);
        }
    };
    set("name", schema.name().map(Json::from));
    set("version", schema.version().map(Json::from));
    set("doc", schema.doc().map(Json::from));
    if !schema.parameters().is_empty() {
        let pairs = schema.parameters().iter();
        let pairs: Vec<Json> = pairs.map(|(key, value)| json!([**key, **value])).collect();
        set("parameters", Some(pairs.into()));
    }
    set("default", schema.default_value().map(value_to_json));
    let part = |schema: Option<&SchemaRef>| Some(schema.map_or(Json::Null, schema_to_json));
    match schema.kind() {
        Type::Array => set("items", part(schema.value_schema())),
        Type::Map => {
            set("key", part(schema.key_schema()));
            set("value", part(schema.value_schema()));
        }
        Type::Struct => {
            let fields = schema.fields().iter();
            let fields: Vec<Json> = fields
                .map(|field| json!({"name": *field.name, "schema": schema_to_json(&field.schema)}))
                .collect();
            set("fields", Some(fields.into()));
        }
        _ => {}
    }
    json.into()
}

/// The schema of a form; `None` for null.
///
/// # Errors
/// It is no such form.
pub fn schema_from_json(json: &Json) -> Result<Option<SchemaRef>> {
    if json.is_null() {
        return Ok(None);
    }
    let name = json["type"].as_str().context("a schema without type")?;
    let Some((kind, _)) = TYPES.iter().find(|(_, candidate)| *candidate == name) else {
        bail!("unknown type {name}");
    };
    let mut builder =
        Schema::builder(*kind).with_optional(json["optional"].as_bool().unwrap_or(false));
    if let Some(name) = json["name"].as_str() {
        builder = builder.name(name);
    }
    if let Some(version) = json["version"].as_i64() {
        builder = builder.version(i32::try_from(version)?);
    }
    if let Some(doc) = json["doc"].as_str() {
        builder = builder.doc(doc);
    }
    for pair in json["parameters"].as_array().into_iter().flatten() {
        let [Json::String(key), Json::String(value)] = &pair.as_array().context("no pair")?[..]
        else {
            bail!("not a parameter: {pair}");
        };
        builder = builder.parameter(key.as_str(), value.as_str());
    }
    if *kind == Type::Map
        && let Some(keys) = schema_from_json(&json["key"])?
    {
        builder = builder.keys(keys);
    }
    let part = if *kind == Type::Map { "value" } else { "items" };
    if let Some(values) = schema_from_json(&json[part])? {
        builder = builder.values(values);
    }
    for field in json["fields"].as_array().into_iter().flatten() {
        let name = field["name"].as_str().context("a field without name")?;
        let schema = schema_from_json(&field["schema"])?.context("a field without schema")?;
        builder = builder.field(name, schema);
    }
    let schema = builder.build();
    if json["default"].is_null() {
        return Ok(Some(schema));
    }
    let default = value_from_json(&json["default"], Some(&schema))?;
    Ok(Some(schema.to_builder().default_value(default).build()))
}
