//! Columns.

use tether_api::data::Text;

/// The type modifier of a column whose type was declared without one.
pub const NO_MODIFIER: i32 = -1;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it is.
    pub name: Text,
    /// The number of its type in `pg_type`.
    pub type_oid: u32,
    /// The modifier of its type (`atttypmod`), such as length or precision;
    /// [`NO_MODIFIER`] without one.
    pub modifier: i32,
    /// How many dimensions it was declared with, if it holds arrays; 0 where that
    /// is not known. The server keeps to it as little as to a length.
    pub dimensions: u8,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// Whether it is computed from others (`GENERATED ALWAYS AS … STORED`).
    /// Servers before 18 do not stream such a column.
    pub generated: bool,
    /// The expression of its default, as `pg_get_expr` writes it.
    pub default: Option<Text>,
}
