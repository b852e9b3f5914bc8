//! Text to schemas.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{AvroSchema, Enum, Field, Fixed, Kind, Name, NodeId, Record, SchemaError};

/// Attributes that are no properties.
const RESERVED: [&str; 9] = [
    "doc",
    "fields",
    "items",
    "name",
    "namespace",
    "size",
    "symbols",
    "values",
    "type",
];
/// The longest fixed type: longer than any record can be.
const MAX_FIXED: u64 = 1 << 30;

/// Reads schemas one after the other; each knows the named types of those
/// before it.
#[derive(Default)]
pub(in crate::avro) struct Parser {
    schema: AvroSchema,
    named: HashMap<String, NodeId>,
}

impl Parser {
    /// Reads a schema that others refer to.
    ///
    /// # Errors
    /// If it is none.
    pub(in crate::avro) fn add(&mut self, text: &str) -> Result<(), SchemaError> {
        self.read_text(text).map(drop)
    }

    /// Reads the schema that is wanted.
    ///
    /// # Errors
    /// If it is none.
    pub(in crate::avro) fn parse(mut self, text: &str) -> Result<AvroSchema, SchemaError> {
        let root = self.read_text(text)?;
        self.schema.set_root(root);
        Ok(self.schema)
    }

    fn read_text(&mut self, text: &str) -> Result<NodeId, SchemaError> {
        // Also limits the nesting.
        let json = serde_json::from_str(text)
            .map_err(|error| SchemaError(format!("the schema is not JSON: {error}")))?;
        self.read(&json, None)
    }

    fn read(&mut self, json: &Json, namespace: Option<&str>) -> Result<NodeId, SchemaError> {
        match json {
            Json::String(name) => self.read_name(name, namespace),
            Json::Array(branches) => {
                let branches = branches
                    .iter()
                    .map(|branch| self.read(branch, namespace))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(self.schema.push(Kind::Union(branches)))
            }
            Json::Object(object) => self.read_object(object, namespace),
            _ => Err(SchemaError(format!("Schema not yet supported: {json}"))),
        }
    }

    fn read_name(&mut self, name: &str, namespace: Option<&str>) -> Result<NodeId, SchemaError> {
        if let Some(kind) = primitive(name) {
            return Ok(self.schema.push(kind));
        }
        let known = self.named.get(&Name::new(name, namespace).full());
        // A name may also be one without a namespace.
        match known.or_else(|| self.named.get(name)) {
            Some(id) => Ok(*id),
            None => Err(SchemaError(format!("Undefined name: \"{name}\""))),
        }
    }

    fn read_object(
        &mut self,
        object: &Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<NodeId, SchemaError> {
        let id = match object.get("type") {
            None => return Err(SchemaError("No type in a schema".to_owned())),
            Some(Json::String(type_name)) => match type_name.as_str() {
                "record" | "error" => return self.read_record(object, namespace),
                "enum" => self.read_enum(object, namespace)?,
                "fixed" => self.read_fixed(object, namespace)?,
                "array" => {
                    let items = self.read_part(object, "items", namespace)?;
                    self.schema.push(Kind::Array(items))
                }
                "map" => {
                    let values = self.read_part(object, "values", namespace)?;
                    self.schema.push(Kind::Map(values))
                }
                name => match primitive(name) {
                    Some(kind) => self.schema.push(kind),
                    // A named type in an object has no properties of its own.
                    None => return self.read_name(name, namespace),
                },
            },
            Some(nested) => return self.read(nested, namespace),
        };
        self.read_props(id, object)?;
        Ok(id)
    }

    fn read_part(
        &mut self,
        object: &Map<String, Json>,
        key: &str,
        namespace: Option<&str>,
    ) -> Result<NodeId, SchemaError> {
        match object.get(key) {
            Some(part) => self.read(part, namespace),
            None => Err(SchemaError(format!("No {key} in a schema that needs it"))),
        }
    }

    fn read_record(
        &mut self,
        object: &Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<NodeId, SchemaError> {
        let name = named(object, namespace)?;
        let Some(Json::Array(fields)) = object.get("fields") else {
            return Err(SchemaError(format!(
                "Record has no fields: {}",
                name.full()
            )));
        };
        let id = self.define(Kind::Record(Record {
            name: name.clone(),
            doc: text(object, "doc"),
            fields: Vec::new(),
        }))?;
        let mut read = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(field) = field.as_object() else {
                return Err(SchemaError(format!(
                    "a field of {} is no object",
                    name.full()
                )));
            };
            let Some(field_name) = text(field, "name") else {
                return Err(SchemaError("No field name in a record".to_owned()));
            };
            read.push(Field {
                schema: self.read_part(field, "type", name.namespace.as_deref())?,
                doc: text(field, "doc"),
                default: field.get("default").cloned(),
                name: field_name,
            });
        }
        if let Kind::Record(record) = &mut self.schema.node_mut(id).kind {
            record.fields = read;
        }
        self.read_props(id, object)?;
        Ok(id)
    }

    fn read_enum(
        &mut self,
        object: &Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<NodeId, SchemaError> {
        let name = named(object, namespace)?;
        let symbols = match object.get("symbols") {
            Some(Json::Array(symbols)) => symbols.iter().map(|symbol| symbol.as_str()).collect(),
            _ => None,
        };
        let symbols: Option<Vec<&str>> = symbols;
        let Some(symbols) = symbols else {
            return Err(SchemaError(format!("Enum has no symbols: {}", name.full())));
        };
        self.define(Kind::Enum(Enum {
            name,
            doc: text(object, "doc"),
            symbols: symbols.into_iter().map(str::to_owned).collect(),
            default: text(object, "default"),
        }))
    }

    fn read_fixed(
        &mut self,
        object: &Map<String, Json>,
        namespace: Option<&str>,
    ) -> Result<NodeId, SchemaError> {
        let name = named(object, namespace)?;
        let size = object.get("size").and_then(Json::as_u64);
        let Some(size) = size.filter(|size| *size <= MAX_FIXED) else {
            return Err(SchemaError(format!("Invalid or no size: {}", name.full())));
        };
        self.define(Kind::Fixed(Fixed {
            name,
            doc: text(object, "doc"),
            size: size as usize,
        }))
    }

    fn define(&mut self, kind: Kind) -> Result<NodeId, SchemaError> {
        if let Some(reason) = kind.name().and_then(Name::refused) {
            return Err(SchemaError(reason));
        }
        let name = kind.name().map(Name::full).unwrap_or_default();
        let id = self.schema.push(kind);
        match self.named.insert(name.clone(), id) {
            None => Ok(id),
            Some(_) => Err(SchemaError(format!("Can't redefine: {name}"))),
        }
    }

    fn read_props(&mut self, id: NodeId, object: &Map<String, Json>) -> Result<(), SchemaError> {
        let node = self.schema.node_mut(id);
        let is_enum = matches!(node.kind, Kind::Enum(_));
        for (name, value) in object {
            let reserved = RESERVED.contains(&name.as_str())
                || name == "aliases"
                || (is_enum && name == "default");
            if !reserved {
                node.props.set(name, value.clone())?;
            }
        }
        Ok(())
    }
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

fn text(object: &Map<String, Json>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn named(object: &Map<String, Json>, namespace: Option<&str>) -> Result<Name, SchemaError> {
    let Some(name) = text(object, "name") else {
        return Err(SchemaError("No name in a schema that needs one".to_owned()));
    };
    let own = text(object, "namespace");
    Ok(Name::new(&name, own.as_deref().or(namespace)))
}
