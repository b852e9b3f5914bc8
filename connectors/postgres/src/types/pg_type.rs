//! Types as the catalog lists them.

use tether_api::data::Text;

/// A type of a database, from `pg_type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgType {
    /// Its number.
    pub oid: u32,
    /// Its name without the schema, as the server calls it: `int4`, `_int4`.
    pub name: Text,
    /// The schema that it is in.
    pub schema: Text,
    /// Whether its name alone finds it (`pg_type_is_visible`).
    pub visible: bool,
    /// What it is made of.
    pub kind: TypeKind,
    /// What separates elements of it in the text of an array: a comma for all
    /// types but `box`.
    pub delimiter: u8,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// Scalars, of the server itself or of an extension.
    Base,
    /// Arrays.
    Array {
        /// The number of the elements' type.
        element: u32,
    },
    /// Enumerations.
    Enum {
        /// The labels in their sort order.
        labels: Vec<Text>,
    },
    /// Domains.
    Domain {
        /// The number of the type that it narrows, which may be a domain too.
        base: u32,
        /// The modifier that it gives that type.
        modifier: i32,
    },
    /// Rows.
    Composite,
    /// Ranges.
    Range,
    /// Sets of ranges.
    Multirange,
    /// Types that no column has.
    Pseudo,
}

impl PgType {
    /// The number of the elements' type, if this is an array.
    pub fn element(&self) -> Option<u32> {
        match self.kind {
            TypeKind::Array { element } => Some(element),
            _ => None,
        }
    }
}
