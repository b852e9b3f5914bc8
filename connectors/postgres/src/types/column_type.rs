//! The type of a column: what its domain narrows, how long it is, what it is
//! called.

use std::sync::Arc;

use super::{PgType, TypeKind, TypeRegistry, TypeSize, oid};
use crate::table::{Column, NO_MODIFIER};

/// Who described a column. The reference asks its driver in one case and reads
/// the message in the other, and they do not always agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described {
    /// The catalog, for a snapshot.
    ByCatalog,
    /// A message of the stream.
    ByRelation,
}

/// The type of a column.
#[derive(Debug, Clone)]
pub struct ColumnType {
    /// The type that it was declared with, perhaps a domain.
    pub declared: Arc<PgType>,
    /// What the domain narrows in the end; `declared` if it is none.
    pub root: Arc<PgType>,
    /// The elements' type without its domains, if `root` is an array.
    pub element: Option<Arc<PgType>>,
    /// Length and scale, of the elements for an array.
    pub size: TypeSize,
    /// Whether the scale is known. The driver does not tell that of a `numeric`
    /// without modifiers.
    pub has_scale: bool,
    described: Described,
    sequence: bool,
}

impl ColumnType {
    /// The type of a column; `None` if the registry does not know it.
    pub fn of(column: &Column, types: &TypeRegistry, described: Described) -> Option<Self> {
        let declared = types.get(column.type_oid)?;
        let root = types.root(column.type_oid)?;
        let element = match root.element() {
            Some(element) => Some(types.get(element)?.clone()),
            None => None,
        };
        let unscaled = described == Described::ByCatalog
            && declared.oid == oid::NUMERIC
            && column.modifier == NO_MODIFIER;
        let size = match declared.kind {
            TypeKind::Domain { .. } => domain_size(types, declared, column.modifier, described),
            _ if unscaled => TypeSize::of(oid::NUMERIC, NO_MODIFIER),
            _ => {
                let scalar = element.as_ref().map_or(root.oid, |element| element.oid);
                TypeSize::with_display_size(scalar, column.modifier)
            }
        };
        Some(Self {
            declared: declared.clone(),
            root: root.clone(),
            element,
            size,
            has_scale: !unscaled,
            described,
            sequence: column
                .default
                .as_ref()
                .is_some_and(|default| default.contains("nextval(")),
        })
    }

    /// The scale, where it is known.
    pub fn scale(&self) -> Option<i32> {
        self.has_scale.then_some(self.size.scale)
    }

    /// What messages and `column.propagate.source.type` call the type. The
    /// driver calls integers of a sequence serials, and quotes names that the
    /// search path does not find; the stream does neither.
    pub fn name(&self) -> String {
        let declared = &self.declared;
        if self.described == Described::ByRelation {
            return declared.name.to_string();
        }
        match declared.oid {
            oid::INT2 if self.sequence => "smallserial".to_owned(),
            oid::INT4 if self.sequence => "serial".to_owned(),
            oid::INT8 if self.sequence => "bigserial".to_owned(),
            _ if declared.visible => declared.name.to_string(),
            _ => format!("\"{}\".\"{}\"", declared.schema, declared.name),
        }
    }
}

/// The size of a domain: that of the nearest type in its chain that has a
/// modifier, else that of the last one.
fn domain_size(
    types: &TypeRegistry,
    declared: &PgType,
    modifier: i32,
    described: Described,
) -> TypeSize {
    // The stream carries the modifier of the column, which a domain has none of.
    if described == Described::ByRelation && modifier != NO_MODIFIER {
        return TypeSize::of(declared.oid, modifier);
    }
    let mut entry = declared;
    while let TypeKind::Domain { base, modifier } = entry.kind {
        let Some(next) = types.get(base) else {
            break;
        };
        if modifier != NO_MODIFIER {
            return TypeSize::of(next.element().unwrap_or(next.oid), modifier);
        }
        entry = next;
    }
    TypeSize::with_display_size(entry.element().unwrap_or(entry.oid), NO_MODIFIER)
}
