//! Connect schemas to the text of JSON schemas, as the reference registers them.

use std::collections::HashSet;

use tether_api::data::{Schema, SchemaRef, Text, Type, Value};
use tether_api::{ConnectError, Result};

use super::config::Options;
use super::hash_order::{self, bucket_of};
use super::names;
use crate::json::{Dialect, Plan, Tree, TreeShape, Writer, write_string_of_text};

/// The deepest nesting of a schema.
const MAX_DEPTH: usize = 200;

/// The text of a schema.
///
/// # Errors
/// Data, if the schema has no end or a default that JSON cannot hold.
pub(super) fn from_connect(schema: &SchemaRef, options: Options) -> Result<String> {
    let mut printer = Printer {
        options,
        out: Vec::new(),
        ids: HashSet::new(),
        depth: 0,
    };
    printer.schema(schema, Place::default())?;
    String::from_utf8(printer.out).map_err(|error| ConnectError::other(error.to_string()))
}

/// Where a schema stands.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The position among the fields of a struct.
    index: Option<usize>,
    /// Null was taken care of outside.
    required: bool,
}

struct Printer {
    options: Options,
    out: Vec<u8>,
    /// The ids of the structs that were begun.
    ids: HashSet<Text>,
    depth: usize,
}

/// What a struct or a reference to one is called where it is used again.
fn id(schema: &Schema) -> Option<Text> {
    match schema.target() {
        Some(target) => target.parameters().get(names::ID).cloned(),
        None => schema.parameters().get(names::ID).cloned(),
    }
}

impl Printer {
    /// Appends a schema, or the name of one that was begun.
    fn part(&mut self, schema: &SchemaRef, index: Option<usize>) -> Result<()> {
        match id(schema) {
            Some(id) if self.ids.contains(&id) => {
                let mut object = Object::open(&mut self.out);
                object.text("$ref", &id);
                object.close();
                Ok(())
            }
            _ => self.schema(
                schema,
                Place {
                    index,
                    required: false,
                },
            ),
        }
    }

    fn schema(&mut self, schema: &SchemaRef, place: Place) -> Result<()> {
        let target = schema.target();
        if self.depth == MAX_DEPTH || (schema.is_reference() && target.is_none()) {
            return Err(ConnectError::data(format!(
                "the schema {} is nested more than {MAX_DEPTH} levels deep or contains itself",
                schema.name().unwrap_or("without name")
            )));
        }
        self.depth += 1;
        let optional = schema.is_optional() && !place.required;
        self.described(target.as_ref().unwrap_or(schema), optional, place)?;
        self.depth -= 1;
        Ok(())
    }

    fn described(&mut self, schema: &SchemaRef, optional: bool, place: Place) -> Result<()> {
        let id = id(schema);
        if let Some(id) = &id {
            self.ids.insert(id.clone());
        }
        if names::is_union(schema) {
            return self.union(schema, optional, id, place.index);
        }
        if !optional {
            return self.plain(schema, id, place.index);
        }
        let mut object = Object::open(&mut self.out);
        object.common(id.as_ref(), place.index);
        object.key("oneOf");
        self.out.extend_from_slice(b"[{\"type\":\"null\"},");
        if schema.kind() == Type::Struct {
            let required = Place {
                index: None,
                required: true,
            };
            self.schema(schema, required)?;
        } else {
            self.plain(schema, None, None)?;
        }
        self.out.extend_from_slice(b"]}");
        Ok(())
    }

    fn union(
        &mut self,
        schema: &SchemaRef,
        optional: bool,
        id: Option<Text>,
        index: Option<usize>,
    ) -> Result<()> {
        let mut object = Object::open(&mut self.out);
        object.common(id.as_ref(), index);
        object.key("oneOf");
        self.out.push(b'[');
        if optional {
            self.out.extend_from_slice(b"{\"type\":\"null\"}");
        }
        for field in schema.fields() {
            if optional || field.index > 0 {
                self.out.push(b',');
            }
            // Null is the union's affair.
            let branch = Place {
                index: Some(field.index),
                required: true,
            };
            self.schema(&field.schema, branch)?;
        }
        self.out.extend_from_slice(b"]}");
        Ok(())
    }

