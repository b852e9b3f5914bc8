//! Avro schemas: nodes that refer to each other by number, so that named types
//! can contain themselves.

mod compatible;
mod defaults;
mod json;
mod name;
mod parse;
mod print;
mod same;

use serde_json::Value as Json;

pub(super) use self::defaults::is_valid_default;
pub(super) use self::name::{Name, check_name};
pub(super) use self::parse::Parser;

/// A schema that cannot be.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(super) struct SchemaError(pub(super) String);

impl From<SchemaError> for tether_api::ConnectError {
    fn from(error: SchemaError) -> Self {
        Self::data(error.0).with_class("org.apache.avro.SchemaParseException")
    }
}

/// The number of a node within its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(usize);

/// An Avro schema.
#[derive(Debug, Clone, Default)]
pub(super) struct AvroSchema {
    nodes: Vec<Node>,
    root: usize,
}

/// A type with its properties.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) props: Props,
}

/// A type.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Record(Record),
    Enum(Enum),
    Fixed(Fixed),
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) fields: Vec<Field>,
}

/// A field of a record.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) doc: Option<String>,
    pub(super) schema: NodeId,
    pub(super) default: Option<Json>,
}

/// An enumeration.
#[derive(Debug, Clone)]
pub(super) struct Enum {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) symbols: Vec<String>,
    pub(super) default: Option<String>,
}

/// Bytes of a fixed number.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) size: usize,
}

/// Properties in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub(super) struct Props(Vec<(String, Json)>);

impl Props {
    /// The value of a property.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let found = self.0.iter().find(|(candidate, _)| candidate == name);
        found.map(|(_, value)| value)
    }

    /// The text of a property, if it is one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Sets a property.
    ///
    /// # Errors
    /// If it has another value already.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Json>) -> Result<(), SchemaError> {
        let value = value.into();
        match self.get(name) {
            None => self.0.push((name.to_owned(), value)),
            Some(present) if *present == value => {}
            Some(_) => return Err(SchemaError(format!("Can't overwrite property: {name}"))),
        }
        Ok(())
    }

    /// All properties.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Kind {
    /// The name of the type, as schemas write it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
        }
    }

    /// The name of a named type.
    pub(super) fn name(&self) -> Option<&Name> {
        match self {
            Self::Record(record) => Some(&record.name),
            Self::Enum(symbols) => Some(&symbols.name),
            Self::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    fn doc(&self) -> Option<&str> {
        match self {
            Self::Record(record) => record.doc.as_deref(),
            Self::Enum(symbols) => symbols.doc.as_deref(),
            Self::Fixed(fixed) => fixed.doc.as_deref(),
            _ => None,
        }
    }
}

impl AvroSchema {
    /// Adds a node.
    pub(super) fn push(&mut self, kind: Kind) -> NodeId {
        self.nodes.push(Node {
            kind,
            props: Props::default(),
        });
        NodeId(self.nodes.len() - 1)
    }

    /// Adds all nodes of another schema; the node that is its root.
    pub(super) fn append(&mut self, other: &Self) -> NodeId {
        let shift = |id: &mut NodeId, by| id.0 += by;
        let by = self.nodes.len();
        for node in &other.nodes {
            let mut node = node.clone();
            match &mut node.kind {
                Kind::Array(part) | Kind::Map(part) => shift(part, by),
                Kind::Union(branches) => branches.iter_mut().for_each(|id| shift(id, by)),
                Kind::Record(record) => {
                    for field in &mut record.fields {
                        shift(&mut field.schema, by);
                    }
                }
                _ => {}
            }
            self.nodes.push(node);
        }
        NodeId(other.root + by)
    }

    /// Says which node the schema is.
    pub(super) fn set_root(&mut self, root: NodeId) {
        self.root = root.0;
    }

    /// The node that the schema is.
    pub(super) fn root(&self) -> NodeId {
        NodeId(self.root)
    }

    /// A node of this schema.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// A node of this schema.
    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0]
    }

    /// The type of a node.
    pub(super) fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// The full name of the record that this schema is.
    pub(super) fn record_name(&self) -> Option<String> {
        match self.kind(self.root()) {
            Kind::Record(record) => Some(record.name.full()),
            _ => None,
        }
    }

    /// Where a name leads among the branches of a union: the name of a type
    /// without name is that of the type.
    pub(super) fn branch_name(&self, id: NodeId) -> String {
        let kind = self.kind(id);
        kind.name()
            .map_or_else(|| kind.type_name().to_owned(), Name::full)
    }
}
