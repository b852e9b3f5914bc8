//! JSON schemas as what they demand of values.
//!
//! The parts of a schema are nodes of a document. A schema whose keywords speak
//! of several types at once is a combination of one node per type, as the
//! library behind the reference sees it.

mod address;
mod load;

use tether_api::data::Text;

pub(super) use self::load::load;

/// The position of a node in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(u32);

/// A schema and all that it is made of.
pub(super) struct Document {
    nodes: Vec<Node>,
    root: NodeId,
}

impl Document {
    /// The whole schema.
    pub(super) fn root(&self) -> NodeId {
        self.root
    }

    /// A part of it.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// All regular expressions.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Text> {
        self.nodes.iter().flat_map(|node| {
            let (own, named) = match &node.kind {
                Kind::String(string) => (string.pattern.as_ref(), &[][..]),
                Kind::Object(object) => (None, &object.patterns[..]),
                _ => (None, &[][..]),
            };
            own.into_iter()
                .chain(named.iter().map(|(pattern, _)| pattern))
        })
    }
}

/// A part of a schema.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) title: Option<Text>,
    pub(super) description: Option<Text>,
    /// In JSON, as whatever else is any value.
    pub(super) default: Option<Text>,
    pub(super) connect: Connect,
    /// The schema itself.
    pub(super) text: Text,
}

/// What only the converter knows of, in JSON.
#[derive(Clone, Default)]
pub(super) struct Connect {
    pub(super) kind: Option<Text>,
    pub(super) index: Option<Text>,
    pub(super) version: Option<Text>,
    pub(super) parameters: Option<Text>,
}

/// What a schema demands.
#[derive(Clone)]
pub(super) enum Kind {
    /// Nothing, written as `true`.
    True,
    /// What cannot be.
    False,
    /// Nothing, as there are no keywords.
    Empty,
    Null,
    Boolean,
    Number(Number),
    String(Pattern),
    Const(Text),
    Enum(Vec<Text>),
    Combined(Criterion, Vec<NodeId>),
    Array(Box<Array>),
    Object(Box<Object>),
    Not(NodeId),
    Conditional(Conditional),
    /// Another schema; `None` until it is found.
    Reference(Option<NodeId>),
}

impl Kind {
    /// The class in the reference's messages.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::True => "TrueSchema",
            Self::False => "FalseSchema",
            Self::Empty => "EmptySchema",
            Self::Null => "NullSchema",
            Self::Boolean => "BooleanSchema",
            Self::Number(_) => "NumberSchema",
            Self::String(_) => "StringSchema",
            Self::Const(_) => "ConstSchema",
            Self::Enum(_) => "EnumSchema",
            Self::Combined(..) => "CombinedSchema",
            Self::Array(_) => "ArraySchema",
            Self::Object(_) => "ObjectSchema",
            Self::Not(_) => "NotSchema",
            Self::Conditional(_) => "ConditionalSchema",
            Self::Reference(_) => "ReferenceSchema",
        }
    }
}

/// How many of several schemas a value must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    All,
    Any,
    One,
}

impl Criterion {
    /// The keyword.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "allOf",
            Self::Any => "anyOf",
            Self::One => "oneOf",
        }
    }
}

/// What numbers must be.
#[derive(Clone, Default)]
pub(super) struct Number {
    /// Whether what is no number does not fit.
    pub(super) required: bool,
    pub(super) integer: bool,
    pub(super) minimum: Option<Text>,
    pub(super) maximum: Option<Text>,
    pub(super) exclusive_minimum: Option<Text>,
    pub(super) exclusive_maximum: Option<Text>,
    pub(super) multiple_of: Option<Text>,
}

/// What strings must be.
#[derive(Clone, Default)]
pub(super) struct Pattern {
    /// Whether what is no string does not fit.
    pub(super) required: bool,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Text>,
    pub(super) format: Option<Text>,
}

/// What arrays must be.
#[derive(Clone, Default)]
pub(super) struct Array {
    /// Whether what is no array does not fit.
    pub(super) required: bool,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) unique: bool,
    /// The schema of all elements.
    pub(super) items: Option<NodeId>,
    /// The schemas of the first elements.
    pub(super) tuple: Option<Vec<NodeId>>,
    /// Whether there may be more elements than the first ones.
    pub(super) more: bool,
    /// The schema of those.
    pub(super) additional: Option<NodeId>,
    /// What one element must be.
    pub(super) contains: Option<NodeId>,
}

/// What objects must be.
#[derive(Clone, Default)]
pub(super) struct Object {
    /// Whether what is no object does not fit.
    pub(super) required: bool,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    /// In the order in which the reference keeps them.
    pub(super) properties: Vec<(Text, NodeId)>,
    pub(super) required_properties: Vec<Text>,
    /// Whether there may be members that are no properties.
    pub(super) more: bool,
    /// The schema of those.
    pub(super) additional: Option<NodeId>,
    pub(super) patterns: Vec<(Text, NodeId)>,
    pub(super) names: Option<NodeId>,
    /// The members that must be there if another one is.
    pub(super) dependent_names: Vec<(Text, Vec<Text>)>,
    /// What an object must be if a member is there.
    pub(super) dependent_schemas: Vec<(Text, NodeId)>,
}

impl Object {
    /// The schema of a property.
    pub(super) fn property(&self, name: &str) -> Option<NodeId> {
        let mut properties = self.properties.iter();
        let found = properties.find(|(candidate, _)| candidate == name);
        found.map(|(_, part)| *part)
    }
}

/// `if`, `then` and `else`.
#[derive(Clone)]
pub(super) struct Conditional {
    pub(super) condition: Option<NodeId>,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

#[cfg(test)]
mod tests;