    /// Appends a schema that null is not a value of.
    fn plain(&mut self, schema: &SchemaRef, id: Option<Text>, index: Option<usize>) -> Result<()> {
        self.out.push(b'{');
        let connect_type = self.kind(schema);
        self.metadata(schema, id, index, connect_type)?;
        match schema.kind() {
            Type::Boolean => Object::resume(&mut self.out).text("type", "boolean"),
            Type::Array => {
                Object::resume(&mut self.out).key("items");
                self.part(value_schema(schema)?, None)?;
            }
            Type::Map => self.map(schema)?,
            Type::Struct => self.properties(schema)?,
            _ => {}
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Appends what tells the kind of values; what only Connect knows of it.
    fn kind(&mut self, schema: &Schema) -> Option<&'static str> {
        let mut object = Object::resume(&mut self.out);
        let (json, connect) = match schema.kind() {
            Type::Int8 => ("integer", Some("int8")),
            Type::Int16 => ("integer", Some("int16")),
            Type::Int32 => ("integer", Some("int32")),
            Type::Int64 => ("integer", Some("int64")),
            Type::Float32 => ("number", Some("float32")),
            Type::Float64 => ("number", Some("float64")),
            // Comes after the metadata.
            Type::Boolean => return None,
            Type::String => match names::symbols(schema, self.options.generalized) {
                Some(symbols) => {
                    object.key("enum");
                    self.symbols(symbols);
                    return None;
                }
                None => ("string", None),
            },
            Type::Bytes if schema.name() == Some(names::DECIMAL) => ("number", Some("bytes")),
            Type::Bytes => ("string", Some("bytes")),
            Type::Array => ("array", None),
            Type::Map if names::is_object(schema) => ("object", Some("map")),
            Type::Map => ("array", Some("map")),
            Type::Struct => ("object", None),
        };
        object.text("type", json);
        if schema.kind() == Type::Struct && !self.options.additional_properties {
            object.key("additionalProperties");
            self.out.extend_from_slice(b"false");
        }
        connect
    }

    fn symbols(&mut self, symbols: Vec<&str>) {
        let mut seen: Vec<Option<&str>> = Vec::with_capacity(symbols.len());
        let mut known = HashSet::with_capacity(symbols.len());
        for symbol in symbols {
            let symbol = (symbol != names::NULL_SYMBOL).then_some(symbol);
            if known.insert(symbol) {
                seen.push(symbol);
            }
        }
        let buckets = hash_order::grown(seen.len());
        seen.sort_by_key(|symbol| bucket_of(*symbol, buckets));
        self.out.push(b'[');
        for (at, symbol) in seen.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            match symbol {
                Some(symbol) => write_string_of_text(symbol, &mut self.out),
                None => self.out.extend_from_slice(b"null"),
            }
        }
        self.out.push(b']');
    }

    fn metadata(
        &mut self,
        schema: &SchemaRef,
        id: Option<Text>,
        index: Option<usize>,
        connect_type: Option<&str>,
    ) -> Result<()> {
        let mut object = Object::resume(&mut self.out);
        if let Some(name) = schema.name() {
            object.text("title", name);
        }
        if let Some(doc) = schema.doc() {
            object.text("description", doc);
        }
        if let Some(default) = schema.default_value() {
            object.key("default");
            self.default(schema, default)?;
        }
        let mut object = Object::resume(&mut self.out);
        if let Some(id) = &id {
            object.text("id", id);
        }
        let mut extras: Vec<(&str, Vec<u8>)> = Vec::new();
        if let Some(name) = connect_type {
            let mut text = Vec::new();
            write_string_of_text(name, &mut text);
            extras.push((names::CONNECT_TYPE, text));
        }
        if let Some(version) = schema.version() {
            extras.push((names::CONNECT_VERSION, version.to_string().into()));
        }
        if let Some(parameters) = parameters(schema) {
            extras.push((names::CONNECT_PARAMETERS, parameters));
        }
        if let Some(index) = index {
            extras.push((names::CONNECT_INDEX, index.to_string().into()));
        }
        hash_order::sort(&mut extras, hash_order::grown(0), |(key, _)| key);
        let buckets = hash_order::copied(extras.len());
        hash_order::sort(&mut extras, buckets, |(key, _)| key);
        for (key, text) in extras {
            object.key(key);
            object.out.extend_from_slice(&text);
        }
        Ok(())
    }

    fn map(&mut self, schema: &SchemaRef) -> Result<()> {
        let values = value_schema(schema)?;
        if names::is_object(schema) {
            Object::resume(&mut self.out).key("additionalProperties");
            return self.schema(values, Place::default());
        }
        let keys = schema.key_schema().ok_or_else(incomplete)?;
        let mut object = Object::resume(&mut self.out);
        object.key("items");
        self.out
            .extend_from_slice(b"{\"type\":\"object\",\"properties\":{");
        let mut parts = [(names::KEY, keys), (names::VALUE, values)];
        hash_order::sort(&mut parts, hash_order::grown(2), |(name, _)| name);
        for (name, part) in parts {
            Object::resume(&mut self.out).key(name);
            let place = Place {
                index: Some(usize::from(name == names::VALUE)),
                required: false,
            };
            self.schema(part, place)?;
        }
        self.out.extend_from_slice(b"}}");
        Ok(())
    }

