//! The fields of a struct, or, in place of those that are structs, the fields
//! of these.

use tether_api::data::{Schema, SchemaRef, Text, Type};
use tether_api::{ConnectError, Result};

use super::Step;

/// The most structs within each other that are taken apart. Those below stay as
/// they are.
const MOST_LEVELS: usize = 32;

/// The most fields that a struct is taken apart to; more than any database has
/// columns. A schema that is part of itself several times over has more.
const MOST_FIELDS: usize = 5000;

/// A field, or one of the fields that it consists of.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// Its name, after those of the fields that it is part of.
    pub(super) name: Text,
    /// Its schema, optional if it may be missing with what it is part of.
    pub(super) schema: SchemaRef,
    /// The index of the outermost field.
    pub(super) index: usize,
    /// The way from there.
    pub(super) path: Vec<Step>,
}

/// The fields of a struct. With a delimiter those that are structs, and that
/// `is_apart` lets be taken apart, are left out in favour of their own.
///
/// # Errors
/// If there are too many.
pub(super) fn leaves(
    schema: &Schema,
    delimiter: Option<&str>,
    is_apart: impl Fn(&Schema) -> bool,
) -> Result<Vec<Leaf>> {
    let mut walk = Walk {
        delimiter,
        is_apart,
        found: Vec::with_capacity(schema.fields().len()),
    };
    for field in schema.fields() {
        let leaf = Leaf {
            name: field.name.clone(),
            schema: field.schema.clone(),
            index: field.index,
            path: Vec::new(),
        };
        walk.visit(&field.schema, leaf)?;
    }
    Ok(walk.found)
}

struct Walk<'d, F> {
    delimiter: Option<&'d str>,
    is_apart: F,
    found: Vec<Leaf>,
}

impl<F: Fn(&Schema) -> bool> Walk<'_, F> {
    /// Takes a field, whose own schema is `own`, or what it consists of.
    fn visit(&mut self, own: &SchemaRef, leaf: Leaf) -> Result<()> {
        let Some(delimiter) = self.delimiter.filter(|_| self.has_parts(&leaf)) else {
            if self.found.len() >= MOST_FIELDS {
                return Err(ConnectError::other(format!(
                    "A struct has more than {MOST_FIELDS} fields when it is flattened; with \
                     nested.mode=json structs become columns of JSON"
                )));
            }
            self.found.push(leaf);
            return Ok(());
        };
        for field in own.fields() {
            let may_be_missing = leaf.schema.is_optional() && !field.schema.is_optional();
            let mut path = leaf.path.clone();
            path.push(Step {
                of: own.clone(),
                index: field.index,
            });
            let part = Leaf {
                name: Text::from(format!("{}{delimiter}{}", leaf.name, field.name)),
                schema: match may_be_missing {
                    true => field.schema.to_builder().optional().build(),
                    false => field.schema.clone(),
                },
                index: leaf.index,
                path,
            };
            self.visit(&field.schema, part)?;
        }
        Ok(())
    }

    fn has_parts(&self, leaf: &Leaf) -> bool {
        let schema = &leaf.schema;
        schema.kind() == Type::Struct
            && !schema.is_reference()
            && leaf.path.len() < MOST_LEVELS
            && (self.is_apart)(schema)
    }
}

#[cfg(test)]
mod tests {
    use tether_api::data::SchemaBuilder;

    use super::*;
    use crate::fixture::{int, structure};

    fn shown(schema: &Schema) -> Vec<String> {
        let leaves = leaves(schema, Some("_"), |_| true).unwrap();
        let shown = leaves.iter().map(|leaf| {
            let mark = if leaf.schema.is_optional() { "?" } else { "" };
            format!("{}{mark} {}", leaf.name, leaf.path.len())
        });
        shown.collect()
    }

    #[test]
    fn structs_are_taken_apart() {
        let inner = structure(&[("x", int()), ("y", int())]);
        let optional = inner.to_builder().optional().build();
        let middle = structure(&[("in", optional), ("z", int())]);
        let outer = structure(&[("a", int()), ("m", middle), ("b", inner)]);
        assert_eq!(
            shown(&outer),
            ["a 0", "m_in_x? 2", "m_in_y? 2", "m_z 1", "b_x 1", "b_y 1"]
        );
        let whole = leaves(&outer, None, |_| true).unwrap();
        assert_eq!(whole.len(), 3);
    }

    #[test]
    fn structs_without_end_are_not() {
        let node = Schema::reference(Some("node".into()), true);
        let list = SchemaBuilder::structure()
            .name("node")
            .field("x", int())
            .field("next", node.clone())
            .build();
        node.bind(&list);
        assert_eq!(shown(&list), ["x 0", "next? 0"]);
        // Each level has the one below twice.
        let mut schema = structure(&[("x", int()), ("y", int())]);
        for _ in 0..30 {
            schema = structure(&[("x", schema.clone()), ("y", schema.clone())]);
        }
        assert!(leaves(&schema, Some("_"), |_| true).is_err());
    }
}
