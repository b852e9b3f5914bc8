//! Whether two nodes describe the same type.

use std::collections::HashSet;

use super::{AvroSchema, Kind, NodeId, Props};

impl AvroSchema {
    /// Whether a node of this schema describes the same type as one of
    /// another, documentation aside.
    pub(in crate::avro) fn is_same(&self, id: NodeId, other: &Self, other_id: NodeId) -> bool {
        let mut comparison = Comparison {
            schemas: (self, other),
            assumed: HashSet::new(),
        };
        comparison.same(id, other_id)
    }
}

struct Comparison<'a> {
    schemas: (&'a AvroSchema, &'a AvroSchema),
    /// Records that are being compared: they are the same unless a difference
    /// is found in them.
    assumed: HashSet<(NodeId, NodeId)>,
}

impl Comparison<'_> {
    fn same(&mut self, one: NodeId, two: NodeId) -> bool {
        let (schema, other) = self.schemas;
        let (node, other_node) = (schema.node(one), other.node(two));
        if !same_props(&node.props, &other_node.props) {
            return false;
        }
        match (&node.kind, &other_node.kind) {
            (Kind::Array(one), Kind::Array(two)) | (Kind::Map(one), Kind::Map(two)) => {
                self.same(*one, *two)
            }
            (Kind::Union(one), Kind::Union(two)) => {
                one.len() == two.len()
                    && one.iter().zip(two).all(|(one, two)| self.same(*one, *two))
            }
            (Kind::Fixed(one), Kind::Fixed(two)) => one.name == two.name && one.size == two.size,
            (Kind::Enum(one), Kind::Enum(two)) => {
                one.name == two.name && one.symbols == two.symbols && one.default == two.default
            }
            (Kind::Record(record), Kind::Record(other)) => {
                if !self.assumed.insert((one, two)) {
                    return true;
                }
                record.name == other.name
                    && record.fields.len() == other.fields.len()
                    && record.fields.iter().zip(&other.fields).all(|(one, two)| {
                        one.name == two.name
                            && one.default == two.default
                            && self.same(one.schema, two.schema)
                    })
            }
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        }
    }
}

fn same_props(one: &Props, two: &Props) -> bool {
    one.len() == two.len() && one.iter().all(|(name, value)| two.get(name) == Some(value))
}