    fn properties(&mut self, schema: &SchemaRef) -> Result<()> {
        let mut fields: Vec<_> = schema.fields().iter().collect();
        if fields.is_empty() {
            return Ok(());
        }
        // References depend on what was begun before, so each part is printed
        // in the order of the fields and then put in its place.
        let mut parts = Vec::with_capacity(fields.len());
        for field in fields.drain(..) {
            let start = self.out.len();
            self.part(&field.schema, Some(field.index))?;
            parts.push((field.name.clone(), self.out.split_off(start)));
        }
        let buckets = hash_order::grown(parts.len());
        hash_order::sort(&mut parts, buckets, |(name, _)| name);
        Object::resume(&mut self.out).key("properties");
        self.out.push(b'{');
        for (name, text) in parts {
            Object::resume(&mut self.out).key(&name);
            self.out.extend_from_slice(&text);
        }
        self.out.push(b'}');
        Ok(())
    }

    fn default(&mut self, schema: &SchemaRef, value: &Value) -> Result<()> {
        if !is_finite(value) {
            return Err(
                ConnectError::data("JSON does not allow non-finite numbers.")
                    .with_class("org.json.JSONException"),
            );
        }
        let plan = Plan::to_write(schema, Dialect::Registry)?;
        let mut text = Vec::new();
        Writer::new(self.options.writing, &mut text).value(Some(&plan), value)?;
        let text =
            String::from_utf8(text).map_err(|error| ConnectError::other(error.to_string()))?;
        write_default(&Tree::parse(&text)?, &mut self.out);
        Ok(())
    }
}

fn value_schema(schema: &Schema) -> Result<&SchemaRef> {
    schema.value_schema().ok_or_else(incomplete)
}

fn incomplete() -> ConnectError {
    ConnectError::data("a map or array without the schema of its parts has no JSON schema")
}

/// The parameters that are not the converter's own.
fn parameters(schema: &Schema) -> Option<Vec<u8>> {
    let own = |(name, _): &(&Text, &Text)| !name.starts_with(names::NAMESPACE);
    let mut parameters: Vec<_> = schema.parameters().iter().filter(own).collect();
    if parameters.is_empty() {
        return None;
    }
    let count = parameters.len();
    hash_order::sort(&mut parameters, hash_order::grown(count), |(name, _)| name);
    hash_order::sort(&mut parameters, hash_order::made_for(count), |(name, _)| {
        name
    });
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    for (name, value) in parameters {
        object.text(name, value);
    }
    object.close();
    Some(out)
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float32(value) => value.is_finite(),
        Value::Float64(value) => value.is_finite(),
        Value::Array(values) => values.iter().all(is_finite),
        Value::Map(entries) => entries
            .iter()
            .all(|(key, value)| is_finite(key) && is_finite(value)),
        Value::Struct(value) => value.values().iter().all(is_finite),
        _ => true,
    }
}

/// Appends a default as it looks after it went through `org.json` and Jackson.
fn write_default(tree: &Tree<'_>, out: &mut Vec<u8>) {
    match &tree.shape {
        TreeShape::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            let buckets = hash_order::grown(members.len());
            hash_order::sort(&mut members, buckets, |(name, _)| name);
            out.push(b'{');
            for (name, value) in members {
                Object::resume(out).key(name);
                write_default(value, out);
            }
            out.push(b'}');
        }
        TreeShape::Array(elements) => {
            out.push(b'[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_default(element, out);
            }
            out.push(b']');
        }
        TreeShape::String(text) => write_string_of_text(text, out),
        TreeShape::Number { .. } => out.extend_from_slice(names::json_number(tree.text).as_bytes()),
        TreeShape::Boolean(_) | TreeShape::Null => out.extend_from_slice(tree.text.as_bytes()),
    }
}

/// The members of an object that is being written.
struct Object<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out }
    }

    /// Goes on with the innermost object.
    fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        write_string_of_text(key, self.out);
        self.out.push(b':');
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_string_of_text(text, self.out);
    }

    /// What every schema may have.
    fn common(&mut self, id: Option<&Text>, index: Option<usize>) {
        if let Some(id) = id {
            self.text("id", id);
        }
        if let Some(index) = index {
            self.key(names::CONNECT_INDEX);
            self.out.extend_from_slice(index.to_string().as_bytes());
        }
    }

    fn close(self) {
        self.out.push(b'}');
    }
}
